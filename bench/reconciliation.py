"""The days that a run has loaded, held against the accounts' own totals, in a file that holds a year of them."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import duckdb

from bench.process import BenchError
from bench.result import Result
from supervisor.sinks.duckdb.sink import DuckDBSink

ACCOUNTS, DAYS, CAMPAIGNS, OLDER_DAYS = 200, 31, 50, 334
RUNS = 5
_LAST_DAY = "DATE '2026-11-20'"
_COLUMNS = """
    'c' || account AS account_id, {last} - CAST({day} AS INTEGER) AS date, {campaign}
    CAST({n} * (100 + account) AS BIGINT) AS impressions, CAST({n} * 7 AS BIGINT) AS clicks,
    CAST({n} * 1.25 AS DECIMAL(38,18)) AS cost, true AS is_final,
    CASE WHEN {day} < {days} THEN 'run-new' ELSE 'run-' || {day} END AS _run_id
"""


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        path = Path(name) / "social_ads.duckdb"
        _fill(path)
        sink = DuckDBSink(path)
        try:
            seconds = [_asked(sink) for _ in range(RUNS)]
        finally:
            sink.close()
    return [
        Result(
            name="reconciliation",
            what=f"{ACCOUNTS} accounts × {DAYS} days × {CAMPAIGNS} campaigns of one run, in a DuckDB file of "
            f"{OLDER_DAYS + DAYS} days, held against the accounts' own totals",
            figure=f"{statistics.median(seconds):.2f} s",
            aim="≤ 1 s",
            peak_bytes=0,
            cpu_seconds=0.0,
            note=f"median of {RUNS}, the slowest {max(seconds):.2f} s",
        )
    ]


def _fill(path: Path) -> None:
    """Two tables as runs leave them: older days first, the new run's last; one campaign of the new ones is missing."""
    days = f"range({OLDER_DAYS + DAYS - 1}, -1, -1) d(day), range({ACCOUNTS}) a(account)"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA google")
        for table, campaign, n, source in (
            ("account_daily", "", CAMPAIGNS, days),
            ("campaign_daily", "'k' || campaign AS campaign_id,", 1, f"{days}, range({CAMPAIGNS}) c(campaign)"),
        ):
            columns = _COLUMNS.format(last=_LAST_DAY, day="d.day", days=DAYS, campaign=campaign, n=n)
            connection.execute(f"CREATE TABLE google.{table} AS SELECT {columns} FROM {source}")
        connection.execute(
            f"DELETE FROM google.campaign_daily WHERE account_id = 'c7' AND date = {_LAST_DAY} AND campaign_id = 'k3'"
        )


def _asked(sink: DuckDBSink) -> float:
    started = time.perf_counter()
    found = sink.reconcile_run("google", "run-new", ())
    seconds = time.perf_counter() - started
    if found is None or (found.compared, found.differing) != (ACCOUNTS * DAYS, 1):
        raise BenchError(f"{ACCOUNTS * DAYS:,} days were to be compared, and one to differ; it was {found}")
    return seconds
