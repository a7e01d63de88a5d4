"""Which accounts the signed-in user can use."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from microsoft_pipeline.client import Client
from wire import Extraction, Kind, PipelineError

log = logging.getLogger(__name__)

_SERVICE = "CustomerManagementService"
_PAGE = 100
_PAGES = 10_000
_CLOSED = frozenset({"Inactive"})


class Account(Struct, frozen=True):
    """An account as the service gives it (`raw`), and what the rest of the pipeline needs of it."""

    id: str
    customer_id: str
    currency: str
    time_zone: str
    status: str
    raw: Any

    @property
    def closed(self) -> bool:
        """A closed account has a row of its own, but cannot be asked for anything else."""
        return self.status in _CLOSED


def discover(client: Client) -> tuple[Account, ...]:
    """All accounts of the user, under whichever customer they are, in the order of their ids.

    A search by user spans every customer in which the user has a role. Pages are asked for until one is empty, because
    accounts that the user may not see can make a page short.
    """
    user = client.call(_SERVICE, "GetUser", UserId=None).User
    if user is None:
        raise PipelineError(Kind.AUTH, "GetUser: Microsoft names no user for these credentials")
    predicates = {"Predicate": [{"Field": "UserId", "Operator": "Equals", "Value": str(user.Id)}]}
    found: dict[str, Account] = {}
    for page in range(_PAGES):
        answer = client.call(
            _SERVICE,
            "SearchAccounts",
            Predicates=predicates,
            Ordering=None,
            PageInfo={"Index": page, "Size": _PAGE},
            ReturnAdditionalFields=None,
        )
        accounts = [_account(raw) for raw in getattr(answer, "AdvertiserAccount", None) or ()]
        found.update((account.id, account) for account in accounts)
        if not accounts:
            break
    log.info("%d accounts can be used", len(found))
    return tuple(sorted(found.values(), key=lambda account: int(account.id)))


def select(accounts: Sequence[Account], wanted: Iterable[str], extraction: Extraction) -> tuple[Account, ...]:
    """The accounts asked for, or all; one that was asked for and is not there is reported as failed."""
    wanted = tuple(dict.fromkeys(wanted))
    if not wanted:
        return tuple(accounts)
    known = {account.id: account for account in accounts}
    for account_id in wanted:
        if account_id not in known:
            with extraction.account(account_id):
                raise PipelineError(
                    Kind.CONFIG,
                    f"the user cannot use account {account_id}; check the id (not the account number) and the access",
                    account_id=account_id,
                )
    return tuple(known[account_id] for account_id in wanted if account_id in known)


def _account(raw: Any) -> Account:
    return Account(
        id=str(raw.Id),
        customer_id=str(raw.ParentCustomerId),
        currency=str(raw.CurrencyCode or ""),
        time_zone=str(raw.TimeZone or ""),
        status=str(raw.AccountLifeCycleStatus or ""),
        raw=raw,
    )
