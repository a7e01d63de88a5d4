"""Entity tables loaded: everything of one kind in an account, whatever its status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from linkedin_pipeline.client import Client
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.restli import Projection, Value
from linkedin_pipeline.tables import LEVELS, REPORTS, Entity
from wire import Extraction


def load_entities(
    client: Client, extraction: Extraction, directory: Directory, account_id: str, wanted: frozenset[str]
) -> int:
    """Load the levels that are wanted, and read those that a wanted report takes its names from; the rows loaded."""
    count = 0
    needed = {level for report in REPORTS if report.name in wanted for level in (*report.parents, report.level)}
    for entity in LEVELS:
        if entity.name not in wanted | needed:
            continue
        elements = found(client, entity, account_id)
        rows = directory.noting(entity, (row(entity, each, account_id) for each in elements))
        if entity.name in wanted:
            count += extraction.replace_account(entity.name, account_id, rows)
        else:
            for _ in rows:
                pass
    return count


def found(client: Client, entity: Entity, account_id: str | None = None) -> Iterator[dict[str, Any]]:
    """The elements of a kind, as LinkedIn sends them; all accounts where no account is named."""
    path = f"/adAccounts{entity.path.format(account_id)}"
    return client.pages(path, _parameters(entity), page_size=entity.page_size, account_id=account_id)


def row(entity: Entity, element: Mapping[str, Any], account_id: str) -> dict[str, Any]:
    """One element as a row of the entity's table."""
    return {"account_id": account_id, **{field.name: field.value(element) for field in entity.fields}}


def _parameters(entity: Entity) -> dict[str, Value | Projection]:
    statuses: list[Value] = list(entity.statuses)
    # Creatives have a finder of their own, with a list at the top where the others have a search expression.
    if entity.finder == "criteria":
        return {"q": "criteria", "intendedStatuses": statuses}
    return {"q": "search", "search": {"status": {"values": statuses}}}
