"""The runs in a DuckDB file: `_supervisor.runs`, `_supervisor.platforms` and `_supervisor.attempts`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from supervisor.errors import SinkError
from supervisor.history import PlatformRun, StoredState, kept_report
from supervisor.monitor import RunRecord
from supervisor.sinks.duckdb.reading import open_for_reading
from supervisor.sinks.staging import first_line

_TABLES = """
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
_PLATFORM_RUNS = """
    SELECT run_id, platform, status, started_at, duration_seconds, rows_processed, retry_count, error_message, finished
    FROM _supervisor.platforms
"""


def store_run(connection: duckdb.DuckDBPyConnection, record: RunRecord) -> None:
    """Keep a run, in place of what was kept of it before. Raises SinkError."""
    tables = {"runs": [_run_row(record)], "platforms": _platform_rows(record), "attempts": _attempt_rows(record)}
    try:
        connection.execute(_TABLES)
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
        return tuple(
            PlatformRun(
                run_id=row[0], platform=row[1], status=row[2], started=row[3].replace(tzinfo=dt.UTC),
                duration_seconds=row[4], rows=row[5], retry_count=row[6], error_message=row[7], finished=row[8],
            )
            for row in rows
        )  # fmt: skip

    def reports(self, run_id: str) -> tuple[Mapping[str, Any], ...]:
        rows = self._rows(
            "SELECT report FROM _supervisor.runs WHERE starts_with(run_id, ?) "
            "ORDER BY run_id = ? DESC, started_at DESC LIMIT 2",
            [run_id, run_id],
        )
        found = tuple(json.loads(row[0]) for row in rows)
        return found[:1] if found and found[0]["run_id"] == run_id else found

    def states(self) -> tuple[StoredState, ...]:
        rows = self._rows("SELECT platform, value FROM _supervisor.state ORDER BY platform", [])
        return tuple(StoredState(platform=row[0], value=row[1]) for row in rows)

    def close(self) -> None:
        self._connection.close()

    def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except duckdb.CatalogException:
            return []  # a file of an older version, or of another program, has kept nothing
        except duckdb.Error as cause:
            raise SinkError(f"DuckDB refused: {first_line(cause)}") from cause


def _run_row(record: RunRecord) -> list[Any]:
    summary = record.summary
    return [
        *(record.run_id, _utc(record.started), _utc(record.finished), record.exit_code),
        *(summary.total_platforms, summary.completed, summary.failed, summary.skipped, summary.success_rate),
        *(summary.total_rows_processed, summary.total_duration_seconds),
        json.dumps(kept_report(record), ensure_ascii=False),
    ]


def _platform_rows(record: RunRecord) -> list[list[Any]]:
    return [
        [
            *(record.run_id, p.platform_name, p.status.value, _utc(p.started or record.started), p.duration_seconds),
            *(p.rows_processed, p.tables_processed, p.retry_count, p.error_message, record.finished is not None),
        ]
        for p in record.platforms
    ]


def _attempt_rows(record: RunRecord) -> list[list[Any]]:
    return [
        [
            *(record.run_id, a.platform, a.number, a.outcome.value, _utc(a.started), a.duration_seconds),
            *(a.rows, a.tables, a.bytes_read, a.peak_memory_bytes, a.blocked_on_sink_seconds),
            *(a.exit_status, a.signal, a.message),
        ]
        for p in record.platforms
        for a in p.attempts
    ]


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    """As a TIMESTAMP column takes it."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment else None
