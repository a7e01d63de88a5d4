"""CustomerManagement: who the user is, and which accounts the user can see."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.microsoft.soap import ApiFaultError, Call, element
from sandbox.world import Account, World

NAMESPACE = "https://bingads.microsoft.com/Customer/v13"
_ENTITIES = f"{NAMESPACE}/Entities"
_USER = 77_001
_CUSTOMERS = (900_001, 900_002)
_PAGE_LIMIT = 1000
# Fewer than any client asks for: accounts that the user may not see make pages short.
_VISIBLE_ON_A_PAGE = 2

TIME_ZONES = {
    "Europe/Berlin": "AmsterdamBerlinBernRomeStockholmVienna",
    "America/Los_Angeles": "PacificTimeUSCanadaTijuana",
    "Asia/Tokyo": "OsakaSapporoTokyo",
    "America/Sao_Paulo": "Brasilia",
    "Asia/Kolkata": "ChennaiKolkataMumbaiNewDelhi",
    "Australia/Sydney": "CanberraMelbourneSydney",
    "Europe/London": "GreenwichMeanTimeDublinEdinburghLisbonLondon",
    "America/New_York": "EasternTimeUSCanada",
}


def customer_of(account: Account) -> int:
    """The customer that an account belongs to; those without campaigns belong to the second."""
    return _CUSTOMERS[0] if account.campaigns else _CUSTOMERS[1]


class Customers:
    def __init__(self, world: World) -> None:
        self._accounts = world.accounts("microsoft")

    @property
    def operations(self) -> dict[str, Callable[[Call], str]]:
        return {"GetUser": self._get_user, "SearchAccounts": self._search_accounts}

    def _get_user(self, _: Call) -> str:
        roles = "".join(
            f"<a:CustomerRole><a:RoleId>41</a:RoleId><a:CustomerId>{customer}</a:CustomerId></a:CustomerRole>"
            for customer in _CUSTOMERS
        )
        return (
            f'<User xmlns:a="{_ENTITIES}"><a:CustomerId>{_CUSTOMERS[0]}</a:CustomerId><a:Id>{_USER}</a:Id>'
            "<a:UserLifeCycleStatus>Active</a:UserLifeCycleStatus><a:UserName>etl@example.com</a:UserName></User>"
            f'<CustomerRoles xmlns:a="{_ENTITIES}">{roles}</CustomerRoles>'
        )

    def _search_accounts(self, call: Call) -> str:
        for predicate in call.body["Predicates"]:
            given = tuple(predicate[name].text for name in ("Field", "Operator", "Value"))
            if given != ("UserId", "Equals", str(_USER)):
                raise ApiFaultError(100, of_request=True)
        page, size = int(call.body["PageInfo"]["Index"].text), int(call.body["PageInfo"]["Size"].text)
        if not 1 <= size <= _PAGE_LIMIT or page < 0:
            raise ApiFaultError(100, of_request=True)
        size = min(size, _VISIBLE_ON_A_PAGE)
        rows = "".join(_account(account) for account in self._accounts[page * size : (page + 1) * size])
        return f'<Accounts xmlns:a="{_ENTITIES}">{rows}</Accounts>'


def _account(account: Account) -> str:
    values = {
        "BillToCustomerId": customer_of(account),
        "CurrencyCode": account.currency,
        "AccountFinancialStatus": "ClearFinancialStatus",
        "Id": account.id,
        "Language": "English",
        "Name": account.name,
        "Number": f"F{int(account.id) % 10_000_000:07d}",
        "ParentCustomerId": customer_of(account),
        "AccountLifeCycleStatus": "Inactive" if account.closed else "Active",
        "TimeZone": TIME_ZONES[account.timezone],
        "PauseReason": 1 if account.closed else None,
    }
    inner = "".join(element(f"a:{name}", value) for name, value in values.items())
    return f"<a:AdvertiserAccount>{inner}</a:AdvertiserAccount>"
