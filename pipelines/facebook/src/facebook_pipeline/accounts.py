"""Which ad accounts there are to load: those asked for, or all that the token can see."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from facebook_pipeline.errors import ApiError, ObjectRefusedError, Scope
from facebook_pipeline.objects import ACCOUNT
from facebook_pipeline.settings import Settings
from wire import Extraction, Kind, PipelineError

if TYPE_CHECKING:
    from facebook_pipeline.client import Graph

log = logging.getLogger(__name__)

_FIELDS = ",".join(dict.fromkeys(("account_id", *ACCOUNT.fields)))
_ACTIVE = 1
_CLOSED = frozenset({2, 100, 101, 202})
"""Disabled, pending closure, closed: most of them stay readable, and it is no error where one is not."""


class Account(Struct, frozen=True):
    """An ad account; `id` is without `act_`, `raw` is the API's object."""

    id: str
    currency: str
    timezone: str
    status: int | None
    raw: Mapping[str, Any]

    @property
    def node(self) -> str:
        return f"act_{self.id}"

    @property
    def is_closed(self) -> bool:
        return self.status in _CLOSED


def each_account(graph: Graph, settings: Settings, extraction: Extraction) -> Iterator[Account]:
    """The accounts, one at a time. One that cannot be read is reported; the others follow."""
    ids = settings.account_ids()
    found = _asked_for(graph, ids, extraction) if ids else _discovered(graph, extraction)
    seen = set[str]()
    for account in found:
        # A list that changes while it is read can show an account on two pages.
        if account.id not in seen:
            seen.add(account.id)
            yield account


def _asked_for(graph: Graph, ids: tuple[str, ...], extraction: Extraction) -> Iterator[Account]:
    for account_id in ids:
        found: Account | None = None
        with of_account(extraction, account_id):
            found = _account(graph.for_account(account_id).get(f"act_{account_id}", fields=_FIELDS))
        if found:
            yield found


def _discovered(graph: Graph, extraction: Extraction) -> Iterator[Account]:
    """All accounts of the token. That there are none is an error: a user without roles must not look like a success."""
    some = False
    for page in graph.pages("me", "adaccounts", fields=_FIELDS):
        for raw in page:
            some = True
            found: Account | None = None
            with of_account(extraction, _name(raw)):
                found = _account(raw)
            if found:
                yield found
    if not some:
        raise PipelineError(
            Kind.CONFIG, "the access token can read no ad account: give its user a role, or set FACEBOOK_AD_ACCOUNT_IDS"
        )


@contextmanager
def of_account(extraction: Extraction, account_id: str, *, is_closed: bool = False) -> Iterator[None]:
    """Whatever fails inside is this account's failure, unless the login is refused, which ends the pipeline."""
    with extraction.account(account_id), blamed_on(account_id, is_closed=is_closed):
        yield


@contextmanager
def blamed_on(account_id: str, *, is_closed: bool = False) -> Iterator[None]:
    """Make a refusal the account's failure where it is not the login's, or a log line where the account is closed.

    Without it a permission that is missing on one account would end the pipeline.
    """
    try:
        yield
    except ApiError as error:
        if is_closed and isinstance(error, ObjectRefusedError):
            log.info("account %s is closed and shows no more: %s", account_id, error.message)
            return
        if error.scope is Scope.LOGIN:
            raise
        raise PipelineError(error.kind, error.message, retry_after=error.retry_after, account_id=account_id) from None


def _account(raw: Mapping[str, Any]) -> Account:
    """The account that an object of the API tells; raises PipelineError (data) where it lacks what rows need."""
    for name in ("account_id", "currency", "timezone_name"):
        if not isinstance(raw.get(name), str | int) or not raw[name]:
            raise PipelineError(Kind.DATA, f"Facebook does not tell the {name} of ad account {_name(raw)}")
    status = raw.get("account_status")
    account = Account(
        id=str(raw["account_id"]),
        currency=str(raw["currency"]),
        timezone=str(raw["timezone_name"]),
        status=status if isinstance(status, int) else None,
        raw=raw,
    )
    if status != _ACTIVE:
        log.info("account %s has status %s; what it still shows is loaded", account.id, status)
    return account


def _name(raw: object) -> str:
    """What to call an account in an error, whatever its object lacks."""
    told = raw if isinstance(raw, Mapping) else {}
    return str(told.get("account_id") or str(told.get("id") or "").removeprefix("act_") or "without an id")
