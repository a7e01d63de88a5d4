"""The runs of a group as text: a line per shard, what failed in it, and each platform over all shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from supervisor.config.errors import SinkError
from supervisor.record.history import NOT_OURS
from supervisor.record.run_group import RunGroup, ShardRun
from supervisor.report.display import counted, printable, table


def group_lines(group: RunGroup) -> list[str]:
    """The whole group. Raises SinkError where what is kept is no report."""
    try:
        return list(_lines(group))
    except NOT_OURS as cause:
        raise SinkError(
            f"what is kept of the group {group.name!r} is no report: {type(cause).__name__}: {cause}"
        ) from cause


def _lines(group: RunGroup) -> Iterator[str]:
    complete = sum(run.is_complete for run in group.runs)
    rows = sum(run.report["summary"]["total_rows_processed"] for run in group.runs if run.report)
    yield f"Group {group.name}: {complete} of {counted(len(group.runs), 'shard')} complete, {counted(rows, 'row')}"
    yield from (f"  {line}" for line in table([_line(run) for run in group.runs], right=frozenset({2, 3})))
    for run in group.runs:
        for part in _parts(run):
            if part["status"] != "completed":
                told = printable(part["error_message"] or "")
                yield f"  {run.shard} {printable(part['platform_name'])} {part['status']}{f': {told}' if told else ''}"
    yield from _platforms(group)


def _line(run: ShardRun) -> tuple[str, ...]:
    report = run.report
    if report is None:
        return str(run.shard), "no run is kept of it", "", "", ""
    ended = "runs still, or was killed" if report["finished_at"] is None else f"exit code {report['exit_code']}"
    summary = report["summary"]
    seconds = f"{summary['total_duration_seconds']:,.1f} s"
    return str(run.shard), ended, seconds, counted(summary["total_rows_processed"], "row"), report["run_id"]


def _platforms(group: RunGroup) -> Iterator[str]:
    names = dict.fromkeys(part["platform_name"] for run in group.runs for part in _parts(run))
    for name in names:
        parts = [part for run in group.runs for part in _parts(run) if part["platform_name"] == name]
        completed = sum(part["status"] == "completed" for part in parts)
        rows = sum(part["rows_processed"] for part in parts)
        yield f"{printable(name)}: completed by {completed} of {counted(len(parts), 'shard')}, {counted(rows, 'row')}"


def _parts(run: ShardRun) -> list[Mapping[str, Any]]:
    return list(run.report["platforms"]) if run.report is not None else []
