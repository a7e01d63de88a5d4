"""Many accounts behind a slow API: each pipeline one request at a time, and side by side, in the same run."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from bench.process import ROOT, BenchError, cpu_seconds, environment, has_ended, peak_bytes
from bench.result import Result
from sandbox.manager import Sandbox
from wire.reader import Failure, Reader, Rows, State

ACCOUNTS = 40
LATENCY = "150ms"
TABLES = {
    "google": ("campaign_daily", "ad_daily"),
    "facebook": ("campaign_daily", "ad_daily"),
    "linkedin": ("campaign_daily", "creative_daily"),
    "microsoft": ("campaign_daily", "ad_daily"),
}
"""The two reports of each platform."""
_AIMS = {"google": 6.0, "facebook": 6.0, "linkedin": 5.0, "microsoft": 5.0}
_JOB_SECONDS = {"facebook": "10"}
# Microsoft's number is not published: as many reports at once as are asked for, and with --throttle the sandbox's six.
_UNLIMITED = {"microsoft": {"SANDBOX_MICROSOFT_REPORTS": "1000"}}
NOW = "2026-11-20T12:00:00+00:00"
SINCE = "2026-11-06"
_TIMEOUT = 500.0


@frozen(kw_only=True)
class Night:
    """What one run took, and how many of its calls were refused for their rate."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    calls: int
    refused: int
    rows: int


def measure() -> list[Result]:
    return [result for platform in TABLES for throttled in (False, True) for result in _measure(platform, throttled)]


def night(platform: str, *options: str, limits: Mapping[str, str] | None = None, **settings: Any) -> Night:
    """Run a pipeline once against a sandbox of its own; raises BenchError where it or an account fails."""
    google = {"google": ROOT / ".venvs" / "google" / "bin" / "python"}
    options = ("--size", "agency", "--as-of", NOW, *options)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        Sandbox([platform], options=options, interpreters=google, variables=limits) as sandbox,
    ):
        return _run(platform, Path(name), environment(PIPELINE_NOW=NOW) | sandbox.environment, settings)


def _measure(platform: str, throttled: bool) -> list[Result]:
    paced = ("--accounts", str(ACCOUNTS), "--latency", LATENCY, "--job-seconds", _JOB_SECONDS.get(platform, "0"))
    options = (*paced, "--throttle") if throttled else paced
    limits = None if throttled else _UNLIMITED.get(platform)
    given: dict[str, Any] = {"start_date": SINCE, "tables": TABLES[platform]}
    alone = None if throttled else night(platform, *options, limits=limits, **given, concurrency=1)
    together = night(platform, *options, limits=limits, **given)
    if alone is not None and alone.rows != together.rows:
        raise BenchError(f"{platform}: {alone.rows} rows one by one, {together.rows} side by side")
    faster = (
        f"; {alone.seconds / together.seconds:.1f} × faster than one by one, {alone.seconds:.1f} s" if alone else ""
    )
    return [
        Result(
            name=f"accounts {platform}" + (", throttled" if throttled else ""),
            what=f"`pipeline-{platform}`, {ACCOUNTS} accounts × 2 reports of 15 days, answers after {LATENCY}"
            + (", with the limits that the platform documents" if throttled else ""),
            figure=f"{together.seconds:.1f} s, {together.calls:,} calls, {together.refused} refused{faster}",
            aim="≤ 2 % refused" if throttled else f"≥ {_AIMS[platform]:g} × faster",
            peak_bytes=together.peak_bytes,
            cpu_seconds=together.cpu_seconds,
            note="one run",
        )
    ]


def _run(platform: str, directory: Path, variables: Mapping[str, str], settings: Mapping[str, Any]) -> Night:
    (directory / "settings.json").write_text(json.dumps(settings))
    program = ROOT / ".venvs" / platform / "bin" / f"pipeline-{platform}"
    command = [str(program), "--config", str(directory / "settings.json")]
    output, log = directory / "output", directory / "log"
    began = time.perf_counter()
    with output.open("wb") as lines, log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=directory, env=dict(variables), stdin=subprocess.DEVNULL, stdout=lines, stderr=said
        )
    peak = 0
    try:
        while not has_ended(process.pid):
            peak = max(peak, peak_bytes(process.pid))
            if time.perf_counter() - began > _TIMEOUT:
                raise BenchError(f"{platform} did not end within {_TIMEOUT:g} s")
            time.sleep(0.05)
        seconds, cpu = time.perf_counter() - began, cpu_seconds(process.pid)
    finally:
        if process.poll() is None:
            process.kill()
        status = process.wait()
    text = log.read_text()
    if status:
        raise BenchError(f"{platform} ended with {status}: {text[-1000:]}")
    return Night(
        seconds=seconds,
        cpu_seconds=cpu,
        peak_bytes=peak,
        calls=_metric(text, "http_request_count"),
        refused=_metric(text, "http_retry_count", "rate_limit"),
        rows=_rows(platform, output),
    )


def _metric(log: str, name: str, reason: str | None = None) -> int:
    """The sum of a metric's points in a log, of one reason where it is given."""
    points = (json.loads(found) for found in re.findall(r"METRIC: (\{.*\})", log))
    values = [
        point["value"]
        for point in points
        if point["metric"] == name and (reason is None or point["tags"].get("reason") == reason)
    ]
    return int(sum(values))


def _rows(platform: str, output: Path) -> int:
    """Rows whose regions were finished; raises BenchError for an account that failed."""
    reader, rows, waiting = Reader(), 0, 0
    for event in reader.feed(output.read_bytes()):
        if isinstance(event, Rows):
            waiting += event.count
        elif isinstance(event, State):
            rows, waiting = rows + waiting, 0
        elif isinstance(event, Failure):
            raise BenchError(f"{platform} reports: {event.error.message}")
    reader.finish()
    return rows
