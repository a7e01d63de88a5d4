"""The record of a run as JSON, CSV and HTML, written whole or not at all, and as the summary that ends the log."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from pathlib import Path
from typing import Any

from supervisor.config.errors import ReportError
from supervisor.record.as_json import PLATFORM_FIELDS, json_report, rounded
from supervisor.record.readers import report_mode
from supervisor.record.run_record import ExecutionSummary, RunRecord
from supervisor.record.whole_file import replace_file

FORMATS = ("json", "csv", "html")
_LINE = "=" * 60
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


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


def csv_report(record: RunRecord) -> str:
    """One line per platform under a header line."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow((*PLATFORM_FIELDS, "run_id"))
    for platform in record.platforms:
        values = (_no_formula(rounded(getattr(platform, column))) for column in PLATFORM_FIELDS)
        lines.writerow((*values, record.run_id))
    return text.getvalue()


def _no_formula(value: Any) -> Any:
    """A text that a spreadsheet would compute gets a quote in front, which spreadsheets hide."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


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
        from supervisor.report.page.document import html_report  # noqa: PLC0415 - its sections read the functions of this module

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
        replace_file(path, content, mode=report_mode())


def _is_special(path: Path) -> bool:
    """Whether `path` is a pipe or a device such as /dev/stdout, which is written to and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
