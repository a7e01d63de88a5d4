"""Staged rows: DuckDB parses the spooled JSON lines itself, in C++, into temporary tables that every sink reads from.

What a sink stores is a query over such a table, after the rows were held against their region and their key. So all
sinks refuse the same rows, with the same sentences, before anything is sent anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supervisor.config.errors import SinkError
from supervisor.sinks.embedded import connect, temporary_files
from supervisor.sinks.quoting import quoted, text
from supervisor.sinks.regions import Region
from wire.reader import LINE_LIMIT
from wire.schema import DECIMAL_PRECISION, DECIMAL_SCALE, Column, Table, Type

if TYPE_CHECKING:
    import duckdb

TYPES = {
    Type.STRING: "VARCHAR",
    Type.INTEGER: "BIGINT",
    Type.NUMBER: "DOUBLE",
    Type.DECIMAL: f"DECIMAL({DECIMAL_PRECISION},{DECIMAL_SCALE})",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.DATETIME: "TIMESTAMP",
    Type.JSON: "JSON",
}
# DuckDB's JSON reader drops the offset of a time, its cast from text does not.
# No column of a stream can have these names: there is a backslash in them.
_NUMBER, _PLACE, _FIRST, _AFTER = (f'"\\{name}"' for name in ("region", "place", "first", "after"))
_READ_AS = {Type.DATETIME: "VARCHAR"}


class StagingDatabase:
    """A DuckDB in memory for the sessions of a sink that has none of its own.

    It is opened when the first of them has a table: DuckDB takes 50 MiB, and many a run only looks.
    """

    def __init__(self, spools: Path | None = None) -> None:
        self._files = spools or temporary_files()
        self._opening = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None

    def staging(self) -> Staging:
        """For one more session; several may be used at once."""
        return Staging(self._cursor)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            if self._database is None:
                self._database = connect(None, files=self._files)
            return self._database.cursor()


class Staging:
    """The staged rows of one session; the staging tables die with it. Every verb raises SinkError.

    `connect` gives a cursor that nobody else uses, and is called when there is something to execute.
    """

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._connect = connect
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._tables: dict[str, Table] = {}

    def table(self, stream: str) -> Table:
        return self._tables[stream]

    def prepare(self, table: Table) -> None:
        """Make an empty staging table, in place of one for the stream's former columns."""
        columns = ", ".join(f"{quoted(c.name)} {TYPES[c.type]}" for c in table.columns)
        self.run(f"CREATE OR REPLACE TEMP TABLE {relation(table.name)} ({columns}, {_NUMBER} INTEGER)")
        self._tables[table.name] = table

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        """Add the `count` JSON lines of a file to the staged rows of a stream.

        Rows have the number of their region in the transaction: 0, or where `parts` counts the rows of several, the
        place of theirs.
        """
        table = self._tables[stream]
        columns = ", ".join(f"{text(c.name)}: {text(_READ_AS.get(c.type, TYPES[c.type]))}" for c in table.columns)
        chosen = ", ".join(_as_stored(c) for c in table.columns)
        lines = (
            f"read_json(?, format='newline_delimited', maximum_object_size={LINE_LIMIT}, hive_partitioning=false, "
            f"columns={{{columns}}})"
        )
        if len(parts) < 2:
            values: list[Any] = [str(spool)]
            source = f"SELECT {chosen}, 0 FROM {lines}"
        else:
            source, values = f"SELECT {chosen}, {_NUMBER} FROM {_numbered(lines)}", [str(spool), *_bounds(parts)]
        staged = self.run(f"INSERT INTO {relation(stream)} {source}", values).fetchone()
        if staged is None or staged[0] != count:
            raise SinkError(
                f"DuckDB read {staged and staged[0]} of {count} rows of {stream!r}; nothing of them is kept"
            )

    def looked_through(self, stream: str, regions: Sequence[Region]) -> dict[int, tuple[int, int]]:
        """How many rows have the number of a region, and how many of them lie outside of it, by that number.

        All regions have conditions on the same columns.
        """
        if len(regions) == 1:
            (region,) = regions
            ((count, outside),) = self.run(
                f"SELECT count(*), count(*) FILTER (NOT coalesce({region.sql(quoted)}, false)) FROM {relation(stream)}",
                region.values,
            ).fetchall()
            return {0: (count, outside)}
        types = {column.name: TYPES[column.type] for column in self._tables[stream].columns}
        conditions = regions[0].conditions
        names = [f'"\\v{n}"' for n in range(len(conditions))]
        holds = " AND ".join(
            f"{quoted(each.column)} {each.operator} {name}" for each, name in zip(conditions, names, strict=True)
        )
        # A list is one value, however many regions there are; a value of each would be read and planned by itself.
        columns = "".join(
            f", CAST(unnest(?::VARCHAR[]) AS {types[each.column]}) AS {name}"
            for each, name in zip(conditions, names, strict=True)
        )
        found = self.run(
            f"SELECT {_NUMBER}, count(*), count(*) FILTER (NOT coalesce({holds}, false)) FROM {relation(stream)} "
            f"JOIN (SELECT unnest(range(?)) AS {_NUMBER}{columns}) AS regions USING ({_NUMBER}) GROUP BY {_NUMBER}",
            [len(regions), *map(list, zip(*(each.values for each in regions), strict=True))],
        ).fetchall()
        return {number: (count, outside) for number, count, outside in found}

    def has_repeats(self, stream: str) -> bool:
        """Whether a key comes twice in a region."""
        table = self._tables[stream]
        if not table.key:
            return False
        return (
            self.run(
                f"SELECT 1 FROM {relation(stream)} GROUP BY {_NUMBER}, {key_of(table)} HAVING count(*) > 1 LIMIT 1"
            ).fetchone()
            is not None
        )

    def contradictions(self, stream: str) -> dict[int, tuple[str, str]]:
        """A key of two different rows, as text, and the first column in which they differ; by the number of the region.

        The same row twice, as when an object is listed on two pages, contradicts nothing.
        """
        table = self._tables[stream]
        key, names = key_of(table), [column.name for column in table.columns]
        every = ", ".join(map(quoted, names))
        twice = self.run(
            f"SELECT DISTINCT ON ({_NUMBER}) {_NUMBER}, {key} FROM (SELECT {_NUMBER}, {key} FROM {relation(stream)} "
            f"GROUP BY {_NUMBER}, {key} HAVING count(DISTINCT ROW({every})) > 1)"
        ).fetchall()
        found: dict[int, tuple[str, str]] = {}
        for number, *values in twice:
            same = " AND ".join(f"{quoted(name)} = ?" for name in table.key)
            first, *others = self.run(
                f"SELECT {every} FROM {relation(stream)} WHERE {_NUMBER} = ? AND {same} ORDER BY rowid",
                [number, *values],
            ).fetchall()
            other = next(row for row in others if row != first)
            column = next(name for name, one, two in zip(names, first, other, strict=True) if one != two)
            named = ", ".join(f"{name}={value}" for name, value in zip(table.key, values, strict=True))
            found[number] = named, column
        return found

    def merged(self, stream: str) -> str:
        """What follows FROM to get the rows that are merged by key: the last one of each."""
        table = self._tables[stream]
        if not table.key:
            return relation(stream)
        return f"{relation(stream)} QUALIFY row_number() OVER (PARTITION BY {key_of(table)} ORDER BY rowid DESC) = 1"

    def of_regions(self, stream: str, numbers: Sequence[int] | None = None, *, once: bool = False) -> str:
        """What follows FROM to get the rows of the regions of these numbers, or of all; `once` leaves out repeats."""
        found = relation(stream)
        if numbers is not None:
            found += f" WHERE {_NUMBER} IN ({', '.join(map(str, numbers)) or 'NULL'})"
        if once:
            key = key_of(self._tables[stream])
            found += f" QUALIFY row_number() OVER (PARTITION BY {_NUMBER}, {key} ORDER BY rowid) = 1"
        return found

    def counts(self, source: str) -> dict[int, int]:
        """How many rows there are of each number in `source`, which is what follows FROM."""
        return dict(self.run(f"SELECT {_NUMBER}, count(*) FROM (FROM {source}) GROUP BY {_NUMBER}").fetchall())

    def empty(self, stream: str) -> None:
        self.run(f"TRUNCATE {relation(stream)}")

    def discard(self) -> None:
        """Empty all staging tables."""
        for stream in self._tables:
            self.empty(stream)

    def run(self, statement: str, values: Sequence[Any] | None = None) -> duckdb.DuckDBPyConnection:
        """Execute a statement; what DuckDB refuses is a SinkError."""
        import duckdb  # noqa: PLC0415 - see above

        try:
            return self._opened().execute(statement, values)
        except duckdb.InterruptException as cause:
            raise SinkError("what DuckDB was doing was interrupted") from cause
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused: {first_line(cause)}{_remedy(cause)}") from cause

    def interrupt(self) -> None:
        """End the statement that another thread is executing."""
        if self._connection is not None:
            self._connection.interrupt()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection


def _numbered(lines: str) -> str:
    """Rows in their order with the number of the region whose part of the file they are in."""
    return (
        f"(SELECT *, row_number() OVER () - 1 AS {_PLACE} FROM {lines}) JOIN (SELECT {_NUMBER}, "
        f"unnest(range({_FIRST}, {_AFTER})) AS {_PLACE} FROM (SELECT unnest(?::INTEGER[]) AS {_NUMBER}, "
        f"unnest(?::BIGINT[]) AS {_FIRST}, unnest(?::BIGINT[]) AS {_AFTER})) AS parts USING ({_PLACE})"
    )


def _bounds(parts: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    after = list(accumulate(parts))
    return list(range(len(parts))), [0, *after[:-1]], after


def relation(stream: str) -> str:
    """The staging table of a stream, as SQL names it."""
    return "temp." + quoted("stage_" + stream)


def key_of(table: Table) -> str:
    return ", ".join(quoted(name) for name in table.key)


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _remedy(error: duckdb.Error) -> str:
    full = ("No space left", "File too large", "Disk quota exceeded", "failed to offload data block")
    if any(words in str(error) for words in full):
        return "; make room for it, and the next attempt goes on after the last commit"
    return ""


def _as_stored(column: Column) -> str:
    name = quoted(column.name)
    return f"CAST(CAST(upper({name}) AS TIMESTAMPTZ) AS TIMESTAMP)" if column.type is Type.DATETIME else name
