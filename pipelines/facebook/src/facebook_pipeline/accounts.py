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
from wire import Extraction, PipelineError

if TYPE_CHECKING:
    from facebook_pipeline.graph import Graph

log = logging.getLogger(__name__)

_FIELDS = ",".join(dict.fromkeys(("account_id", *ACCOUNT.fields)))
_ACTIVE = 1


class Account(Struct, frozen=True):
    """An ad account; `id` is without `act_`, `raw` is the API's object."""

    id: str
    currency: str
    timezone: str
    raw: Mapping[str, Any]

    @property
    def node(self) -> str:
        return f"act_{self.id}"


def each_account(graph: Graph, settings: Settings, extraction: Extraction) -> Iterator[Account]:
    """The accounts, one at a time. One that was asked for and cannot be read is reported; the others follow."""
    ids = settings.account_ids()
    if not ids:
        for page in graph.pages("me", "adaccounts", fields=_FIELDS):
            yield from (_account(raw) for raw in page)
        return
    for account_id in ids:
        found: Account | None = None
        with extraction.account(account_id), blamed_on(account_id):
            found = _account(graph.get(f"act_{account_id}", fields=_FIELDS))
        if found:
            yield found


@contextmanager
def blamed_on(account_id: str) -> Iterator[None]:
    """Make the refusal of one object the account's failure; without it a missing permission would end the pipeline."""
    try:
        yield
    except ObjectRefusedError as error:
        raise PipelineError(error.kind, error.message, account_id=account_id) from None


def _account(raw: Mapping[str, Any]) -> Account:
    account = Account(str(raw["account_id"]), str(raw["currency"]), str(raw["timezone_name"]), raw)
    if raw.get("account_status") != _ACTIVE:
        log.info("account %s has status %s; what it still shows is loaded", account.id, raw.get("account_status"))
    return account
