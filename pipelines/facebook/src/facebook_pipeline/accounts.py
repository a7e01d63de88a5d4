"""Which ad accounts there are to load: those asked for, or all that the token can see."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from facebook_pipeline.errors import ObjectRefusedError
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
    raw: Mapping[str, Any]

    @property
    def node(self) -> str:
        return f"act_{self.id}"

    @property
    def is_closed(self) -> bool:
        return self.raw.get("account_status") in _CLOSED


def each_account(graph: Graph, settings: Settings, extraction: Extraction) -> Iterator[Account]:
    """The accounts, one at a time. One that was asked for and cannot be read is reported; the others follow."""
    ids = settings.account_ids()
    if not ids:
        yield from _discovered(graph)
        return
    for account_id in ids:
        found: Account | None = None
        with extraction.account(account_id), blamed_on(account_id):
            found = _account(graph.get(f"act_{account_id}", fields=_FIELDS))
        if found:
            yield found


def _discovered(graph: Graph) -> Iterator[Account]:
    """All accounts of the token. That there are none is an error: a user without roles must not look like a success."""
    found = False
    for page in graph.pages("me", "adaccounts", fields=_FIELDS):
        for raw in page:
            found = True
            yield _account(raw)
    if not found:
        raise PipelineError(
            Kind.CONFIG, "the access token can read no ad account: give its user a role, or set FACEBOOK_AD_ACCOUNT_IDS"
        )


@contextmanager
def blamed_on(account_id: str, *, is_closed: bool = False) -> Iterator[None]:
    """Make the refusal of one object the account's failure, or a line in the log where the account is closed.

    Without it a permission that is missing on one account would end the pipeline.
    """
    try:
        yield
    except ObjectRefusedError as error:
        if is_closed:
            log.info("account %s is closed and shows no more: %s", account_id, error.message)
            return
        raise PipelineError(error.kind, error.message, account_id=account_id) from None


def _account(raw: Mapping[str, Any]) -> Account:
    account = Account(str(raw["account_id"]), str(raw["currency"]), str(raw["timezone_name"]), raw)
    if raw.get("account_status") != _ACTIVE:
        log.info("account %s has status %s; what it still shows is loaded", account.id, raw.get("account_status"))
    return account
