"""One process, measured from outside: wall clock, its own CPU time and its own peak memory.

The kernel's rusage of a child mixes in that child's children, so /proc is read instead: CPU time when the process is
a zombie, and complete; the peak of its resident memory (VmHWM, which never falls) every few milliseconds until then.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
_LOOK_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A measured program failed or gave wrong rows; its figures are worth nothing."""


@frozen(kw_only=True)
class Finished:
    """How a process ended and what it took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def environment(**more: str) -> dict[str, str]:
    """A bare environment, so that nothing of the developer's own shell is measured."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ} | more


def run(
    command: Sequence[str],
    *,
    directory: Path,
    variables: Mapping[str, str],
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    timeout: float = 600,
) -> Finished:
    """Run a command to its end with its output thrown away; raises BenchError unless it exits with 0."""
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(variables),
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            peak = _watch(process.pid, started + timeout)
            seconds = time.perf_counter() - started
            cpu = cpu_seconds(process.pid)
        finally:
            if process.poll() is None:
                process.kill()
            status = process.wait()
        if status != 0:
            log.seek(0)
            raise BenchError(f"{command[0]} ended with {status}: {log.read()[-2000:].decode(errors='replace')}")
    return Finished(seconds=seconds, cpu_seconds=cpu, peak_bytes=peak)


def cpu_seconds(pid: int) -> float:
    """User and system time of one process, without its children; also of a zombie."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had resident so far; 0 when it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def has_ended(pid: int) -> bool:
    """Whether a child has ended; it is left a zombie, so that it can still be asked for its CPU time."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _watch(pid: int, deadline: float) -> int:
    peak = 0
    while not has_ended(pid):
        peak = max(peak, peak_bytes(pid))
        if time.perf_counter() > deadline:
            raise BenchError(f"process {pid} did not end in time")
        time.sleep(_LOOK_SECONDS)
    return peak
