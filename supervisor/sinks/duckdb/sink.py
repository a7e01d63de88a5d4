"""The embedded default: one DuckDB file, a schema per platform, readable by any DuckDB client after the run.

A region and the rows that replace it, and the state, are one transaction.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Collection
from pathlib import Path

import duckdb

from supervisor.config.errors import SinkError
from supervisor.record.exchange_rates import Rate
from supervisor.record.log import log
from supervisor.record.reconciliation import Reconciliation
from supervisor.record.run_record import RunRecord
from supervisor.record.spend import DailySpend
from supervisor.record.state import parts_of, whole_changes
from supervisor.sinks.duckdb.history import store_run
from supervisor.sinks.duckdb.naming import taken_name
from supervisor.sinks.duckdb.session import DuckDBSession
from supervisor.sinks.duckdb.snapshot import CopyReader, write_snapshot
from supervisor.sinks.duckdb.spend import daily_spend
from supervisor.sinks.duckdb.state import TABLE, stored_parts, write_changes
from supervisor.sinks.embedded import connect, temporary_files
from supervisor.sinks.exchange_rates import DEFINITION, statements
from supervisor.sinks.lock import RunLock, holder_of, lock_path
from supervisor.sinks.reconciling import of_run
from supervisor.sinks.staging import first_line
from supervisor.sinks.views import reader_views

_COLUMNS = """
    SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns()
    WHERE database_name = current_database() AND NOT internal
"""


class DuckDBSink:
    """An open DuckDB file, held for one run at a time. With `snapshot` a copy for readers is published at its end.

    What is staged lies below `spools`, or among the temporary files. In a `reporting_currency` the views have their
    amounts once more.
    """

    def __init__(
        self,
        path: Path,
        *,
        snapshot: Path | None = None,
        spools: Path | None = None,
        reporting_currency: str | None = None,
    ) -> None:
        self._path = path.absolute()
        self._reporting_currency = reporting_currency
        self._snapshot = snapshot
        self._check_name()
        self._reader: CopyReader | None = None
        self._opened = dt.datetime.now(dt.UTC)
        self._lock = RunLock(lock_path(self._path), what=f"the DuckDB file {self._path}")
        try:
            self._connection = _connect(self._path, spools)
        except BaseException:
            self._lock.release()
            raise
        # DDL of several platforms at once meets in the catalog, where DuckDB would refuse the second one.
        self._catalog = threading.Lock()

    @property
    def description(self) -> str:
        return f"duckdb file {self._path}"

    def session(self, platform: str, run_id: str) -> DuckDBSession:
        self._check_name(platform)
        return DuckDBSession(self._connection.cursor(), platform, run_id, self._catalog)

    def _check_name(self, *platforms: str) -> None:
        taken = taken_name(self._path, platforms)
        if taken is not None:
            raise SinkError(taken)

    def put_state(self, platform: str, state: bytes | None) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("BEGIN TRANSACTION")
                changes = whole_changes(stored_parts(cursor.execute, platform), parts_of(state) if state else {})
                write_changes(cursor.execute, platform, changes, run_id="")
                cursor.execute("COMMIT")
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused: {first_line(cause)}") from cause

    def record_run(self, record: RunRecord) -> None:
        with self._catalog, self._connection.cursor() as cursor:
            store_run(cursor, record)

    def daily_spend(self, days: int) -> tuple[DailySpend, ...]:
        with self._connection.cursor() as cursor:
            return daily_spend(cursor, days)

    def reconcile_run(
        self, platform: str, run_id: str, without: Collection[str], instead: str | None = None
    ) -> Reconciliation | None:
        try:
            with self._connection.cursor() as cursor:
                columns = columns_of(cursor)
                return of_run(
                    lambda query: cursor.execute(query).fetchall(), columns, platform, run_id, without, instead=instead
                )
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused: {first_line(cause)}") from cause

    def put_rates(self, rates: Collection[Rate]) -> None:
        try:
            with self._catalog, self._connection.cursor() as cursor:
                cursor.execute("BEGIN TRANSACTION")
                for statement in ("CREATE SCHEMA IF NOT EXISTS ads", DEFINITION, *statements(rates), "COMMIT"):
                    cursor.execute(statement)
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused the rates: {first_line(cause)}") from cause

    def publish(self) -> None:
        """Make the views of the schema `ads` from the tables that exist."""
        if self._snapshot is not None:
            self._reader = CopyReader(self._snapshot)
        try:
            self._make_views()
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused a view: {first_line(cause)}") from cause

    def _make_views(self) -> None:
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS ads")
        if self._reporting_currency is not None:
            self._connection.execute(DEFINITION)
        columns = columns_of(self._connection)
        for name, query in reader_views(columns, reporting_currency=self._reporting_currency).items():
            self._connection.execute(f"CREATE OR REPLACE VIEW ads.{name} AS {query}")

    def close(self) -> None:
        try:
            self._connection.close()  # which writes everything into the one file
            if self._snapshot is not None and self._reader is not None:
                self._keep_snapshot(self._snapshot, self._reader)
        finally:
            self._lock.release()

    def _keep_snapshot(self, snapshot: Path, reader: CopyReader) -> None:
        try:
            write_snapshot(self._path, snapshot, since=self._opened, reader=reader)
        except SinkError as error:
            log.error("Readers keep the snapshot of an earlier run: %s", error)


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """The columns of each `platform.table`."""
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(_COLUMNS).fetchall():
        columns.setdefault(table, set()).add(column)
    return columns


def _connect(path: Path, spools: Path | None) -> duckdb.DuckDBPyConnection:
    try:
        connection = connect(path, files=spools or temporary_files())
        connection.execute(TABLE)
    except duckdb.Error as cause:
        holder = holder_of(path, str(cause))
        if holder is not None:
            raise SinkError(
                f"the DuckDB file {path} is in use by {holder}; a run can begin when it has let go"
            ) from cause
        raise SinkError(f"the DuckDB file {path} cannot be opened: {first_line(cause)}") from cause
    return connection
