"""The runs in a DuckDB file: `_supervisor.runs`, `_supervisor.platforms` and `_supervisor.attempts`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from supervisor.config.errors import SinkError
from supervisor.record.history import PlatformRun, StoredState, states_of
from supervisor.record.run_record import RunRecord
from supervisor.sinks.duckdb.reading import open_for_reading
from supervisor.sinks.duckdb.state import PARTS
from supervisor.sinks.history_rows import PLATFORM_RUN_COLUMNS, chosen_reports, platform_run, rows_of_run
from supervisor.sinks.staging import first_line

TABLES = """
    CREATE SCHEMA IF NOT EXISTS _supervisor;
    CREATE TABLE IF NOT EXISTS _supervisor.runs (
        run_id VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP, exit_code INTEGER,
        total_platforms INTEGER, completed INTEGER, failed INTEGER, skipped INTEGER, success_rate DOUBLE,
        total_rows_processed BIGINT, total_duration_seconds DOUBLE, report JSON
    );
    CREATE TABLE IF NOT EXISTS _supervisor.platforms (
        run_id VARCHAR NOT NULL, platform VARCHAR NOT NULL, status VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL,
        duration_seconds DOUBLE, rows_processed BIGINT, tables_processed INTEGER, retry_count INTEGER,
        error_message VARCHAR, finished BOOLEAN NOT NULL
    );
    CREATE TABLE IF NOT EXISTS _supervisor.attempts (
        run_id VARCHAR NOT NULL, platform VARCHAR NOT NULL, number INTEGER NOT NULL, outcome VARCHAR NOT NULL,
        started_at TIMESTAMP NOT NULL, duration_seconds DOUBLE, rows_processed BIGINT, tables_processed INTEGER,
        bytes_read BIGINT, peak_memory_bytes BIGINT, blocked_on_sink_seconds DOUBLE, exit_status INTEGER,
        signal INTEGER, message VARCHAR
    );
"""
_HAS_PARTS = """
    SELECT 1 FROM duckdb_columns()
    WHERE database_name = current_database() AND schema_name = '_supervisor' AND table_name = 'state'
    AND column_name = 'account'
"""
_PLATFORM_RUNS = f"SELECT {PLATFORM_RUN_COLUMNS} FROM _supervisor.platforms"


def store_run(connection: duckdb.DuckDBPyConnection, record: RunRecord) -> None:
    """Keep a run, in place of what was kept of it before. Raises SinkError."""
    tables = rows_of_run(record)
    try:
        connection.execute(TABLES)
        connection.execute("BEGIN TRANSACTION")
        for table, rows in tables.items():
            connection.execute(f"DELETE FROM _supervisor.{table} WHERE run_id = ?", [record.run_id])
            if rows:
                places = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
                connection.execute(f"INSERT INTO _supervisor.{table} VALUES {places}", list(chain(*rows)))
        connection.execute("COMMIT")
    except duckdb.Error as cause:
        # Without a transaction there is nothing to roll back.
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise SinkError(f"DuckDB refused: {first_line(cause)}") from cause


class DuckDBHistory:
    """A DuckDB file, or its snapshot for readers, open for reading only."""

    def __init__(self, path: Path, snapshot: Path | None = None) -> None:
        _, self._connection = open_for_reading(path, snapshot)

    def platform_runs(self, platform: str | None, last: int) -> tuple[PlatformRun, ...]:
        if platform is not None:
            rows = self._rows(
                f"{_PLATFORM_RUNS} WHERE platform = ? ORDER BY started_at DESC, run_id DESC LIMIT ?", [platform, last]
            )
        else:
            newest = "SELECT run_id FROM _supervisor.runs ORDER BY started_at DESC, run_id DESC LIMIT ?"
            rows = self._rows(
                f"{_PLATFORM_RUNS} WHERE run_id IN ({newest}) ORDER BY started_at DESC, run_id DESC", [last]
            )
        return tuple(map(platform_run, rows))

    def reports(self, run_id: str, most: int = 2) -> tuple[Mapping[str, Any], ...]:
        rows = self._rows(
            "SELECT report FROM _supervisor.runs WHERE starts_with(run_id, ?) "
            "ORDER BY run_id = ? DESC, started_at DESC LIMIT ?",
            [run_id, run_id, most],
        )
        return chosen_reports((row[0] for row in rows), run_id)

    def states(self) -> tuple[StoredState, ...]:
        has_parts = self._rows(_HAS_PARTS, [])
        parts = PARTS if has_parts else "'', '', value"
        return states_of(self._rows(f"SELECT platform, {parts} FROM _supervisor.state", []))

    def close(self) -> None:
        self._connection.close()

    def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except duckdb.CatalogException:
            return []  # a file of an older version, or of another program, has kept nothing
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused: {first_line(cause)}") from cause
