"""Which ad accounts there are to load: those asked for, or all that the token can see."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from facebook_pipeline.errors import ApiError, ObjectRefusedError, Scope
from facebook_pipeline.objects import ACCOUNT
from facebook_pipeline.runs import IDS_AT_ONCE
from facebook_pipeline.settings import Settings
from wire import Kind, ListedAccount, PipelineError, side_by_side

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


class Listed:
    """An account to load, of which what the API says may still have to be asked for; one thread at a time uses it."""

    def __init__(self, account_id: str, raw: Mapping[str, Any] | None = None) -> None:
        self.id = account_id
        self._raw = raw
        self._account: Account | None = None

    @property
    def told(self) -> ListedAccount:
        """What one chooses it by, as far as the list of accounts says it."""
        row = ACCOUNT.row(self._raw or {}, self.id, "")
        name, currency = (str(row[column] or "") for column in ("name", "currency"))
        return ListedAccount(self.id, name, currency, str(row["account_status_name"] or row["account_status"] or ""))

    def read(self, graph: Graph) -> Account:
        """What it is. Raises PipelineError where it cannot be read, or lacks what rows need."""
        if self._account is None:
            self._account = _account(self._raw or graph.get(f"act_{self.id}", fields=_FIELDS))
        return self._account


def listed_accounts(graph: Graph, settings: Settings) -> list[Listed]:
    """The accounts to load, those asked for or all that the token can see, each once."""
    ids = settings.account_ids()
    found = _asked_for(graph, ids) if ids else discovered(graph)
    # A list that changes while it is read can show an account on two pages.
    return list({each.id: each for each in reversed(found)}.values())[::-1]


def _asked_for(graph: Graph, ids: tuple[str, ...]) -> list[Listed]:
    """As many in a call as it takes. One that is refused has all of its call refused: those are asked for later."""
    raws: dict[str, Any] = {}

    def read(some: tuple[str, ...]) -> None:
        try:
            raws.update(graph.several(tuple(f"act_{each}" for each in some), _FIELDS))
        except ApiError as error:
            if error.scope is Scope.LOGIN and error.kind is not Kind.RATE_LIMIT:
                raise
            log.info("%s; asking for these accounts one by one", error.message)
        except PipelineError as error:
            graph.limiter.check()
            log.info("%s; asking for these accounts one by one", error.message)

    together = [ids[n : n + IDS_AT_ONCE] for n in range(0, len(ids), IDS_AT_ONCE)]
    side_by_side(read, [some for some in together if len(some) > 1], limiter=graph.limiter)
    found = {each: raws.get(f"act_{each}") for each in ids}
    return [Listed(each, raw if isinstance(raw, Mapping) else None) for each, raw in found.items()]


def discovered(graph: Graph) -> list[Listed]:
    """All accounts of the token. That there are none is an error: a user without roles must not look like a success."""
    found = [Listed(_name(raw), raw) for page in graph.pages("me", "adaccounts", fields=_FIELDS) for raw in page]
    if not found:
        raise PipelineError(
            Kind.CONFIG, "the access token can read no ad account: give its user a role, or set FACEBOOK_AD_ACCOUNT_IDS"
        )
    return found


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
