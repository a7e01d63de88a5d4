"""Staged rows as entities: which property type holds a column, and the service's limits, held before anything is sent.

The emulator lets pass what the service refuses, so the limits are counted here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen
from azure.data.tables import EdmType

from supervisor.config.errors import SinkError
from supervisor.sinks.azure_table.keys import LONGEST_KEY, joined, property_name, units
from supervisor.sinks.azure_table.partitions import Layout
from supervisor.sinks.judging import RowError
from supervisor.sinks.quoting import quoted
from supervisor.sinks.staging import Staging
from supervisor.sinks.tables import ADDED, LOADED_AT, RUN_ID
from wire.schema import Table, Type

MOST_COLUMNS = 252 - len(ADDED)
LONGEST_TEXT = 32_000
"""UTF-16 units of an Edm.String. The documents say 64 KiB, and "about 32K"; the service was seen to refuse 65,536 bytes
and to take 64,000: https://github.com/Azure/Azurite/issues/2510"""
LARGEST_ENTITY = 1024 * 1024
FIRST_YEAR = 1601
"""Where Edm.DateTime begins."""
_KEY_ROOM = 170  # so many characters fit into a key even if all of them are escaped
_LARGE = 4096  # bytes of text, below which the size of an entity is estimated and not counted
_ESCAPED = 6  # bytes of JSON for a byte of UTF-8, at worst: \u0001
_PROPERTY = 110  # bytes of JSON for a property without its text and its name: its type, or a number or a time
_OPERATION = 1500 + 3 * LONGEST_KEY  # bytes of an operation around its JSON
_READING = 1000

Entity = dict[str, Any]


@frozen
class Sized:
    """An entity, and the most bytes that it takes in a transaction."""

    entity: Entity
    size: int


class Entities:
    """Reads the staged rows of one stream as entities; every verb raises SinkError."""

    def __init__(self, platform: str, table: Table, layout: Layout) -> None:
        self._name = f"{platform}.{table.name}"
        self._table = table
        self._layout = layout
        if len(table.columns) > MOST_COLUMNS:
            raise SinkError(
                f"{self._name} has {len(table.columns)} columns, and Azure Table Storage takes {MOST_COLUMNS} "
                f"beside {LOADED_AT.name} and {RUN_ID.name}"
            )
        self._names = [property_name(column.name, table=self._name) for column in table.columns]
        names = (*self._names, LOADED_AT.name, RUN_ID.name)
        # https://learn.microsoft.com/archive/blogs/avkashchauhan/how-the-size-of-an-entity-is-caclulated-in-windows-azure-table-storage
        self._stored_size = 4 + sum(8 + 2 * len(name) + 12 for name in names) + 64
        self._sent_size = _OPERATION + sum(2 * len(name) + _PROPERTY for name in names)
        self._wrapped = [(i, _EDM[c.type]) for i, c in enumerate(table.columns) if c.type in _EDM]
        self._texts = [c for c in table.columns if c.type in _TEXTS]
        values = ", ".join(as_value(quoted(c.name), c.type) for c in table.columns)
        keys = "".join(f", {as_text(quoted(name), self._type(name))}" for name in layout.row)
        self._selected = f"{values}{keys}, {self._sum('strlen')}"

    def check(self, staging: Staging, source: str) -> None:
        """Refuse rows that the service would refuse, before any is sent."""
        for row in _rows(staging, f"SELECT {self._selected} FROM (FROM {source}) WHERE {self._suspicious()}"):
            self._check_row(row)

    def read(
        self,
        staging: Staging,
        source: str,
        *,
        partition: str,
        values: tuple[str, ...],
        added: Mapping[str, Any],
        number: tuple[str, ...],
    ) -> Iterator[Sized]:
        """The rows of one partition, whose columns have `values`; `added` are properties of all of them.

        Where the table has no key, `number` and a count make one.
        """
        where = " AND ".join(f"{as_text(quoted(name), self._type(name))} = ?" for name in self._layout.columns)
        query = f"SELECT {self._selected} FROM (FROM {source}) WHERE {where or 'true'}"
        for count, row in enumerate(_rows(staging, query, values)):
            key = self._key(row) if self._table.key else joined((*number, f"{count:010d}"))
            entity = {"PartitionKey": partition, "RowKey": key, **self._properties(row), **added}
            yield Sized(entity, self._size(row))

    def partitions(self, staging: Staging, source: str) -> list[tuple[str, ...]]:
        """The values of the partition columns that the rows have."""
        columns = ", ".join(as_text(quoted(name), self._type(name)) for name in self._layout.columns)
        if not columns:
            return [()] if staging.run(f"SELECT 1 FROM (FROM {source}) LIMIT 1").fetchone() else []
        return staging.run(f"SELECT DISTINCT {columns} FROM (FROM {source})").fetchall()

    def _properties(self, row: tuple[Any, ...]) -> Entity:
        values: list[Any] = list(row[: len(self._names)])
        for index, kind in self._wrapped:
            if values[index] is not None:
                values[index] = (values[index], kind)
        return dict(zip(self._names, values, strict=True))

    def _key(self, row: tuple[Any, ...]) -> str:
        parts = row[len(self._names) : -1]
        return joined(parts) if parts else "row"

    def _size(self, row: tuple[Any, ...]) -> int:
        text = row[-1]
        if text <= _LARGE:
            return int(text) * _ESCAPED + self._sent_size
        return len(json.dumps([each for each in row if isinstance(each, str)])) + self._sent_size

    def _check_row(self, row: tuple[Any, ...]) -> None:
        size = self._stored_size
        for column, value in zip(self._table.columns, row, strict=False):
            if column.type is Type.DATETIME and value is not None and int(value[:4]) < FIRST_YEAR:
                raise RowError(
                    f"{self._name}: the column {column.name!r} has the time {value}, and Azure Table Storage begins "
                    f"with the year {FIRST_YEAR}"
                )
            if column in self._texts and value is not None:
                length = units(value)
                if length > LONGEST_TEXT:
                    raise RowError(
                        f"{self._name}: the column {column.name!r} has a text of {length:,} UTF-16 units, and Azure "
                        f"Table Storage takes {LONGEST_TEXT:,}"
                    )
                size += 2 * length
        if self._table.key:
            size += 2 * self._check_keys(row)
        if size > LARGEST_ENTITY:
            raise RowError(
                f"{self._name} has a row of {size:,} bytes, and Azure Table Storage takes {LARGEST_ENTITY:,} (1 MiB)"
            )

    def _check_keys(self, row: tuple[Any, ...]) -> int:
        """The length of both keys."""
        by_name = dict(zip((c.name for c in self._table.columns), row, strict=False))
        partition = joined(str(by_name[name]) for name in self._layout.columns)
        for kind, key in (("PartitionKey", partition), ("RowKey", self._key(row))):
            if units(key) > LONGEST_KEY:
                raise RowError(
                    f"{self._name}: the key ({', '.join(self._table.key)}) of a row would be a {kind} of "
                    f"{units(key):,} characters, and Azure Table Storage takes {LONGEST_KEY:,}"
                )
        return units(partition) + units(self._key(row))

    def _suspicious(self) -> str:
        """Rows that may break a limit: few, so that only they are counted one by one."""
        longest = [f"length(CAST({quoted(c.name)} AS VARCHAR)) > {LONGEST_TEXT // 2}" for c in self._texts]
        early = [f"{quoted(c.name)} < '{FIRST_YEAR}-01-01'" for c in self._table.columns if c.type is Type.DATETIME]
        keys = " + ".join(f"length({as_text(quoted(name), self._type(name))})" for name in self._table.key)
        large = f"2 * {self._sum('length')} > {(LARGEST_ENTITY - self._stored_size) // 2 - 4 * LONGEST_KEY}"
        return " OR ".join([*longest, *early, large, *([f"{keys} > {_KEY_ROOM}"] if keys else [])])

    def _sum(self, function: str) -> str:
        """SQL for the length of all texts of a row together."""
        lengths = [f"coalesce({function}(CAST({quoted(c.name)} AS VARCHAR)), 0)" for c in self._texts]
        return f"({' + '.join(['0', *lengths])})"

    def _type(self, name: str) -> Type:
        return next(column.type for column in self._table.columns if column.name == name)


_EDM = {Type.INTEGER: EdmType.INT64, Type.DATETIME: EdmType.DATETIME}
_TEXTS = {Type.STRING, Type.JSON}


def as_value(expression: str, kind: Type) -> str:
    """What SQL gives for a property: a decimal is exact plain text, because Edm.Double would round it."""
    if kind in (Type.DECIMAL, Type.DATE, Type.DATETIME, Type.JSON):
        return as_text(expression, kind)
    return expression


def as_text(expression: str, kind: Type) -> str:
    """What SQL gives for a part of a key, or a value in a filter."""
    if kind is Type.DECIMAL:
        return f"rtrim(rtrim(CAST({expression} AS VARCHAR), '0'), '.')"
    if kind is Type.DATETIME:
        return f"strftime({expression}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return expression if kind is Type.STRING else f"CAST({expression} AS VARCHAR)"


def _rows(staging: Staging, query: str, values: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    found = staging.run(query, values)
    while rows := found.fetchmany(_READING):
        yield from rows
