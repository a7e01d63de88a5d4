"""One platform's tables in a DuckDB file."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit, Result
from supervisor.sinks.duckdb.state import stored_parts, write_changes
from supervisor.sinks.judging import Part, judge
from supervisor.sinks.kept_state import KeptState
from supervisor.sinks.quoting import quoted, text
from supervisor.sinks.regions import Region, selections
from supervisor.sinks.staging import TYPES, Staging, relation
from supervisor.sinks.tables import ADDED, check_names, missing_columns
from wire.schema import Column, Table


class DuckDBSession:
    """One platform's tables; its staging tables are temporary, so they die with the connection."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, platform: str, run_id: str, catalog: threading.Lock
    ) -> None:
        self._connection = connection
        self._staging = Staging(lambda: connection)
        self._platform = platform
        self._run_id = run_id
        self._catalog = catalog
        self._state: KeptState | None = None

    def prepare(self, table: Table) -> None:
        check_names(self._platform, table)
        with self._catalog:
            self._run(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._platform)}")
            stored = self._stored_columns(table)
            if stored:
                for column in missing_columns(self._platform, table, stored, wanted=_type_of):
                    self._run(f"ALTER TABLE {self._target(table)} ADD COLUMN {_definition(column)}")
            else:
                columns = ", ".join(_definition(column) for column in (*table.columns, *ADDED))
                self._run(f"CREATE TABLE {self._target(table)} ({columns})")
        self._staging.prepare(table)

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        self._staging.stage(stream, spool, count, parts)

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        state = self._kept_state  # which is read by a query of its own, before the transaction
        verdict = judge(self._staging, commits, held=self._held)
        self._run("BEGIN TRANSACTION")
        try:
            for part in verdict.parts:
                self._store(part)
            state.take(commits, verdict.refused)
            write_changes(self._run, self._platform, state.changes(), run_id=self._run_id)
            self._run("COMMIT")
        except BaseException:
            state.dropped()
            # The connection may be gone with the transaction, and then the rollback has nothing left to do.
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            raise
        state.kept()
        for stream in verdict.streams:
            self._staging.empty(stream)
        return verdict.results()

    def discard(self) -> None:
        self._staging.discard()

    def flush(self) -> None:
        """A commit is in the file's log when it returns."""

    def interrupt(self) -> None:
        self._staging.interrupt()

    def state(self) -> bytes | None:
        self._kept_state.renew(stored_parts(self._run, self._platform))
        return self._kept_state.value

    def forget_state(self) -> None:
        self._kept_state.forget()

    def close(self) -> None:
        self._connection.close()

    def _stored_columns(self, table: Table) -> dict[str, str]:
        """The columns of the table as it is, with their types; none where there is no table.

        A look at this one table: the catalog's list of all columns takes longer with each table that there is.
        """
        try:
            described = self._run(f"DESCRIBE {self._target(table)}").fetchall()
        except SinkError as error:
            if isinstance(error.__cause__, duckdb.CatalogException):
                return {}
            raise
        return {name: kind for name, kind, *_ in described}

    @property
    def _kept_state(self) -> KeptState:
        if self._state is None:
            self._state = KeptState(stored_parts(self._run, self._platform))
        return self._state

    def _held(self, table: Table, region: Region) -> int:
        query = f"SELECT count(*) FROM {self._target(table)} WHERE {region.sql(quoted)}"
        ((count,),) = self._run(query, region.values).fetchall()
        return int(count)

    def _store(self, part: Part) -> None:
        table = self._staging.table(part.stream)
        if part.regions is not None:
            for selection in selections(table, part.regions):
                self._run(f"DELETE FROM {self._target(table)} WHERE {selection.sql(quoted, text)}")
        elif table.key:
            same = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in table.key)
            self._run(f"DELETE FROM {self._target(table)} t USING {relation(part.stream)} s WHERE {same}")
        names = ", ".join(quoted(c.name) for c in table.columns)
        added = ", ".join(column.name for column in ADDED)
        stored = self._run(
            f"INSERT INTO {self._target(table)} ({names}, {added}) SELECT {names}, ?, ? FROM {part.source}",
            [dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0), self._run_id],
        ).fetchone()
        if stored is None or stored[0] != part.count:
            raise SinkError(f"DuckDB stored {stored and stored[0]} of {part.count} rows of {table.name!r}")

    def _target(self, table: Table) -> str:
        return f"{quoted(self._platform)}.{quoted(table.name)}"

    def _run(self, statement: str, values: list[Any] | None = None) -> duckdb.DuckDBPyConnection:
        return self._staging.run(statement, values)


def _definition(column: Column) -> str:
    return f"{quoted(column.name)} {_type_of(column)}"


def _type_of(column: Column) -> str:
    return TYPES[column.type]
