"""The real pipelines with their real SDKs against the big sandbox; their output is checked, counted and dropped."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from bench.process import ROOT, BenchError, cpu_seconds, environment, has_ended, peak_bytes
from bench.result import Result, per_second
from sandbox.manager import Sandbox
from wire.reader import Failure, Reader, Rows, State

_NOW = "2026-11-20T12:00:00+00:00"
# From which day each one loads, so that none takes much longer than half a minute.
_SINCE = {"google": "2026-10-24", "microsoft": "2026-11-07", "facebook": "2026-11-07", "linkedin": "2026-09-25"}
_AIMS = {"google": "≥ 150,000 rows per CPU-s"}
_BLOCK_BYTES = 1024 * 1024
_LOOK_SECONDS = 0.1


def measure() -> list[Result]:
    return [_measure(platform, since) for platform, since in _SINCE.items()]


@frozen
class Pull:
    """What one run of a pipeline sent, and what it took."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def pull(platform: str, settings: Mapping[str, Any]) -> Pull:
    """Run the pipeline to its end against the big sandbox; raises BenchError where it does not do what it should."""
    google = {"google": ROOT / ".venvs" / "google" / "bin" / "python"}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        Sandbox([platform], options=("--size", "big", "--as-of", _NOW), interpreters=google) as sandbox,
    ):
        directory = Path(name)
        given = directory / "settings.json"
        given.write_text(json.dumps(settings))
        variables = environment(PIPELINE_NOW=_NOW) | sandbox.environment
        started = time.perf_counter()
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(ROOT / ".venvs" / platform / "bin" / f"pipeline-{platform}"), "--config", str(given)],
                cwd=directory, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        try:
            assert process.stdout is not None
            count, peak = _drain(process.stdout.fileno(), process.pid)
            seconds = time.perf_counter() - started
            while not has_ended(process.pid):
                time.sleep(_LOOK_SECONDS)
            cpu = cpu_seconds(process.pid)
        finally:
            if process.poll() is None:
                process.kill()
            status = process.wait()
        if status or not count:
            raise BenchError(
                f"{platform} sent {count} rows and ended with {status}: {(directory / 'log').read_text()[-1000:]}"
            )
    return Pull(count, seconds, cpu, peak)


def _measure(platform: str, since: str) -> Result:
    made = pull(platform, {"start_date": since})
    rate = per_second(made.rows, made.seconds)
    return Result(
        name=f"pipeline {platform}",
        what=f"`pipeline-{platform}` from {since} against the big sandbox: {made.rows:,} rows",
        figure=f"{made.rows / made.cpu_seconds:,.0f} rows per CPU-s; {rate}, sandbox included",
        aim=_AIMS.get(platform, ""),
        peak_bytes=made.peak_bytes,
        cpu_seconds=made.cpu_seconds,
        note="one run",
    )


def _drain(descriptor: int, pid: int) -> tuple[int, int]:
    """Read to the end; how many rows came and the process's peak memory. A region must have the rows it announces."""
    reader, count, peak, next_look = Reader(), 0, 0, 0.0
    pending: dict[str, int] = {}
    while block := os.read(descriptor, _BLOCK_BYTES):
        for event in reader.feed(block):
            if isinstance(event, Rows):
                pending[event.stream] = pending.get(event.stream, 0) + event.count
                count += event.count
            elif isinstance(event, State) and event.replaces is not None:
                arrived = pending.pop(event.replaces.stream, 0)
                if event.replaces.rows not in (None, arrived):
                    raise BenchError(f"{event.replaces} announces other rows than the {arrived} that arrived")
            elif isinstance(event, Failure):
                raise BenchError(f"the pipeline reports: {event.error.message}")
        if time.monotonic() > next_look:
            next_look = time.monotonic() + _LOOK_SECONDS
            peak = max(peak, peak_bytes(pid))
    reader.finish()
    return count, peak
