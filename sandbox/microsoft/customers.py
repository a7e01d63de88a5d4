"""CustomerManagement: who the user is, and which accounts and customers the user can see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.microsoft.calls import Body, Call, Operation, flag, flags, identifier, items, part, whole
from sandbox.microsoft.refusals import RefusalError, refuse
from sandbox.microsoft.vocabulary import ACCOUNT_FIELDS
from sandbox.world import Account, World

_USER = "77001"
_CUSTOMERS = {"900001": "Shops & Co", "900002": "Shops – others"}
_PAGE_LIMIT = 1000

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


def customer_of(account: Account) -> str:
    """The customer that an account belongs to; those without campaigns belong to the second."""
    first, second = _CUSTOMERS
    return first if account.campaigns else second


class Customers:
    def __init__(self, world: World) -> None:
        self._accounts = world.accounts("microsoft")

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "GetUser": self._user,
            "GetAccount": self._account,
            "SearchAccounts": self._search,
            "GetAccountsInfo": self._accounts_info,
            "GetCustomersInfo": self._customers_info,
        }

    def _user(self, call: Call) -> Body:
        asked = call.body.get("UserId")
        if asked is not None and identifier(asked) != _USER:
            raise RefusalError(106)
        return {
            "User": {
                "CustomerId": next(iter(_CUSTOMERS)),
                "Id": _USER,
                "UserLifeCycleStatus": "Active",
                "UserName": "etl@example.com",
            },
            # Who may see all accounts of a customer is told no list of them.
            "CustomerRoles": [
                {"RoleId": 41, "CustomerId": customer, "AccountIds": None, "LinkedAccountIds": None}
                for customer in _CUSTOMERS
            ],
        }

    def _account(self, call: Call) -> Body:
        asked = identifier(call.body.get("AccountId"))
        for account in self._accounts:
            if account.id == asked:
                return {"Account": _described(account)}
        raise RefusalError(106)

    def _search(self, call: Call) -> Body:
        flags(call.body, "ReturnAdditionalFields", ACCOUNT_FIELDS)
        predicates = items(call.body, "Predicates")
        by_status = [each for each in predicates if part({"_": each}, "_").get("Field") == "AccountLifeCycleStatus"]
        refuse(len(predicates) - len(by_status) != 1 or len(by_status) > 1, 201)
        kept = [account for account in self._accounts if all(_matches(account, each) for each in predicates)]
        for order in items(call.body, "Ordering")[:1]:
            name = {"Id": "id", "Name": "name", "Number": "id"}.get(str(order.get("Field")), "id")
            kept.sort(key=lambda account: str(getattr(account, name)), reverse=order.get("Order") == "Descending")
        page = part(call.body, "PageInfo")
        index, size = whole(page, "Index"), whole(page, "Size")
        refuse(not 0 <= size <= _PAGE_LIMIT or index < 0, 201)
        return {"Accounts": [_described(account) for account in kept[index * size : (index + 1) * size]]}

    def _accounts_info(self, call: Call) -> Body:
        asked = call.body.get("CustomerId")
        customer = next(iter(_CUSTOMERS)) if asked is None else identifier(asked)
        refuse(customer not in _CUSTOMERS, 106)
        flag(call.body, "OnlyParentAccounts")
        wanted = ("Id", "Name", "Number", "AccountLifeCycleStatus", "PauseReason")
        described = [_described(account) for account in self._accounts if customer_of(account) == customer]
        return {"AccountsInfo": [{name: each[name] for name in wanted} for each in described]}

    def _customers_info(self, call: Call) -> Body:
        count = whole(call.body, "TopN")
        refuse(count < 1, 201)
        start = str(call.body.get("CustomerNameFilter") or "").lower()
        named = [(each, name) for each, name in _CUSTOMERS.items() if name.lower().startswith(start)]
        return {"CustomersInfo": [{"Id": each, "Name": name} for each, name in named[:count]]}


# Field and operator of each predicate that SearchAccounts documents.
_PREDICATES: dict[tuple[str, str], Callable[[Account, str], bool]] = {
    ("UserId", "Equals"): lambda _, value: value == _USER,
    ("CustomerId", "Equals"): lambda account, value: value == customer_of(account),
    ("AccountId", "Equals"): lambda account, value: value == account.id,
    ("AccountId", "In"): lambda account, value: account.id in value.split(","),
    ("AccountLifeCycleStatus", "Equals"): lambda account, value: value == status_of(account),
    ("AccountName", "Equals"): lambda account, value: value == account.name,
    ("AccountName", "Contains"): lambda account, value: value in account.name,
    ("AccountNumber", "Equals"): lambda account, value: value == number_of(account),
    ("AccountNumber", "Contains"): lambda account, value: value in number_of(account),
    ("AccountNumber", "In"): lambda account, value: number_of(account) in value.split(","),
}


def number_of(account: Account) -> str:
    """What the user interface calls the account's number."""
    return f"F{int(account.id) % 10_000_000:07d}"


def _matches(account: Account, predicate: Body) -> bool:
    found = _PREDICATES.get((str(predicate.get("Field")), str(predicate.get("Operator"))))
    value = predicate.get("Value")
    # Only UserId's values are known to be refused when they are somebody else's.
    refuse(found is None or value is None, 201)
    refuse(predicate.get("Field") == "UserId" and str(value) != _USER, 106)
    assert found is not None
    return found(account, str(value))


def status_of(account: Account) -> str:
    return "Inactive" if account.closed else "Active"


def _described(account: Account) -> dict[str, Any]:
    return {
        "BillToCustomerId": customer_of(account),
        "CurrencyCode": account.currency,
        "AccountFinancialStatus": "ClearFinancialStatus",
        "Id": account.id,
        "Language": "English",
        "LastModifiedTime": "2026-05-04T08:15:30.123",
        "LinkedAgencies": [],
        "Name": account.name,
        "Number": number_of(account),
        "ParentCustomerId": customer_of(account),
        "AccountLifeCycleStatus": status_of(account),
        "TimeZone": TIME_ZONES[account.timezone],
        "PauseReason": 1 if account.closed else None,
    }
