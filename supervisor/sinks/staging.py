"""Staged rows: DuckDB parses the spooled JSON lines itself, in C++, into temporary tables that every sink reads from.

What a sink stores is a query over such a table, after the rows were held against their region and their key. So all
sinks refuse the same rows, with the same sentences, before anything is sent anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supervisor.config.errors import SinkError
from supervisor.sinks.regions import region_of
from wire.messages import Replaces
from wire.reader import LINE_LIMIT
from wire.schema import DECIMAL_PRECISION, DECIMAL_SCALE, Column, Table, Type

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "192MiB"
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
_READ_AS = {Type.DATETIME: "VARCHAR"}


class StagingDatabase:
    """A DuckDB in memory for the sessions of a sink that has none of its own.

    It is opened when the first of them has a table: DuckDB takes 50 MiB, and many a run only looks.
    """

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None

    def staging(self) -> Staging:
        """For one more session; several may be used at once."""
        return Staging(self._cursor, spills_beside_spool=True)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        import duckdb  # noqa: PLC0415 - see above

        with self._opening:
            if self._database is None:
                self._database = duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": 1})
            return self._database.cursor()


class Staging:
    """The staged rows of one session; the staging tables die with it. Every verb raises SinkError.

    `connect` gives a cursor that nobody else uses, and is called when there is something to execute.
    """

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection], *, spills_beside_spool: bool) -> None:
        self._connect = connect
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._spills_beside_spool = spills_beside_spool
        self._tables: dict[str, Table] = {}

    def table(self, stream: str) -> Table:
        return self._tables[stream]

    def prepare(self, table: Table) -> None:
        """Make an empty staging table, in place of one for the stream's former columns."""
        columns = ", ".join(f"{quoted(c.name)} {TYPES[c.type]}" for c in table.columns)
        self.run(f"CREATE OR REPLACE TEMP TABLE {relation(table.name)} ({columns})")
        self._tables[table.name] = table

    def stage(self, stream: str, spool: Path, count: int) -> None:
        """Add the `count` JSON lines of a file to the staged rows of a stream."""
        if self._spills_beside_spool:
            # A database in memory would spill into the working directory; this one is removed with the attempt.
            self.run(f"SET temp_directory = {text(str(spool.parent / 'spill'))}")
            self._spills_beside_spool = False
        table = self._tables[stream]
        columns = ", ".join(f"{text(c.name)}: {text(_READ_AS.get(c.type, TYPES[c.type]))}" for c in table.columns)
        chosen = ", ".join(_as_stored(c) for c in table.columns)
        staged = self.run(
            f"INSERT INTO {relation(stream)} SELECT {chosen} FROM read_json(?, format='newline_delimited', "
            f"maximum_object_size={LINE_LIMIT}, columns={{{columns}}})",
            [str(spool)],
        ).fetchone()
        if staged is None or staged[0] != count:
            raise SinkError(
                f"DuckDB read {staged and staged[0]} of {count} rows of {stream!r}; nothing of them is kept"
            )

    def check(self, stream: str, replaces: Replaces | None) -> None:
        """Refuse rows outside their region, and rows of a region that share a key."""
        if replaces is None:
            return
        table = self._tables[stream]
        region = region_of(table, replaces)
        outside = self.run(
            f"SELECT count(*) FROM {relation(stream)} WHERE NOT coalesce({region.sql(quoted)}, false)", region.values
        ).fetchone()
        if outside and outside[0]:
            raise SinkError(
                f"{outside[0]} rows of {table.name!r} lie outside the region that they replace: {region.values}"
            )
        if table.key:
            twice = self.run(
                f"SELECT {key_of(table)} FROM {relation(stream)} GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
            ).fetchone()
            if twice:
                key = ", ".join(f"{name}={value}" for name, value in zip(table.key, twice, strict=True))
                raise SinkError(
                    f"{table.name!r} was sent two rows with the key {key}; the key does not tell rows apart"
                )

    def to_store(self, stream: str, replaces: Replaces | None) -> str:
        """What follows FROM to get the rows that a commit stores: where they merge, the last one of each key."""
        table = self._tables[stream]
        if replaces is not None or not table.key:
            return relation(stream)
        return f"{relation(stream)} QUALIFY row_number() OVER (PARTITION BY {key_of(table)} ORDER BY rowid DESC) = 1"

    def count(self, stream: str, replaces: Replaces | None) -> int:
        """How many rows a commit stores."""
        ((count,),) = self.run(f"SELECT count(*) FROM (FROM {self.to_store(stream, replaces)})").fetchall()
        return int(count)

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
            self._connection.execute("SET TimeZone = 'UTC'")  # a time without an offset is taken for UTC
        return self._connection


def relation(stream: str) -> str:
    """The staging table of a stream, as SQL names it."""
    return "temp." + quoted("stage_" + stream)


def key_of(table: Table) -> str:
    return ", ".join(quoted(name) for name in table.key)


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text in SQL."""
    return "'" + value.replace("'", "''") + "'"


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
    return f"CAST(CAST({name} AS TIMESTAMPTZ) AS TIMESTAMP)" if column.type is Type.DATETIME else name
