"""The record of a run as JSON, CSV and HTML, written whole or not at all, and as the summary that ends the log."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import attrs

from supervisor.errors import ReportError
from supervisor.monitor import ExecutionSummary, PlatformRecord, RunRecord
from supervisor.outcome import AttemptResult
from supervisor.whole_file import replace_file

FORMATS = ("json", "csv", "html")
_LINE = "=" * 60
_SAMPLE = re.compile(r"\[\n\s+([0-9.]+),\n\s+([0-9.]+),\n\s+([0-9.]+)\n\s+\]")
_COLUMNS = (
    "platform_name",
    "status",
    "duration_seconds",
    "rows_processed",
    "tables_processed",
    "retry_count",
    "error_message",
)


def summary_text(summary: ExecutionSummary) -> str:
    """The block that ends a run's log."""
    return "\n".join(
        (
            _LINE,
            "Execution Summary",
            _LINE,
            f"Total Platforms:    {summary.total_platforms}",
            f"Completed:          {summary.completed}",
            f"Failed:             {summary.failed}",
            f"Skipped:            {summary.skipped}",
            f"Success Rate:       {summary.success_rate:.1f}%",
            f"Total Rows:         {summary.total_rows_processed:,}",
            f"Total Duration:     {summary.total_duration_seconds:.2f}s",
            _LINE,
        )
    )


def json_report(record: RunRecord) -> str:
    """The whole record as one JSON object; times are ISO 8601 in UTC, durations seconds, sizes bytes."""
    report = {
        "run_id": record.run_id,
        "started_at": _time(record.started),
        "finished_at": _time(record.finished),
        "exit_code": record.exit_code,
        "summary": {name: _rounded(value) for name, value in attrs.asdict(record.summary).items()},
        "platforms": [_platform(platform) for platform in record.platforms],
    }
    # A sample takes one line. Text holds no raw newline in JSON, so nothing else can look like one.
    return _SAMPLE.sub(r"[\1, \2, \3]", json.dumps(report, indent=2, ensure_ascii=False)) + "\n"


def csv_report(record: RunRecord) -> str:
    """One line per platform under a header line."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow((*_COLUMNS, "run_id"))
    for platform in record.platforms:
        lines.writerow((*(_rounded(getattr(platform, column)) for column in _COLUMNS), record.run_id))
    return text.getvalue()


def write_report(record: RunRecord, report_format: str, path: Path) -> None:
    """Write the report so that `path` holds the old one or the whole new one; raises ReportError."""
    if report_format not in FORMATS:
        raise ReportError(f"a report is written as {', '.join(FORMATS)}, not as {report_format!r}")
    text = _text(record, report_format)
    try:
        # Half a character, which a library's message may hold, is an escape in JSON and no text elsewhere.
        _write(path, text.encode(errors="backslashreplace"))
    except OSError as cause:
        raise ReportError(f"the report cannot be written to {path}: {cause.strerror or cause}") from cause


def _text(record: RunRecord, report_format: str) -> str:
    if report_format == "html":
        from supervisor.html.page import html_report  # noqa: PLC0415 - its sections read the functions of this module

        try:
            return html_report(record)
        except Exception as cause:  # no page is worth the end of a run whose rows are loaded
            raise ReportError(f"a bug in the page: {type(cause).__name__}: {cause}") from cause
    return json_report(record) if report_format == "json" else csv_report(record)


def check_report_path(path: Path) -> str | None:
    """What will keep a report from being written to `path`, as a sentence, or None. Leaves nothing behind."""
    try:
        if path.is_dir():
            return f"the report cannot be written to {path}: it is a directory"
        if not _is_special(path):
            path = path.resolve()
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
                pass
        elif not os.access(path, os.W_OK):
            return f"the report cannot be written to {path}: Permission denied"
    except (OSError, RuntimeError) as cause:
        return f"the report cannot be written to {path}: {getattr(cause, 'strerror', None) or cause}"
    return None


def _write(path: Path, content: bytes) -> None:
    if _is_special(path):
        path.write_bytes(content)
    else:
        replace_file(path, content)


def _is_special(path: Path) -> bool:
    """Whether `path` is a pipe or a device such as /dev/stdout, which is written to and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _platform(platform: PlatformRecord) -> dict[str, Any]:
    return {
        **{column: _rounded(getattr(platform, column)) for column in _COLUMNS},
        "started_at": _time(platform.started),
        "ended_at": _time(platform.ended),
        "rows_by_table": rows_by_table(platform),
        "rows_by_account": rows_by_account(platform),
        "failed_accounts": [attrs.asdict(account) for account in _last_failures(platform)],
        "attempts": [_attempt(attempt) for attempt in platform.attempts],
    }


def rows_by_table(platform: PlatformRecord) -> dict[str, int]:
    """Table -> rows committed by all attempts."""
    total: dict[str, int] = {}
    for attempt in platform.attempts:
        for table, rows in attempt.rows_by_table.items():
            total[table] = total.get(table, 0) + rows
    return dict(sorted(total.items()))


def rows_by_account(platform: PlatformRecord) -> dict[str, dict[str, int]]:
    """Table -> account -> rows committed by all attempts; of tables that a pipeline loads account by account."""
    total: dict[str, Counter[str]] = {}
    for attempt in platform.attempts:
        for table, rows in attempt.rows_by_account.items():
            total.setdefault(table, Counter()).update(rows)
    return {table: dict(sorted(rows.items())) for table, rows in sorted(total.items())}


def _last_failures(platform: PlatformRecord) -> tuple[Any, ...]:
    """The accounts that the last attempt gave up: one that an earlier attempt gave up may have been mended since."""
    return platform.attempts[-1].failed_accounts if platform.attempts else ()


def _attempt(attempt: AttemptResult) -> dict[str, Any]:
    fields = {field.name: getattr(attempt, field.name) for field in attrs.fields(AttemptResult)}
    del fields["platform"], fields["started"]
    return {
        **{name: _rounded(value) for name, value in fields.items()},
        "started_at": _time(attempt.started),
        "tables": attempt.tables,
        "rows_by_table": dict(attempt.rows_by_table),
        "rows_by_account": {table: dict(rows) for table, rows in attempt.rows_by_account.items()},
        "failed_accounts": [attrs.asdict(account) for account in attempt.failed_accounts],
    }


def _time(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
