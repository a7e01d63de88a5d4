"""Groups of tables: the setting `tables` names them beside single tables, and two are loaded where it names nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from wire.definitions import did_you_mean
from wire.exits import Kind
from wire.failures import PipelineError
from wire.schema import CORE, Table

LOADED = (CORE, "conversions")
"""The groups that are loaded unless the setting `tables` says otherwise."""

ALL = "all"
"""What the setting calls every table that there is."""


class OfferedTable(Struct, frozen=True, omit_defaults=True):
    """One table that is there anyway, as a check tells it; `cost` as the pipeline says it, empty where it is small."""

    name: str
    group: str
    is_loaded: bool
    cost: str = ""


def chosen(settings: Mapping[str, Any], tables: Sequence[Table]) -> frozenset[str]:
    """The names of the tables that the setting `tables` asks for, by name or by group.

    Raises PipelineError (config) where it is no list, or names something that is neither.
    """
    given = settings.get("tables") or ()
    if not isinstance(given, (list, tuple)):
        raise PipelineError(Kind.CONFIG, f"settings.tables: expected a list of tables, got {given!r}")
    groups = list(dict.fromkeys(table.group for table in tables if not table.fingerprint))
    words = [str(each) for each in given] or list(LOADED)
    known = [*groups, ALL, *(table.name for table in tables)]
    for word in sorted({str(each) for each in given} - set(known)):
        hint = did_you_mean(word, known)
        raise PipelineError(Kind.CONFIG, f"settings.tables: there is no table or group {word!r}; {hint}")
    return frozenset(table.name for table in tables if {table.name, table.group, ALL} & set(words))


def offered(settings: Mapping[str, Any], tables: Sequence[Table]) -> Iterator[OfferedTable]:
    """All tables that are there anyway. Raises PipelineError as `chosen` does."""
    wanted = chosen(settings, tables)
    for table in tables:
        if not table.fingerprint:
            yield OfferedTable(table.name, table.group, table.name in wanted, table.cost)
