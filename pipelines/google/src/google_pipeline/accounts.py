"""The accounts below the login: found through `customer_client`, which lists a manager's whole tree at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from google_pipeline.client import Session, Target
from google_pipeline.errors import AccountClosedError
from google_pipeline.queries import As, Field
from google_pipeline.tables import CUSTOMER
from wire import Extraction, Kind, Limiter, ListedAccount, PipelineError, side_by_side

log = logging.getLogger(__name__)

CLIENTS = msgspec.structs.replace(
    CUSTOMER,
    name="the list of accounts",
    fields=(
        *CUSTOMER.fields,
        Field("id", "customer_client.id", As.ID),
        Field("is_manager", "customer_client.manager", As.FLAG),
    ),
)


class Account(Struct, frozen=True):
    """An account as its manager lists it. `row` is its row in the table `customer`."""

    id: str
    login_customer_id: str | None
    is_manager: bool
    row: Mapping[str, Any]

    @property
    def timezone(self) -> str:
        """The IANA name; raises PipelineError (data) where Google gives none."""
        return self._given("time_zone")

    @property
    def is_closed(self) -> bool:
        """Whether its manager calls it canceled or closed: it may answer nevertheless, and has its last days then."""
        return self.row["status"] in ("CANCELED", "CLOSED")

    @property
    def target(self) -> Target:
        """Whom to ask; raises PipelineError (data) where Google gives no currency for the amounts in the answers."""
        return Target(self.id, self.login_customer_id, self._given("currency_code"))

    @property
    def listed(self) -> ListedAccount:
        """What one chooses it by; a manager has no campaigns of its own."""
        status = ", manager" if self.is_manager else ""
        name, currency = (str(self.row[column] or "") for column in ("descriptive_name", "currency_code"))
        return ListedAccount(self.id, name, currency, f"{self.row['status'] or ''}{status}")

    def _given(self, column: str) -> str:
        value = self.row[column]
        if not value:
            what = column.removesuffix("_code").replace("_", " ")
            raise PipelineError(Kind.DATA, f"account {self.id}: Google gives no {what} for it", account_id=self.id)
        return str(value)


def discovered(
    session: Session, extraction: Extraction, manager_customer_id: str | None, limiter: Limiter
) -> dict[str, Account]:
    """All accounts by id, managers included; below the given manager, or else below whatever the login reaches.

    Raises PipelineError (config) where there is no account to load, managers aside.
    """
    if manager_customer_id:
        found, complete = _below_manager(session, extraction, manager_customer_id), True
    else:
        found, complete = _below_everything(session, extraction, limiter)
    accounts = _nearest(found)
    # Where a part of the list could not be had, that failure is what has to be mended.
    if complete and all(account.is_manager for account in accounts.values()):
        raise _no_accounts(manager_customer_id)
    return accounts


def _no_accounts(manager_customer_id: str | None) -> PipelineError:
    if manager_customer_id:
        sentence = f"manager {manager_customer_id} has no client accounts below it; check GOOGLE_MANAGER_CUSTOMER_ID"
    else:
        sentence = (
            "the login reaches no client account; give its user access to one, or name the manager that has it in "
            "GOOGLE_MANAGER_CUSTOMER_ID"
        )
    return PipelineError(Kind.CONFIG, sentence)


def _below_everything(session: Session, extraction: Extraction, limiter: Limiter) -> tuple[list[Account], bool]:
    """The accounts below all that the login reaches directly, and whether every list could be had."""
    below: dict[str, list[Account]] = {}
    roots = session.persistently(session.accessible, "the list of accessible customers")

    def ask(root: str) -> None:
        with extraction.account(root):
            try:
                below[root] = _below(session, extraction, root)
            except AccountClosedError:
                log.info("account %s is not enabled and is left out", root)
                below[root] = []

    side_by_side(ask, roots, limiter=limiter)
    # In the order of the roots, whichever answered first: of two listings that are equally deep the first is kept.
    return [account for root in roots for account in below.get(root, ())], len(below) == len(roots)


def _nearest(accounts: Iterable[Account]) -> dict[str, Account]:
    """One of each: an account may hang below several managers, and the least deep listing is kept."""
    found: dict[str, Account] = {}
    for account in accounts:
        known = found.get(account.id)
        if known is None or (account.row["manager_level"] or 0) < (known.row["manager_level"] or 0):
            found[account.id] = account
    return found


def _below_manager(session: Session, extraction: Extraction, manager_customer_id: str) -> list[Account]:
    try:
        return _below(session, extraction, manager_customer_id)
    except PipelineError as error:
        # Without the list nothing can be loaded: this is the run's failure, not an account's.
        message = f"manager {manager_customer_id}: {error.message}"
        raise PipelineError(error.kind, message, retry_after=error.retry_after) from None


def _below(session: Session, extraction: Extraction, root: str) -> list[Account]:
    target = Target(root, root)
    rows = session.persistently(lambda: list(session.rows(CLIENTS, target)), f"account {root}")
    nameless = [row for row in rows if not row["id"]]
    if nameless:
        with extraction.account(root):
            names = ", ".join(repr(row["descriptive_name"]) for row in nameless)
            raise PipelineError(Kind.DATA, f"account {root}: Google lists accounts without an id below it: {names}")
    return [_account(row, root) for row in rows if row["id"]]


def _account(row: dict[str, Any], root: str) -> Account:
    own = {column.name: row[column.name] for column in CUSTOMER.table.columns if column.name in row}
    own |= {"account_id": row["id"], "manager_customer_id": root if root != row["id"] else None}
    return Account(row["id"], root, bool(row["is_manager"]), own)


def selected(accounts: Mapping[str, Account], wanted: Sequence[str]) -> Iterator[tuple[str, Account | PipelineError]]:
    """The client accounts to load; for one that is asked for but cannot be had, the error that says why."""
    for account_id in wanted or sorted(accounts):
        account = accounts.get(account_id)
        if account is None:
            yield account_id, _unavailable(account_id, "is not among the accounts that the login customer reaches")
        elif not account.is_manager:
            yield account_id, account
        elif wanted:
            yield account_id, _unavailable(account_id, "is a manager account, which has no campaigns of its own")


def _unavailable(account_id: str, reason: str) -> PipelineError:
    return PipelineError(Kind.CONFIG, f"account {account_id} {reason}", account_id=account_id)
