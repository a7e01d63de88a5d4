"""Loads an account's entity tables: full snapshots, with archived and, where the API gives them, deleted objects."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from facebook_pipeline.accounts import Account
from facebook_pipeline.client import Graph
from facebook_pipeline.errors import UNREADABLE, DeletedRefusedError, incomplete_answer, is_the_logins, unreadable
from facebook_pipeline.objects import ACCOUNT, ENTITIES, Entity, not_deleted, status_filter
from wire import Extraction, Kind, PipelineError

log = logging.getLogger(__name__)

_PASSING = frozenset({Kind.TRANSIENT, Kind.RATE_LIMIT})


def load_entities(graph: Graph, extraction: Extraction, account: Account, wanted: frozenset[str]) -> None:
    """Replace the account's rows in every wanted entity table."""
    counts: dict[str, int] = {}
    if ACCOUNT.table.name in wanted:
        rows = _read(ACCOUNT, [account.raw], account)
        counts[ACCOUNT.table.name] = extraction.replace_account(ACCOUNT.table.name, account.id, rows)
    for entity in ENTITIES:
        if entity.table.name in wanted and not extraction.is_loaded(entity.table.name, account.id):
            try:
                counts[entity.table.name] = _load(graph, extraction, account, entity)
            except PipelineError as error:
                if entity.table.is_core or error.kind in _PASSING or is_the_logins(error):
                    raise
                _give_up(extraction, account, entity, error)
    if counts:
        log.info("account %s: %s", account.id, ", ".join(f"{name} {count}" for name, count in counts.items()))


def _give_up(extraction: Extraction, account: Account, entity: Entity, error: PipelineError) -> None:
    """Leave out what Facebook refuses of an account; of a closed one that is no failure."""
    name = entity.table.name
    told = error.message if error.message.startswith(name) else f"{name}: {error.message}"
    if account.is_closed and error.kind is Kind.AUTH:
        log.info("account %s is closed and shows no %s: %s", account.id, name, error.message)
    else:
        extraction.give_up([name], account.id, PipelineError(error.kind, told))


def _load(graph: Graph, extraction: Extraction, account: Account, entity: Entity) -> int:
    try:
        return _replace(graph, extraction, account, entity, entity.statuses)
    except DeletedRefusedError as error:
        log.info("%s; loading the %ss that are not deleted", error.message, entity.table.name)
    return _replace(graph, extraction, account, entity, not_deleted(entity.statuses))


def _replace(graph: Graph, extraction: Extraction, account: Account, entity: Entity, statuses: tuple[str, ...]) -> int:
    filtering: dict[str, Any] = {}
    if statuses:
        filtering = {"filtering": [status_filter(entity.level, statuses)]}

    def listed() -> Iterator[object]:
        for page in graph.pages(account.node, entity.edge, fields=",".join(entity.fields), **filtering):
            yield from page

    def is_empty() -> bool:
        """Whether the edge's own count, which is made apart from its list, says that there is nothing.

        An edge without a count is asked for its list once more.
        """
        if not entity.counted:
            return not any(graph.pages(account.node, entity.edge))
        answer = graph.get(account.node, entity.edge, summary="total_count", limit=1, **filtering)
        count = (answer.get("summary") or {}).get("total_count")
        if not isinstance(count, int):
            raise incomplete_answer(f"GET {account.node}/{entity.edge}", "summary.total_count")
        return count == 0 and not answer.get("data")

    rows = _read(entity, listed(), account)
    return extraction.replace_account(entity.table.name, account.id, rows, confirm_empty=is_empty)


def _read(entity: Entity, listed: Any, account: Account) -> Iterator[dict[str, Any]]:
    """The rows of some objects, each once; raises PipelineError where one is listed twice and differs.

    A list that changes while it is read can show an object on two pages.
    """
    key = entity.table.key[-1]
    seen: dict[str, int] = {}
    for raw in listed:
        try:
            row = entity.row(raw, account.id, account.currency)
        except UNREADABLE as cause:
            which = raw.get("id") if isinstance(raw, Mapping) else "an object"
            raise unreadable(entity.table.name, which, cause) from cause
        which = row[key]
        if which is None:
            raise PipelineError(Kind.DATA, f"{entity.table.name}: an object has no {key}")
        content = hash(msgspec.json.encode(raw))
        if which not in seen:
            seen[which] = content
            yield row
        elif seen[which] != content:
            raise PipelineError(
                Kind.DATA, f"{entity.table.name}: {which} is listed twice with different values; ask again later"
            )
