"""Which partition a row belongs to, what of a region is stored already, and the marker that says a partition is whole.

A day of an account is a partition of its own where a table has days, so that one transaction can switch a small day,
and so that a region is a range of partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from attrs import frozen
from azure.data.tables import EdmType, TableClient

from supervisor.sinks.azure_table.access import options
from supervisor.sinks.azure_table.keys import SEPARATOR, escape, joined, property_name, split
from supervisor.sinks.regions import Region
from wire.schema import Table, Type

ACCOUNT = "account_id"
MARKER = "!complete"
"""The RowKey of a partition's marker; the key of a row never begins so, because `!` is escaped in it."""
COMPLETE = "_complete"
ROWS = "_rows"
ALL = "all"
"""The PartitionKey where no column of the key divides a table."""
_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)
_PAGE = 1000


@frozen
class Layout:
    """The columns that make a PartitionKey (none: all rows share one), and those that make a RowKey."""

    columns: tuple[str, ...]
    row: tuple[str, ...]

    def partition(self, values: Iterable[str]) -> str:
        return joined(values) if self.columns else ALL

    def values(self, partition: str) -> tuple[str, ...]:
        """What the partition's columns hold, as text."""
        return split(partition) if self.columns else ()


def layout_of(table: Table) -> Layout:
    """Account and day, as far as both are in the key; the rest of the key, in its order, makes the RowKey."""
    dates = {column.name for column in table.columns if column.type is Type.DATE}
    day = table.replication_key if table.replication_key in dates else None
    columns = tuple(name for name in (ACCOUNT, day) if name is not None and name in table.key)
    return Layout(columns, tuple(name for name in table.key if name not in columns))


@frozen(kw_only=True)
class Stored:
    """A partition as it was found: the RowKeys of its rows in the region, and its marker's number of rows.

    `marked` is whether there may be a marker; `rows` is None where it does not say, or says that it is not complete.
    `whole` is whether the region has all of the partition.
    """

    keys: set[str]
    marked: bool = False
    rows: int | None = None
    whole: bool = True


_NOTHING = Stored(keys=set())


def covers(layout: Layout, region: Region) -> bool:
    """Whether a region is made of whole partitions."""
    return {condition.column for condition in region.conditions} <= set(layout.columns)


def filter_of(table: Table, layout: Layout, region: Region, as_stored: Callable[[str, str], str]) -> str:
    """The query that selects a region; `as_stored` writes a column's value as it is stored, and None for a literal.

    Where the region names the account of its partitions it is a range of keys, which the service finds without
    looking at other accounts' rows.
    """
    by_operator = {(c.column, c.operator): as_stored(c.column, c.value) for c in region.conditions}
    account = by_operator.get((ACCOUNT, "=")) if ACCOUNT in layout.columns else None
    found: list[str] = []
    used: set[str] = set()
    if account is not None:
        used = set(layout.columns)
        found = list(_key_range(layout, escape(account), by_operator))
    types = {column.name: column.type for column in table.columns}
    for condition in region.conditions:
        if condition.column not in used:
            name = property_name(condition.column, table=table.name)
            value = _literal(by_operator[(condition.column, condition.operator)], types[condition.column])
            found.append(f"{name} {_OPERATORS[condition.operator]} {value}")
    return " and ".join(found)


def stored_partitions(client: TableClient, query: str) -> Iterator[tuple[str, Stored]]:
    """What of a region is stored, partition by partition, in the order of their keys."""
    found = client.query_entities(
        query,
        select=["PartitionKey", "RowKey", COMPLETE, ROWS],
        results_per_page=_PAGE,
        **options(),
    )
    for partition, entities in groupby(found, key=lambda entity: str(entity["PartitionKey"])):
        keys: set[str] = set()
        marked, rows = False, None
        for entity in entities:
            if entity["RowKey"] == MARKER:
                marked, rows = True, _marked_rows(entity)
            else:
                keys.add(entity["RowKey"])
        yield partition, Stored(keys=keys, marked=marked, rows=rows)


def paired(wanted: Iterable[str], stored: Iterable[tuple[str, Stored]]) -> Iterator[tuple[str, bool, Stored]]:
    """Each partition that is wanted, or stored, or both, and whether it is wanted; both come in `order`."""
    here, there = iter(wanted), iter(stored)
    want, have = next(here, None), next(there, None)
    while want is not None or have is not None:
        if have is None or (want is not None and order(want) < order(have[0])):
            assert want is not None
            yield want, True, _NOTHING
            want = next(here, None)
        elif want is None or order(have[0]) < order(want):
            yield have[0], False, have[1]
            have = next(there, None)
        else:
            yield want, True, have[1]
            want, have = next(here, None), next(there, None)


def order(key: str) -> bytes:
    """As the service sorts keys: by UTF-16 units."""
    return key.encode("utf-16-be")


@frozen(kw_only=True)
class Marker:
    """Makes the markers of one commit; they have the partition's columns, so that a filter on these finds them too."""

    names: tuple[str, ...]
    added: Mapping[str, Any]

    def entity(
        self, partition: str, values: tuple[str, ...], *, complete: bool, rows: int | None = None
    ) -> dict[str, Any]:
        return {
            "PartitionKey": partition,
            "RowKey": MARKER,
            **dict(zip(self.names, values, strict=True)),
            COMPLETE: complete,
            ROWS: None if rows is None else (rows, EdmType.INT64),
            **self.added,
        }


_OPERATORS = {"=": "eq", ">=": "ge", "<=": "le"}


def _key_range(layout: Layout, account: str, values: dict[tuple[str, str], str]) -> Iterator[str]:
    if len(layout.columns) == 1:
        yield f"PartitionKey eq {_quoted(account)}"
        return
    day = layout.columns[1]
    exact = values.get((day, "="))
    first = max(filter(None, (exact, values.get((day, ">=")))), default="")
    last = min(filter(None, (exact, values.get((day, "<=")))), default=None)
    yield f"PartitionKey ge {_quoted(account + SEPARATOR + first)}"
    if last is None:
        yield f"PartitionKey lt {_quoted(account + _AFTER_SEPARATOR)}"
    else:
        yield f"PartitionKey le {_quoted(account + SEPARATOR + last)}"


def _literal(value: str, kind: Type) -> str:
    if kind is Type.INTEGER:
        return f"{value}L"
    if kind in (Type.NUMBER, Type.BOOLEAN):
        return value
    return f"datetime{_quoted(value)}" if kind is Type.DATETIME else _quoted(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _marked_rows(entity: Any) -> int | None:
    rows = entity.get(ROWS)
    return int(getattr(rows, "value", rows)) if entity.get(COMPLETE) and rows is not None else None
