"""The embedded default: one DuckDB file, a schema per platform, readable by any DuckDB client after the run.

DuckDB parses the spooled JSON lines itself, into a temporary table with the columns of the SCHEMA line. The region and
the rows that replace it, and the state, are one transaction.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from supervisor.errors import SinkError
from supervisor.monitor import RunRecord
from supervisor.sinks import Commit
from supervisor.sinks.duckdb_history import store_run
from supervisor.sinks.duckdb_spend import daily_spend
from supervisor.sinks.lock import RunLock, lock_path
from supervisor.sinks.unified import unified_views
from supervisor.spend import DailySpend
from wire.messages import Replaces
from wire.reader import LINE_LIMIT
from wire.schema import DECIMAL_PRECISION, DECIMAL_SCALE, Column, Table, Type

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
_ADDED = (("_loaded_at", "TIMESTAMP"), ("_run_id", "VARCHAR"))
# What information_schema.columns shows, which takes 15 ms to make itself the first time it is asked.
_COLUMNS = "duckdb_columns() WHERE database_name = current_database() AND NOT internal"
_STATE = """
    CREATE SCHEMA IF NOT EXISTS _supervisor;
    CREATE TABLE IF NOT EXISTS _supervisor.state (
        platform VARCHAR NOT NULL, value VARCHAR NOT NULL, run_id VARCHAR NOT NULL, updated_at TIMESTAMP NOT NULL
    );
"""


class DuckDBSink:
    """An open DuckDB file, held for one run at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._lock = RunLock(lock_path(self._path), what=f"the DuckDB file {self._path}")
        try:
            self._connection = _connect(self._path)
        except BaseException:
            self._lock.release()
            raise
        # DDL of several platforms at once meets in the catalog, where DuckDB would refuse the second one.
        self._catalog = threading.Lock()

    @property
    def description(self) -> str:
        return f"duckdb file {self._path}"

    def session(self, platform: str, run_id: str) -> DuckDBSession:
        cursor = self._connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")  # a time without an offset is taken for UTC
        return DuckDBSession(cursor, platform, run_id, self._catalog)

    def record_run(self, record: RunRecord) -> None:
        with self._catalog, self._connection.cursor() as cursor:
            store_run(cursor, record)

    def daily_spend(self, days: int) -> tuple[DailySpend, ...]:
        with self._connection.cursor() as cursor:
            return daily_spend(cursor, days)

    def publish(self) -> None:
        """Make the views of the schema `ads` from the tables that exist."""
        try:
            self._make_views()
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused a view: {_first_line(cause)}") from cause

    def _make_views(self) -> None:
        columns: dict[str, set[str]] = {}
        rows = self._connection.execute(
            f"SELECT schema_name || '.' || table_name, column_name FROM {_COLUMNS}"
        ).fetchall()
        for table, column in rows:
            columns.setdefault(table, set()).add(column)
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS ads")
        for name, query in unified_views(columns).items():
            self._connection.execute(f"CREATE OR REPLACE VIEW ads.{name} AS {query}")

    def close(self) -> None:
        try:
            self._connection.close()
        finally:
            self._lock.release()


class DuckDBSession:
    """One platform's tables; its staging tables are temporary, so they die with the connection."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, platform: str, run_id: str, catalog: threading.Lock
    ) -> None:
        self._connection = connection
        self._platform = platform
        self._run_id = run_id
        self._catalog = catalog
        self._tables: dict[str, Table] = {}

    def prepare(self, table: Table) -> None:
        _check_names(self._platform, table)
        with self._catalog:
            self._run(f"CREATE SCHEMA IF NOT EXISTS {_quoted(self._platform)}")
            stored = self._stored_columns(table)
            if not stored:
                columns = [f"{_quoted(c.name)} {TYPES[c.type]}" for c in table.columns]
                columns += [f"{name} {kind}" for name, kind in _ADDED]
                self._run(f"CREATE TABLE {self._target(table)} ({', '.join(columns)})")
            else:
                self._widen(table, stored)
        staged = ", ".join(f"{_quoted(c.name)} {TYPES[c.type]}" for c in table.columns)
        self._run(f"CREATE OR REPLACE TEMP TABLE {_staging(table.name)} ({staged})")
        self._tables[table.name] = table

    def stage(self, stream: str, spool: Path, count: int) -> None:
        table = self._tables[stream]
        columns = ", ".join(f"{_text(c.name)}: {_text(_READ_AS.get(c.type, TYPES[c.type]))}" for c in table.columns)
        chosen = ", ".join(_as_stored(c) for c in table.columns)
        stored = self._run(
            f"INSERT INTO {_staging(stream)} SELECT {chosen} FROM read_json(?, format='newline_delimited', "
            f"maximum_object_size={LINE_LIMIT}, columns={{{columns}}})",
            [str(spool)],
        ).fetchone()
        if stored is None or stored[0] != count:
            raise SinkError(
                f"DuckDB read {stored and stored[0]} of {count} rows of {stream!r}; nothing of them is kept"
            )

    def commit(self, commit: Commit) -> Mapping[str, int]:
        self._run("BEGIN TRANSACTION")
        try:
            stored = {stream: self._store(self._tables[stream], commit.replaces) for stream in commit.streams}
            if commit.state is not None:
                self._store_state(commit.state)
            self._run("COMMIT")
        except BaseException:
            # The connection may be gone with the transaction, and then the rollback has nothing left to do.
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            raise
        for stream in commit.streams:
            self._empty(stream)
        return stored

    def discard(self) -> None:
        for stream in self._tables:
            self._empty(stream)

    def state(self) -> bytes | None:
        found = self._run("SELECT value FROM _supervisor.state WHERE platform = ?", [self._platform]).fetchone()
        return found[0].encode() if found else None

    def close(self) -> None:
        self._connection.close()

    def _store(self, table: Table, replaces: Replaces | None) -> int:
        if replaces is None:
            self._forget_merged(table)
        else:
            self._forget_region(table, replaces)
        names = ", ".join(_quoted(c.name) for c in table.columns)
        last = f" QUALIFY row_number() OVER (PARTITION BY {_key(table)} ORDER BY rowid DESC) = 1"
        stored = self._run(
            f"INSERT INTO {self._target(table)} ({names}, _loaded_at, _run_id) "
            f"SELECT {names}, ?, ? FROM {_staging(table.name)}" + (last if table.key and replaces is None else ""),
            [dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0), self._run_id],
        ).fetchone()
        return int(stored[0]) if stored else 0

    def _forget_merged(self, table: Table) -> None:
        if table.key:
            same = " AND ".join(f"t.{_quoted(name)} = s.{_quoted(name)}" for name in table.key)
            self._run(f"DELETE FROM {self._target(table)} t USING {_staging(table.name)} s WHERE {same}")

    def _forget_region(self, table: Table, replaces: Replaces) -> None:
        region, values = _region(table, replaces)
        outside = self._run(
            f"SELECT count(*) FROM {_staging(table.name)} WHERE NOT coalesce({region}, false)", values
        ).fetchone()
        if outside and outside[0]:
            raise SinkError(f"{outside[0]} rows of {table.name!r} lie outside the region that they replace: {values}")
        if table.key:
            twice = self._run(
                f"SELECT {_key(table)} FROM {_staging(table.name)} GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
            ).fetchone()
            if twice:
                key = ", ".join(f"{name}={value}" for name, value in zip(table.key, twice, strict=True))
                raise SinkError(
                    f"{table.name!r} was sent two rows with the key {key}; the key does not tell rows apart"
                )
        self._run(f"DELETE FROM {self._target(table)} WHERE {region}", values)

    def _store_state(self, state: bytes) -> None:
        self._run("DELETE FROM _supervisor.state WHERE platform = ?", [self._platform])
        self._run(
            "INSERT INTO _supervisor.state VALUES (?, ?, ?, ?)",
            [self._platform, state.decode(), self._run_id, dt.datetime.now(dt.UTC).replace(tzinfo=None)],
        )

    def _stored_columns(self, table: Table) -> dict[str, str]:
        rows = self._run(
            f"SELECT column_name, data_type FROM {_COLUMNS} AND schema_name = ? AND table_name = ?",
            [self._platform, table.name],
        ).fetchall()
        return {str(name): str(kind) for name, kind in rows}

    def _widen(self, table: Table, stored: Mapping[str, str]) -> None:
        for name, _kind in _ADDED:
            if name not in stored:
                raise SinkError(
                    f"the table {self._platform}.{table.name} was not made by this program: it has no column {name}; "
                    "rename it or choose another file"
                )
        lower = {name.lower(): kind for name, kind in stored.items()}
        changed = [c for c in table.columns if lower.get(c.name.lower(), TYPES[c.type]) != TYPES[c.type]]
        if changed:
            column = changed[0]
            raise SinkError(
                f"the column {column.name!r} of {self._platform}.{table.name} is {lower[column.name.lower()]} "
                f"and would become {TYPES[column.type]}; rename the table and load its days anew with --full-refresh"
            )
        for column in table.columns:
            if column.name.lower() not in lower:
                self._run(f"ALTER TABLE {self._target(table)} ADD COLUMN {_quoted(column.name)} {TYPES[column.type]}")

    def _empty(self, stream: str) -> None:
        self._run(f"TRUNCATE {_staging(stream)}")

    def _target(self, table: Table) -> str:
        return f"{_quoted(self._platform)}.{_quoted(table.name)}"

    def _run(self, statement: str, values: Sequence[Any] | None = None) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(statement, values)
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused: {_first_line(cause)}") from cause


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        # One thread is each platform's own: more would share out small files at a higher price than the work itself.
        connection = duckdb.connect(str(path), config={"memory_limit": MEMORY_LIMIT, "threads": 1})
        connection.execute(_STATE)
    except duckdb.Error as cause:
        raise SinkError(f"the DuckDB file {path} cannot be opened: {_first_line(cause)}") from cause
    return connection


def _check_names(platform: str, table: Table) -> None:
    """DuckDB ignores case in names, so two columns that differ only in case cannot live in one table."""
    seen: dict[str, Column] = {}
    for column in table.columns:
        twin = seen.setdefault(column.name.lower(), column)
        if twin is not column:
            raise SinkError(
                f"{platform}.{table.name}: the columns {twin.name!r} and {column.name!r} differ only in case"
            )
        if column.name.lower() in dict(_ADDED):
            raise SinkError(f"{platform}.{table.name}: the column {column.name!r} is one that every table has already")


def _region(table: Table, replaces: Replaces) -> tuple[str, list[str]]:
    names = {column.name for column in table.columns}
    missing = sorted(set(replaces.where) - names)
    if missing:
        raise SinkError(f"a region of {table.name!r} names the column {missing[0]!r}, which it does not have")
    tests = [f"{_quoted(name)} = ?" for name in replaces.where]
    values = list(replaces.where.values())
    if replaces.first is not None or replaces.last is not None:
        day = table.replication_key
        if day is None or day not in names:
            raise SinkError(f"a region of {table.name!r} has days, but its SCHEMA names no bookmark_properties")
        tests += [f"{_quoted(day)} >= ?"] * (replaces.first is not None)
        tests += [f"{_quoted(day)} <= ?"] * (replaces.last is not None)
        values += [each for each in (replaces.first, replaces.last) if each is not None]
    if not tests:
        raise SinkError(f"a region of {table.name!r} has neither `where` nor days, so it would empty the table")
    return " AND ".join(tests), values


def _key(table: Table) -> str:
    return ", ".join(_quoted(name) for name in table.key)


def _as_stored(column: Column) -> str:
    name = _quoted(column.name)
    return f"CAST(CAST({name} AS TIMESTAMPTZ) AS TIMESTAMP)" if column.type is Type.DATETIME else name


def _staging(stream: str) -> str:
    return "temp." + _quoted("stage_" + stream)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
