"""Which accounts the signed-in user can use."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from microsoft_pipeline import operations
from microsoft_pipeline.client import Client
from microsoft_pipeline.rows import of_object
from microsoft_pipeline.tables import ACCOUNT
from wire import Extraction, Kind, PipelineError

log = logging.getLogger(__name__)

_PAGES = 10_000
_CLOSED = frozenset({"Inactive"})


class Account(Struct, frozen=True):
    """An account as the service gives it (`raw`), and what the rest of the pipeline needs of it.

    It is `contradicted` where it was given twice, with different values.
    """

    id: str
    customer_id: str
    currency: str | None
    time_zone: str
    status: str
    raw: Mapping[str, Any]
    contradicted: bool = False

    @property
    def closed(self) -> bool:
        """A closed account has a row of its own, but cannot be asked for anything else."""
        return self.status in _CLOSED


def discover(client: Client) -> tuple[Account, ...]:
    """All accounts of the user, under whichever customer they are, in the order of their ids.

    A search by user spans every customer in which the user has a role, and may give an account once per customer.
    Pages are asked for until one is empty, because accounts that the user may not see can make a page short. Raises
    PipelineError (config) for a user without accounts.
    """
    user_id = _user_id(client)
    found: dict[str, Account] = {}
    seen: set[tuple[str, ...]] = set()
    for page in range(_PAGES):
        call = operations.search_accounts(user_id, page)
        accounts = [_account(raw) for raw in client.listed(call, "Accounts")]
        if not accounts:
            break
        ids = tuple(account.id for account in accounts)
        if ids in seen:
            raise PipelineError(Kind.TRANSIENT, f"SearchAccounts: page {page} holds the accounts of an earlier page")
        seen.add(ids)
        for account in accounts:
            known = found.setdefault(account.id, account)
            if _differs(known, account):
                found[account.id] = msgspec.structs.replace(known, contradicted=True)
    if not found:
        raise PipelineError(
            Kind.CONFIG,
            "this login sees no account; give its user access to the accounts, or sign in with the user that has it",
        )
    log.info("%d accounts can be used", len(found))
    return tuple(sorted(found.values(), key=lambda account: (len(account.id), account.id)))


def select(accounts: Sequence[Account], wanted: Iterable[str], extraction: Extraction) -> tuple[Account, ...]:
    """The accounts asked for, or all; one that was asked for and is not there, or has no id, is reported as failed."""
    wanted = tuple(dict.fromkeys(wanted))
    known = {account.id: account for account in accounts if account.id}
    if len(known) < len(accounts):
        with extraction.account("unknown"):
            raise PipelineError(Kind.DATA, "SearchAccounts: Microsoft gives an account without its Id; it is left out")
    for account_id in wanted:
        if account_id not in known:
            with extraction.account(account_id):
                raise PipelineError(
                    Kind.CONFIG,
                    f"the user cannot use account {account_id}; check the id (not the account number) and the access",
                    account_id=account_id,
                )
    return tuple(known[account_id] for account_id in wanted or known if account_id in known)


def _user_id(client: Client) -> str:
    user = client.call(operations.get_user()).get("User")
    identity = user.get("Id") if isinstance(user, Mapping) else None
    if identity is None:
        raise PipelineError(Kind.AUTH, "GetUser: Microsoft names no user for these credentials")
    return str(identity)


def _differs(one: Account, other: Account) -> bool:
    """Whether two of one id have different values in a column; what is null in one and absent in the other is not."""
    return of_object(ACCOUNT, one.raw, {}) != of_object(ACCOUNT, other.raw, {})


def _account(raw: Mapping[str, Any]) -> Account:
    return Account(
        id=str(raw.get("Id") or ""),
        customer_id=str(raw.get("ParentCustomerId") or ""),
        currency=raw.get("CurrencyCode"),
        time_zone=str(raw.get("TimeZone") or ""),
        status=str(raw.get("AccountLifeCycleStatus") or ""),
        raw=raw,
    )
