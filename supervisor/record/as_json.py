"""The record of a run as one JSON object: what a report holds, and what a sink keeps of each run."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sys
from typing import Any

import attrs

from supervisor.record.outcome import AttemptResult
from supervisor.record.reconciliation import METRICS, Difference, Reconciliation
from supervisor.record.run_record import PlatformRecord, RunRecord
from wire.checking import Api

PLATFORM_FIELDS = (
    "platform_name",
    "status",
    "duration_seconds",
    "rows_processed",
    "tables_processed",
    "retry_count",
    "error_message",
)
MOST_DIFFERENCES = 100
"""Days that do not add up, in a report."""
_SAMPLE = re.compile(r"\[\n\s+([0-9.]+),\n\s+([0-9.]+),\n\s+([0-9.]+)\n\s+\]")


def json_report(record: RunRecord) -> str:
    """The whole record as one JSON object; times are ISO 8601 in UTC, durations seconds, sizes bytes."""
    report = {
        "run_id": record.run_id,
        "run_group": record.run_group,
        "shard": str(record.shard) if record.shard else None,
        "started_at": _time(record.started),
        "finished_at": _time(record.finished),
        "exit_code": record.exit_code,
        "summary": {name: rounded(value) for name, value in attrs.asdict(record.summary).items()},
        "platforms": [_platform(platform) for platform in record.platforms],
    }
    # A sample takes one line. Text holds no raw newline in JSON, so nothing else can look like one.
    return _SAMPLE.sub(r"[\1, \2, \3]", json.dumps(report, indent=2, ensure_ascii=False)) + "\n"


def _platform(platform: PlatformRecord) -> dict[str, Any]:
    return {
        **{column: rounded(getattr(platform, column)) for column in PLATFORM_FIELDS},
        "started_at": _time(platform.started),
        "ended_at": _time(platform.ended),
        "api": _api(platform.api),
        "reconciliation": reconciliation_as_json(platform.reconciliation),
        "rows_by_table": platform.rows_by_table,
        "rows_by_account": platform.rows_by_account,
        "failed_accounts": [attrs.asdict(account) for account in platform.failed_accounts],
        "attempts": [_attempt(attempt) for attempt in platform.attempts],
    }


def _api(api: Api | None) -> dict[str, Any] | None:
    if api is None:
        return None
    return {"version": api.version, "ends": api.ends.isoformat() if api.ends else None, "source": api.source}


def reconciliation_as_json(found: Reconciliation | None) -> dict[str, Any] | None:
    """The days that were compared, and those that do not add up; None where none were."""
    if found is None:
        return None
    return {
        "compared_days": found.compared,
        "differing_days": found.differing,
        "worst_ratios": {metric: found.worst_ratio(metric) for metric in METRICS},
        "differences": [_difference(each) for each in found.differences[:MOST_DIFFERENCES]],
        "reports": {name: reconciliation_as_json(each) for name, each in found.reports.items()},
    }


def _difference(each: Difference) -> dict[str, Any]:
    """Amounts as text, because JSON's numbers would not keep them exactly."""
    return {
        "account_id": each.account_id,
        "date": each.day.isoformat(),
        "account": {metric: f"{each.account[metric]:f}" for metric in METRICS},
        "campaigns": {metric: f"{each.campaigns[metric]:f}" for metric in METRICS},
    }


def _attempt(attempt: AttemptResult) -> dict[str, Any]:
    fields = {field.name: getattr(attempt, field.name) for field in attrs.fields(AttemptResult)}
    del fields["platform"], fields["started"]
    return {
        **{name: rounded(value) for name, value in fields.items()},
        "started_at": _time(attempt.started),
        "tables": attempt.tables,
        "rows_by_table": dict(attempt.rows_by_table),
        "rows_by_account": {table: dict(rows) for table, rows in attempt.rows_by_account.items()},
        "failed_accounts": [attrs.asdict(account) for account in attempt.failed_accounts],
    }


def _time(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def rounded(value: Any) -> Any:
    """A float with the three digits that a report shows, and never infinite: JSON has no word for that."""
    if not isinstance(value, float):
        return value
    return round(value, 3) if math.isfinite(value) else math.copysign(sys.float_info.max, value)
