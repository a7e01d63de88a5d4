"""Kept runs as text: each platform's last runs under their trend, and one run whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from supervisor.config.errors import SinkError
from supervisor.config.units import size_text
from supervisor.record.backfill import backfill_of
from supervisor.record.history import NOT_OURS, PlatformRun
from supervisor.report.backfill_text import backfill_text
from supervisor.report.display import counted, printable, sparkline, table

_TREND = 60
_WHOLE = ("completed", "failed", "skipped")


def history_lines(runs: Sequence[PlatformRun]) -> Iterator[str]:
    """`runs`, newest first, as one block per platform: its trend of rows, then a line per run, newest first."""
    by_platform: dict[str, list[PlatformRun]] = {}
    for run in runs:
        by_platform.setdefault(run.platform, []).append(run)
    for number, (platform, own) in enumerate(sorted(by_platform.items())):
        if number:
            yield ""
        trend = [float(run.rows) if _ran(run) else None for run in reversed(own[:_TREND])]
        yield f"{printable(platform)}  {sparkline(trend)}  rows of {counted(len(own), 'run')}, the newest last"
        rows = [
            (
                f"{run.started:%Y-%m-%d %H:%M:%S}Z",
                _status(run),
                f"{run.duration_seconds:,.1f} s",
                counted(run.rows, "row"),
                counted(run.retry_count, "retry") if run.retry_count else "",
                run.run_id,
                printable(run.error_message or ""),
            )
            for run in own
        ]
        yield from (f"  {line}" for line in table(rows, right=frozenset({2, 3})))


def run_lines(report: Mapping[str, Any]) -> list[str]:
    """One kept report, whole. Raises SinkError where it is none, because somebody changed what is kept, say."""
    try:
        return list(_run(report))
    except NOT_OURS as cause:
        raise SinkError(f"what is kept of this run is no report: {type(cause).__name__}: {cause}") from cause


def _run(report: Mapping[str, Any]) -> Iterator[str]:
    summary = report["summary"]
    code = "never finished" if report["finished_at"] is None else f"exit code {report['exit_code']}"
    yield f"Run {report['run_id']}: {code}"
    if report.get("shard"):  # what an earlier release kept has none
        yield f"  shard    {printable(report['shard'])}: its accounts alone"
    if report.get("run_group"):
        yield f"  group    {printable(report['run_group'])}: `supervisor show --group` shows it whole"
    yield f"  started  {report['started_at']}"
    yield f"  ended    {report['finished_at'] or 'not as far as is known: it runs still, or was killed'}"
    yield (
        f"  {summary['completed']} of {summary['total_platforms']} completed, {summary['failed']} failed, "
        f"{summary['skipped']} skipped; {counted(summary['total_rows_processed'], 'row')} "
        f"in {summary['total_duration_seconds']:,.2f} s"
    )
    for platform in report["platforms"]:
        yield ""
        yield from _platform(platform)


def _platform(platform: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{printable(platform['platform_name'])}: {platform['status']}, {counted(platform['rows_processed'], 'row')} "
        f"into {counted(platform['tables_processed'], 'table')} in {platform['duration_seconds']:,.1f} s, "
        f"{counted(platform['retry_count'], 'retry')}"
    )
    if platform["error_message"]:
        yield f"  {printable(platform['error_message'])}"
    totals = platform.get("reconciliation")  # as below
    if totals and totals["differing_days"]:
        days = f"{totals['differing_days']:,} of {counted(totals['compared_days'], 'day')}"
        yield f"  {days} of accounts do not add up to the account's own total"
    api = platform.get("api")  # what an earlier release kept has none
    if api:
        yield f"  API {printable(api['version'])}" + (f", which ends on {api['ends']}" if api["ends"] else "")
    tables = [(printable(name), f"{rows:,}") for name, rows in platform.get("rows_by_table", {}).items()]
    yield from (f"  {line}" for line in table(tables, right=frozenset({1})))
    backfill = backfill_of(platform["attempts"])
    if backfill is not None and backfill.total:
        yield f"  {backfill_text(backfill)}"
    for attempt in platform["attempts"]:
        yield from (f"  {line}" for line in _attempt(attempt))


def _attempt(attempt: Mapping[str, Any]) -> Iterator[str]:
    ended = [f"exit status {attempt['exit_status']}"] if attempt["exit_status"] is not None else []
    ended += [f"signal {attempt['signal']}"] if attempt["signal"] is not None else []
    yield f"attempt {attempt['number']}: {', '.join((attempt['outcome'], *ended))}"
    figures = [
        f"{attempt['duration_seconds']:,.1f} s",
        counted(attempt["rows"], "row"),
        f"peak memory {size_text(attempt['peak_memory_bytes'])}",
        f"{attempt['blocked_on_sink_seconds']:.1f} s blocked on the sink",
    ]
    if attempt.get("api_calls"):
        peak = attempt.get("peak_requests_in_flight")
        at_once = f", up to {peak:,} at once" if peak else ""
        figures.append(f"{counted(attempt['api_calls'], 'API call')}{at_once}")
        figures.append(f"{attempt['throttled_seconds']:.1f} s throttled")
    if attempt.get("accounts"):
        figures.append(f"{attempt['accounts_done']:,} of {counted(attempt['accounts'], 'account')}")
    yield f"  {', '.join(figures)}"
    if attempt["message"]:
        yield f"  {printable(attempt['message'])}"
    for account in attempt["failed_accounts"]:
        yield f"  account {printable(account['account_id'])}: {account['kind']}: {printable(account['message'])}"
    for survivor in attempt["survivors"]:
        yield f"  left behind: {printable(survivor)}"
    if attempt["stderr_tail"] and attempt["outcome"] != "completed":
        yield "  its last lines:"
        yield from (f"    {printable(line)}" for line in attempt["stderr_tail"])


def _ran(run: PlatformRun) -> bool:
    return run.finished and run.status != "skipped"


def _status(run: PlatformRun) -> str:
    """A run that was killed could not say how its platforms ended."""
    return run.status if run.finished or run.status in _WHOLE else "unfinished"
