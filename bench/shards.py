"""One night in shards: what they write side by side into one Vertica, and what is left of the wait for a slow API."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench import regions, storages
from bench.accounts import LATENCY, NOW, SINCE, TABLES
from bench.process import ROOT, BenchError, environment
from bench.result import Result, per_second
from bench.supervised import SUPERVISOR
from sandbox.manager import Sandbox
from sandbox.world import World
from wire.shards import Shard

_COUNTS = (1, 2, 4, 8)
_WRITTEN = 800
_ASKED = 200
_AT_ONCE = {"google": 1, "microsoft": 2, "facebook": 2, "linkedin": 2}
"""Requests of one shard; Google needs a third of the others' and would be over before the shards have begun."""
_MOST = {"microsoft": 10}
"""What the pipeline allows all shards together."""
_SECONDS = 600.0


def measure() -> list[Result]:
    return [*_writers(), *(result for platform in TABLES for result in waiting(platform))]


def _writers() -> list[Result]:
    """The regions of `bench.agency`, from N pipelines at once."""
    rows = _WRITTEN * regions.DAYS * len(regions.TABLES)
    command = [sys.executable, regions.__file__, "--accounts", str(_WRITTEN)]
    platform = {"name": "agency", "command": command, "timeout": _SECONDS, "shards": True}
    took, waits = {}, {}
    for count in _COUNTS:
        with tempfile.TemporaryDirectory(prefix="bench-") as name, storages.vertica(Path(name)) as storage:
            took[count], told = _night(Path(name), count, platform, storage.variables)
            waits[count] = "{:,} waits for locks of {:.1f} s in all".format(*storage.waits())
        if told != rows:
            raise BenchError(f"{count} shards loaded {told:,} rows of {rows:,}")
    figures = "; ".join(
        f"{count}: {seconds:.1f} s, {per_second(rows, seconds)}, {waits[count]}" for count, seconds in took.items()
    )
    return [
        Result(
            name="shards, vertica",
            what=f"{_WRITTEN} accounts × {len(regions.TABLES)} tables × {regions.DAYS} rows by so many shards at once, "
            f"into {storage.where}",
            figure=figures, peak_bytes=0, cpu_seconds=0.0, note="one run each; all share the cores of this machine",
        )
    ]  # fmt: skip


def waiting(platform: str) -> list[Result]:
    """The reports of `bench.accounts`, a few requests at a time in each shard."""
    took, calls = {}, {}
    google = {"google": ROOT / ".venvs" / "google" / "bin" / "python"}
    for count in _COUNTS:
        options = ("--size", "agency", "--as-of", NOW, "--accounts", str(_ASKED), "--latency", LATENCY)
        shared = min(_AT_ONCE[platform] * count, _MOST.get(platform, 100))
        settings = {"start_date": SINCE, "tables": TABLES[platform], "concurrency": shared}
        configured = {"name": platform, "timeout": _SECONDS, "settings": settings}
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as name,
            Sandbox([platform], options=options, interpreters=google) as sandbox,
        ):
            variables = {**sandbox.environment, "PIPELINE_NOW": NOW, "STORAGE_TYPE": "none"}
            took[count], calls[count] = _night(Path(name), count, configured, variables, counted="api_calls")
    alone = took[1]
    figures = "; ".join(
        f"{count}: {seconds:.1f} s, {calls[count]:,} calls, efficiency {alone / count / seconds:.2f} of "
        f"{_at_best(platform, count):.2f}"
        for count, seconds in took.items()
    )
    return [
        Result(
            name=f"shards, waiting for {platform}",
            what=f"{_ASKED} accounts × 2 reports of 15 days by so many shards, answers after {LATENCY}, "
            f"{_AT_ONCE[platform]} requests at once in each; at best as long as the shard with the most accounts",
            figure=figures, aim="≥ 0.8 at 4", peak_bytes=0, cpu_seconds=0.0, note="one run each",
        )
    ]  # fmt: skip


def _at_best(platform: str, count: int) -> float:
    """The efficiency that is left where accounts fall to shards by their hash, and not evenly."""
    accounts = World.at(dt.datetime.fromisoformat(NOW), "agency", accounts=_ASKED).accounts(platform)
    shares = [sum(Shard(index, count).has(each.id) for each in accounts) for index in range(count)]
    return len(accounts) / count / max(shares)


def _night(
    directory: Path, count: int, platform: Mapping[str, Any], variables: Mapping[str, str], *, counted: str = "rows"
) -> tuple[float, int]:
    """Seconds from the first start to the last end of all shards, and the sum of what their attempts have `counted`."""
    config = yaml.safe_dump({"platforms": [dict(platform)]})
    (directory / "orchestrator_config.yml").write_text(config, encoding="utf-8")
    shards = [Shard(index, count) for index in range(count)]
    began = time.perf_counter()
    runs = [
        subprocess.Popen(
            [str(SUPERVISOR), "run", "--shard", str(shard)], cwd=directory,
            env=environment(**variables, RUN_GROUP="bench"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for shard in shards
    ]  # fmt: skip
    try:
        statuses = [run.wait(_SECONDS) for run in runs]
        seconds = time.perf_counter() - began
    finally:
        for run in runs:
            run.kill()
            run.wait()
    if any(statuses):
        raise BenchError(f"{count} shards ended with {statuses}")
    reports = [json.loads((directory / f"execution_report.{shard.label}.json").read_text()) for shard in shards]
    return seconds, sum(sum(each[counted] for each in report["platforms"][0]["attempts"]) for report in reports)
