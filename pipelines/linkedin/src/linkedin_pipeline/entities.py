"""Entity tables loaded: everything of one kind in an account, whatever its status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec

from linkedin_pipeline.client import Client
from linkedin_pipeline.confirmation import Confirmation
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.restli import Projection, Value, urn
from linkedin_pipeline.tables import LEVELS, Entity
from wire import Extraction, Kind, PipelineError


def load_entities(
    client: Client,
    extraction: Extraction,
    directory: Directory,
    confirmation: Confirmation,
    *,
    account_id: str,
    wanted: frozenset[str],
    needed: frozenset[str],
) -> int:
    """Load the levels that are wanted, and read those that are needed for the reports; the rows loaded."""
    count = 0
    for entity in LEVELS:
        is_sent = entity.name in wanted and not extraction.is_loaded(entity.name, account_id)
        if not is_sent and entity.name not in needed:
            continue
        rows = directory.noting(entity, rows_of(client, entity, account_id))
        if is_sent:
            confirm_empty = partial(confirmation.nothing_of, entity)
            count += extraction.replace_account(entity.name, account_id, rows, confirm_empty=confirm_empty)
        else:
            for _ in rows:
                pass
    return count


def rows_of(client: Client, entity: Entity, account_id: str) -> Iterator[dict[str, Any]]:
    """An account's rows of a kind. Raises PipelineError (data) as `row` and `distinct` do."""
    return distinct(entity, (row(entity, each, account_id) for each in found(client, entity, account_id)))


def found(client: Client, entity: Entity, account_id: str | None = None) -> Iterator[dict[str, Any]]:
    """The elements of a kind, as LinkedIn sends them; all accounts where no account is named."""
    path = entity.resource(account_id)
    if entity.finder == "account":
        asked: dict[str, Value | Projection] = {"q": "account", "account": urn("sponsoredAccount", str(account_id))}
        return client.offset_pages(path, asked, page_size=entity.page_size, account_id=account_id)
    return client.pages(path, _parameters(entity), page_size=entity.page_size, account_id=account_id)


def row(entity: Entity, element: Mapping[str, Any], account_id: str) -> dict[str, Any]:
    """One element as a row of the entity's table; raises PipelineError (data) where its id is missing or odd."""
    made = {"account_id": account_id, **{field.name: field.value(element) for field in entity.fields}}
    if made[entity.id_column] is None:
        raise PipelineError(Kind.DATA, f"LinkedIn lists a {entity.name} without its id", account_id=account_id)
    return made


def distinct(entity: Entity, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each thing once: LinkedIn may list one again on a later page, when something changes meanwhile.

    Raises PipelineError (data) where the two differ, because nobody can tell which of them holds.
    """
    seen: dict[str, bytes] = {}
    for each in rows:
        contents = blake2b(msgspec.json.encode(each), digest_size=16).digest()
        before = seen.setdefault(each[entity.id_column], contents)
        if before is contents:
            yield each
        elif before != contents:
            raise PipelineError(
                Kind.DATA,
                f"LinkedIn lists {entity.name} {each[entity.id_column]} twice, with different contents; "
                "another attempt may find it once",
                account_id=each["account_id"],
            )


def _parameters(entity: Entity) -> dict[str, Value | Projection]:
    statuses: list[Value] = list(entity.statuses)
    # Creatives have a finder of their own, with a list at the top where the others have a search expression.
    if entity.finder == "criteria":
        return {"q": "criteria", "intendedStatuses": statuses}
    return {"q": "search", "search": {"status": {"values": statuses}}}
