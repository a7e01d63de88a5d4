"""The rows of `_supervisor.runs`, `_supervisor.platforms` and `_supervisor.attempts`, in the order of their columns.

The same for every database that keeps runs in tables.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from supervisor.record.history import PlatformRun, kept_report
from supervisor.record.run_record import RunRecord

PLATFORM_RUN_COLUMNS = (
    "run_id, platform, status, started_at, duration_seconds, rows_processed, retry_count, error_message, finished"
)


def rows_of_run(record: RunRecord) -> dict[str, list[list[Any]]]:
    """The rows of each table, by its name."""
    return {"runs": [_run_row(record)], "platforms": _platform_rows(record), "attempts": _attempt_rows(record)}


def chosen_reports(texts: Iterable[str], run_id: str) -> tuple[Mapping[str, Any], ...]:
    """Of the reports whose ids begin with `run_id`, an exact match first: that one alone, or all."""
    found = tuple(json.loads(text) for text in texts)
    return found[:1] if found and found[0]["run_id"] == run_id else found


def _run_row(record: RunRecord) -> list[Any]:
    """The last value is the report, as JSON text."""
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


def platform_run(row: Sequence[Any]) -> PlatformRun:
    """From a row of PLATFORM_RUN_COLUMNS; its time is UTC without saying so."""
    return PlatformRun(
        run_id=row[0],
        platform=row[1],
        status=row[2],
        started=row[3].replace(tzinfo=dt.UTC),
        duration_seconds=row[4],
        rows=row[5],
        retry_count=row[6],
        error_message=row[7],
        finished=row[8],
    )


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    """As a TIMESTAMP column takes it."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment else None
