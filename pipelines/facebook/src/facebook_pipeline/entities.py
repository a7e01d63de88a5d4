"""Loads an account's entity tables: full snapshots, with archived and, where the API gives them, deleted objects."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from facebook_pipeline.accounts import Account
from facebook_pipeline.client import Graph
from facebook_pipeline.errors import UNREADABLE, DeletedRefusedError, unreadable
from facebook_pipeline.objects import ACCOUNT, ENTITIES, Entity
from wire import Extraction

log = logging.getLogger(__name__)


def load_entities(graph: Graph, extraction: Extraction, account: Account, wanted: frozenset[str]) -> None:
    """Replace the account's rows in every wanted entity table."""
    counts: dict[str, int] = {}
    if ACCOUNT.table.name in wanted:
        row = ACCOUNT.row(account.raw, account.id, account.currency)
        counts[ACCOUNT.table.name] = extraction.replace_account(ACCOUNT.table.name, account.id, [row])
    for entity in ENTITIES:
        if entity.table.name in wanted:
            counts[entity.table.name] = _load(graph, extraction, account, entity)
    if counts:
        log.info("account %s: %s", account.id, ", ".join(f"{name} {count}" for name, count in counts.items()))


def _load(graph: Graph, extraction: Extraction, account: Account, entity: Entity) -> int:
    name = entity.table.name
    try:
        return extraction.replace_account(name, account.id, _rows(graph, account, entity, entity.statuses))
    except DeletedRefusedError as error:
        log.info("%s; loading the %ss that are not deleted", error.message, name)
    statuses = tuple(status for status in entity.statuses if status != "DELETED")
    return extraction.replace_account(name, account.id, _rows(graph, account, entity, statuses))


def _rows(graph: Graph, account: Account, entity: Entity, statuses: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    params: dict[str, Any] = {"fields": ",".join(entity.fields)}
    if statuses:
        params["filtering"] = [{"field": entity.status_field, "operator": "IN", "value": list(statuses)}]
    for page in graph.pages(account.node, entity.edge, **params):
        for raw in page:
            try:
                yield entity.row(raw, account.id, account.currency)
            except UNREADABLE as cause:
                raise unreadable(entity.table.name, raw.get("id"), cause) from cause
