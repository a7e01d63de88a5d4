"""What it costs to watch over pipelines: four that idle, one look at a hundred processes, a limit crossed."""

from __future__ import annotations

import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil

from bench.process import ROOT, BenchError, cpu_seconds, environment, peak_bytes
from bench.result import Result
from supervisor.process.child import Child

_IDLE_SECONDS = 20.0
_LIMIT = 100 * 2**20
_GRACE = 0.0


def measure() -> list[Result]:
    """Everything here, in one go; takes about a minute."""
    return [_idle(), _look(), _limit(), _start()]


def _idle() -> Result:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        (directory / "idle.py").write_text("import time; time.sleep(600)")
        platforms = [{"name": f"p{n}", "command": [sys.executable, "idle.py"], "kill_grace": 0} for n in range(4)]
        config = {
            "orchestrator": {"max_parallel": 4}, "platforms": platforms, "parallel_groups": [["p0", "p1", "p2", "p3"]]
        }  # fmt: skip
        (directory / "orchestrator_config.yml").write_text(json.dumps(config))
        process = subprocess.Popen(
            [str(ROOT / ".venv" / "bin" / "supervisor"), "run"], cwd=directory, env=environment(STORAGE_TYPE="none"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            time.sleep(3)
            before = cpu_seconds(process.pid)
            time.sleep(_IDLE_SECONDS)
            cpu, peak = cpu_seconds(process.pid) - before, peak_bytes(process.pid)
            keepers = [p for p in psutil.Process(process.pid).children() if p.name() == "keeper"]
            if len(keepers) != 4:
                raise BenchError(f"four pipelines should idle, and {len(keepers)} do")
            each = statistics.mean(keeper.memory_full_info().uss for keeper in keepers)
            busy = sum(sum(keeper.cpu_times()[:2]) for keeper in keepers) - 4 * 0.03
        finally:
            process.terminate()
            process.wait(20)
    return Result(
        name="keeping", what="the supervisor while four pipelines idle, `STORAGE_TYPE=none`",
        figure=f"{100 * cpu / _IDLE_SECONDS:.2f} % of a core, {peak / 2**20:.0f} MiB", aim="≤ 1 %, ≤ 60 MiB",
        peak_bytes=peak, cpu_seconds=cpu,
        note=f"{_IDLE_SECONDS:.0f} s; each keeper {each / 2**20:.1f} MiB of its own, {max(0.0, busy):.2f} CPU s",
    )  # fmt: skip


def _spawn(program: str) -> Child:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return Child.spawn(command, directory=Path.cwd(), environment=environment())


def _end(child: Child) -> None:
    child.stop(_GRACE)
    child.reap()
    os.close(child.stdout)
    os.close(child.stderr)


def _look() -> Result:
    child = _spawn("""
        import subprocess, time
        children = [subprocess.Popen(["sleep", "600"]) for _ in range(99)]
        print("up", flush=True)
        time.sleep(600)
    """)
    try:
        os.read(child.stdout, 3)
        begun, cpu = time.perf_counter(), time.process_time()
        for _ in range(200):
            usage = child.look()
        seconds, cpu = (time.perf_counter() - begun) / 200, (time.process_time() - cpu) / 200
        if usage.processes != 100:
            raise BenchError(f"a tree of 100 processes was seen as {usage.processes}")
    finally:
        _end(child)
    return Result(
        name="keeping", what="one look at a tree of 100 processes: who belongs to it, memory, CPU time",
        figure=f"{1000 * seconds:.1f} ms", peak_bytes=0, cpu_seconds=cpu, note="mean of 200",
    )  # fmt: skip


def _limit() -> Result:
    """From the moment that the program itself knows to be over the limit to the empty tree, looks included."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        times = [_crossing(directory) for _ in range(5)]
    return Result(
        name="keeping", what="from 100 MB crossed by a grandchild at full speed to the tree empty",
        figure=f"{statistics.median(times):.2f} s", aim="≤ 1 s + grace", peak_bytes=0, cpu_seconds=0.0,
        note=f"median of 5, the slowest {max(times):.2f} s; `kill_grace: 0`",
    )  # fmt: skip


def _crossing(directory: Path) -> float:
    (directory / "hog.py").write_text(
        textwrap.dedent("""
        import subprocess, sys, time
        program = '''
        import time
        b = bytearray()
        while len(b) < 400_000_000:
            b += b"x" * 1_000_000
            if len(b) == 100_000_000: open("crossed", "w").write(str(time.time()))
        time.sleep(60)
        '''
        subprocess.run([sys.executable, "-c", program], start_new_session=True)
    """)
    )
    platform = {"name": "hog", "command": [sys.executable, "hog.py"], "kill_grace": 0, "memory_limit": _LIMIT}
    config = {"platforms": [platform | {"retry": {"max_attempts": 1}}]}
    (directory / "orchestrator_config.yml").write_text(json.dumps(config))
    subprocess.run(
        [str(ROOT / ".venv" / "bin" / "supervisor"), "run"], cwd=directory, env=environment(STORAGE_TYPE="none"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    (platform_record,) = json.loads((directory / "execution_report.json").read_text())["platforms"]
    (attempt,) = platform_record["attempts"]
    if attempt["outcome"] != "memory_exceeded":
        raise BenchError(f"the limit was not met: {attempt['message']}")
    started = dt.datetime.fromisoformat(attempt["started_at"]).timestamp()
    ended: float = started + attempt["duration_seconds"]
    return ended - float((directory / "crossed").read_text())


def _start() -> Result:
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        child = _spawn("")
        times.append(time.perf_counter() - begun)
        _end(child)
    return Result(
        name="keeping", what="a keeper's start, until its command runs",
        figure=f"{1000 * statistics.median(times):.0f} ms", aim="≤ 30 ms", peak_bytes=0, cpu_seconds=0.0,
        note=f"median of 20, the fastest {1000 * min(times):.0f} ms",
    )  # fmt: skip
