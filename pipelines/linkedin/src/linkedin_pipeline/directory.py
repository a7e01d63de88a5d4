"""What an account's groups, campaigns and creatives are called and belong to: reports themselves carry only ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from linkedin_pipeline.levels import BY_NAME
from linkedin_pipeline.tables import Entity

_PARENT = {name: level.parents[-1] for name, level in BY_NAME.items() if level.parents}
_SERVING = frozenset({"ACTIVE", "PAUSED", "COMPLETED"})


class Entry(Struct, frozen=True, gc=False):
    """One thing's name, and the id of the one it belongs to."""

    name: str | None
    parent_id: str | None


class Directory:
    """The entries of one account by level; creatives belong to campaigns, campaigns to campaign groups."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Entry]] = {}
        self._serving: dict[str, int] = {}

    def noting(self, entity: Entity, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass the rows of a level on, and note them."""
        entries = self._entries[entity.name] = {}
        self._serving[entity.name] = 0
        parent = f"{_PARENT[entity.name]}_id" if entity.name in _PARENT else None
        for row in rows:
            entries[row[entity.id_column]] = Entry(row["name"], row[parent] if parent else None)
            self._serving[entity.name] += row["status"] in _SERVING
            yield row

    def __len__(self) -> int:
        """How many names there are, of all levels."""
        return sum(map(len, self._entries.values()))

    def ids(self, level: str) -> tuple[str, ...]:
        return tuple(self._entries.get(level, ()))

    def serving(self, level: str) -> int:
        """How many of a level may serve, and so have a row on most days."""
        return self._serving.get(level, 0)

    def columns(self, level: str, id_: str) -> Mapping[str, str | None]:
        """Ids and names of a thing and of all above it; None for what LinkedIn does not list."""
        found: dict[str, str | None] = {}
        step: str | None = level
        current: str | None = id_
        while step is not None:
            entry = self._entries.get(step, {}).get(current) if current else None
            found[f"{step}_id"] = current
            found[f"{step}_name"] = entry.name if entry else None
            current = entry.parent_id if entry else None
            step = _PARENT.get(step)
        return found
