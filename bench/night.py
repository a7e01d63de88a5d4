"""A whole night: the four real pipelines through `supervisor run`, all tables, and the longest chain that limits allow.

What no program can shorten is a chain of waits: of requests, as many at a time as `concurrency` allows, and of report
jobs, as many at a time as the platform makes. `chain` computes it; what the run took beside it is what we cost.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.chain import JOB_SECONDS, LIMITS, chain
from bench.process import ROOT, BenchError, Finished, environment, run
from bench.result import Result
from bench.supervised import SUPERVISOR
from sandbox.manager import Sandbox
from supervisor.record.bookmarks import bookmarks
from supervisor.record.history import StoredState
from supervisor.sinks.duckdb.history import DuckDBHistory
from wire.days import Window

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "40"))
"""Of each platform. Chains grow with them in proportion; 200 take an hour, as Microsoft makes six reports at once."""
DAYS = 31
LATENCY = 0.15
_NOW = "2026-11-20T12:00:00+00:00"
_TIMEOUT = 3000.0


def measure() -> list[Result]:
    options = (
        *("--size", "agency", "--accounts", str(ACCOUNTS), "--as-of", _NOW),
        *("--latency", f"{LATENCY}s", "--job-seconds", f"{JOB_SECONDS:g}"),
    )
    google = {"google": ROOT / ".venvs" / "google" / "bin" / "python"}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        Sandbox(options=options, interpreters=google) as sandbox,
    ):
        directory = Path(name)
        _configure(directory)
        variables = environment(PIPELINE_NOW=_NOW) | sandbox.environment
        finished = run([str(SUPERVISOR), "run"], directory=directory, variables=variables, timeout=_TIMEOUT)
        return _results(directory, finished)


def _configure(directory: Path) -> None:
    start = "2026-10-21"
    platforms = [{"name": each, "timeout": _TIMEOUT, "settings": {"start_date": start}} for each in LIMITS]
    config = {"orchestrator": {"max_parallel": len(LIMITS), "global_timeout": _TIMEOUT}, "platforms": platforms}
    (directory / "orchestrator_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")


def _results(directory: Path, finished: Finished) -> list[Result]:
    parts = json.loads((directory / "execution_report.json").read_text())["platforms"]
    jobs = _jobs(directory / "social_ads.duckdb")
    chains = {
        part["platform_name"]: chain(
            LIMITS[part["platform_name"]], calls=_calls(part), jobs=jobs[part["platform_name"]], accounts=ACCOUNTS,
            latency=LATENCY,
        )
        for part in parts
    }  # fmt: skip
    longest = max(chains, key=lambda name: chains[name])
    results = [
        Result(
            name="night",
            what=f"`supervisor run`, four platforms × {ACCOUNTS} accounts, all tables, {DAYS} days, answers after "
            f"{LATENCY * 1000:g} ms, jobs of {JOB_SECONDS:g} s",
            figure=f"{finished.seconds:.1f} s, {finished.seconds / chains[longest]:.2f} × the longest chain "
            f"({longest}, {chains[longest]:.1f} s)",
            aim="≤ 1.5 × the longest chain",
            peak_bytes=finished.peak_bytes,
            cpu_seconds=finished.cpu_seconds,
            note="one run",
        )
    ]
    return results + [_of_platform(part, chains[part["platform_name"]], jobs[part["platform_name"]]) for part in parts]


def _of_platform(part: Mapping[str, Any], least: float, jobs: int) -> Result:
    if part["failed_accounts"] or part["status"] != "completed":
        raise BenchError(f"{part['platform_name']}: {part['status']}, {part['failed_accounts']}")
    (attempt,) = part["attempts"]
    made = f", {jobs:,} reports" if LIMITS[part["platform_name"]].jobs else ""
    return Result(
        name=f"night, {part['platform_name']}",
        what="its part of that night, the four side by side on two cores",
        figure=f"{attempt['duration_seconds']:.1f} s; {_calls(part):,} calls{made}; the chain takes {least:.1f} s",
        peak_bytes=attempt["peak_memory_bytes"],
        cpu_seconds=attempt["cpu_seconds"],
        note=f"{part['rows_processed']:,} rows",
    )


def _calls(part: Mapping[str, Any]) -> int:
    return sum(int(attempt["api_calls"]) for attempt in part["attempts"])


def _jobs(database: Path) -> dict[str, int]:
    """Platform -> how many windows of daily tables were asked for, each a report job where the platform has such."""
    history = DuckDBHistory(database)
    try:
        return {state.platform: _windows(state) for state in history.states()}
    finally:
        history.close()


def _windows(state: StoredState) -> int:
    limits = LIMITS[state.platform]
    marks = [mark for mark in bookmarks(state.value) or () if mark.table not in limits.together]
    found = [(mark.table, Window(*map(dt.date.fromisoformat, each))) for mark in marks for each in mark.complete]
    # Today is asked for with the days before it and is never complete.
    return sum(-(-(len(window) + 1) // (DAYS if of in limits.monthly else limits.window_days)) for of, window in found)
