"""Limits and misbehaviour as `supervisor run` tells them: one outcome and one sentence each, and no other platform harmed."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from until import until, until_told

from supervisor.process.workspace import remove_dead, workspace

GOOD = """
schema()
for n in range(3): row(id=str(n), n=n)
state({"seen": 3})
"""


def report(house: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((house.directory / "execution_report.json").read_text())
    return loaded


def platform(house: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(p for p in report(house)["platforms"] if p["platform_name"] == name)
    return found


def attempt(house: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = platform(house, name)["attempts"][-1]
    return found


ENDS = {
    "half a line": (
        "schema(); row(id='1', n=1); state({'a': 1}); os.write(1, b'{\"type\": \"REC'); os.kill(os.getpid(), 9)",
        "protocol_error", "the output ends in the middle of a line",
    ),
    "no newline at all": ("while True: os.write(1, b'x' * 65536)", "protocol_error", "over the limit"),
    "a column twice": (
        """schema(); row(id='1', n=1); os.write(1, b'{"type":"RECORD","stream":"t","record":{"id":"2","n":1,"n":2}}\\n'); state({'a': 1})""",
        "protocol_error", "stream 't': a record has 'n' twice, so nobody can tell which value is meant",
    ),
    "killed": ("schema(); os.kill(os.getpid(), 9)", "killed_by_kernel", "killed by the kernel (SIGKILL)"),
    "its keeper killed": (
        "schema(); subprocess.Popen(['setsid', 'sleep', '60']); time.sleep(0.6); os.kill(os.getppid(), 9); time.sleep(60)",
        "killed_by_kernel", "its keeper was killed from outside",
    ),
    "a signal": ("os.kill(os.getpid(), signal.SIGSEGV)", "failed", "ended by SIGSEGV"),
    "stopped by itself": ("os.kill(os.getpid(), signal.SIGSTOP)", "timed_out", "stopped after 3 s, its timeout"),
    "closed its output": ("schema(); sys.stdout.close(); os.close(1); time.sleep(60)", "timed_out", "its timeout"),
    "too much address space": ("bytearray(900_000_000)", "failed", "its last line was: MemoryError"),
}  # fmt: skip


def test_each_end_has_its_outcome_and_sentence_and_harms_nobody_else(house: Any, configured: Any) -> None:
    house.orchestrator = {"max_parallel": 4}
    names = []
    for number, (body, outcome, _) in enumerate(ENDS.values()):
        names.append(f"p{number}")
        house.tap(names[-1], body, timeout=3 if outcome == "timed_out" else 60, address_space_limit="512MiB")
    house.tap("good", GOOD)
    done = configured(parallel_groups=[[*names, "good"]])
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if "Traceback" in line]
    assert all(" | p" in line for line in told), told  # those of the pipelines themselves
    for name, (what, (_, outcome, sentence)) in zip(names, ENDS.items(), strict=True):
        found = attempt(house, name)
        assert (found["outcome"], sentence in found["message"]) == (outcome, True), f"{what}: {found['message']}"
    assert house.rows("SELECT id FROM p0.t") == [("1",)]
    assert platform(house, "good")["status"] == "completed"


def test_allocation_in_a_grandchild_is_stopped(house: Any, configured: Any) -> None:
    hog = "b = bytearray(b'x') * 400_000_000; import time; time.sleep(60)"
    body = f"schema(); subprocess.Popen([sys.executable, '-c', {hog!r}], start_new_session=True); time.sleep(60)"
    house.tap("hog", body, memory_limit="100MiB", kill_grace=0.2)
    assert configured().returncode == 3
    found = attempt(house, "hog")
    assert found["outcome"] == "memory_exceeded"
    assert "over its memory_limit of 100 MiB" in found["message"]
    assert found["peak_memory_bytes"] > 100 * 2**20
    assert found["duration_seconds"] < 25


def test_a_shared_page_counts_once(house: Any, configured: Any) -> None:
    body = """
        block = bytearray(b"x") * 60_000_000
        children = []
        for _ in range(4):
            if os.fork() == 0:
                time.sleep(1.5)
                os._exit(0)
        time.sleep(1.5)
    """
    house.tap("shares", body + GOOD.replace("\n", "\n        "), memory_limit="130MiB")
    done = configured()
    assert done.returncode == 0, done.stderr


def test_a_flood_of_stderr_is_kept_short_and_stops_nobody(house: Any, configured: Any) -> None:
    house.tap("loud", "os.write(2, b'z' * 5_000_000)\nfor n in range(4000): print('line', n, file=sys.stderr)\n" + GOOD)
    done = configured()
    assert done.returncode == 0
    found = attempt(house, "loud")
    assert len(found["stderr_tail"]) == 20
    assert found["stderr_tail"][-1] == "line 3999"


def test_a_closed_stdout_is_no_end(house: Any, configured: Any) -> None:
    house.tap("p", GOOD + "os.close(1); time.sleep(0.6); open('went-on', 'w'); os._exit(0)")
    assert configured().returncode == 0
    assert (house.directory / "went-on").exists()


def test_survivors_are_ended_and_named(house: Any, configured: Any) -> None:
    house.tap("p", GOOD + "subprocess.Popen(['setsid', 'sleep', '60'])\nsubprocess.Popen(['sleep', '61'], stdout=1)")
    done = configured()
    assert done.returncode == 0
    survivors = attempt(house, "p")["survivors"]
    assert len(survivors) == 2
    assert all("(sleep)" in each for each in survivors)
    assert "left processes behind: pid " in done.stderr


def test_memory_and_cpu_time_are_a_series_in_the_report(house: Any, configured: Any) -> None:
    house.tap("p", "a = bytearray(b'x') * 60_000_000\nwhile time.process_time() < 1: pass\n" + GOOD)
    assert configured().returncode == 0
    found = attempt(house, "p")
    seconds, memory, cpu = zip(*found["samples"], strict=True)
    assert len(seconds) >= 3
    assert list(seconds) == sorted(seconds)
    assert list(cpu) == sorted(cpu)
    assert max(memory) > 60_000_000
    assert found["cpu_seconds"] >= 1


def started(house: Any, *arguments: str) -> subprocess.Popen[str]:
    house.write()
    process: subprocess.Popen[str] = house.start(*(arguments or ("run",)))
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_during_a_wait_between_attempts(house: Any, number: int, code: int) -> None:
    retry = {"max_attempts": 2, "backoff_seconds": 60, "max_backoff_seconds": 60}
    house.tap("p", "sys.exit(75)", retry=retry)
    process = started(house)
    until_told(process, "retrying in 60 s")
    process.send_signal(number)
    _, stderr = process.communicate(timeout=50)
    assert process.returncode == code, stderr
    assert report(house)["exit_code"] == code


def test_nohup_is_respected(house: Any) -> None:
    house.tap("p", "while not os.path.exists('go'): time.sleep(0.02)\n" + GOOD)
    house.write()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = house.start("run")
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    until_told(process, "started")
    process.send_signal(signal.SIGHUP)
    (house.directory / "go").touch()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr


@pytest.mark.parametrize("wait", [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
def test_a_signal_at_any_moment_of_the_start(house: Any, wait: float) -> None:
    house.tap("p", GOOD + "time.sleep(60)")
    process = started(house)
    time.sleep(wait)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    # Before the handlers are there the signal itself ends the process, which has started nothing yet.
    assert process.returncode in (143, -signal.SIGTERM), stderr
    assert "Traceback" not in stderr


def test_a_signal_during_a_commit_leaves_the_window_whole(house: Any) -> None:
    house.tap("p", """
        schema(key=("id",), day="date", id="string", n="string")
        for n in range(1, 29):
            for i in range(20000): row(id=f"{n}-{i}", n=str(n), date=f"2026-01-{n:02}")
            state({"done": n}, stream="t", where={"n": str(n)}, rows=20000)
            open("progress", "a").write("x")
    """)  # fmt: skip
    process = started(house)
    progress = house.directory / "progress"
    until(lambda: progress.exists() and len(progress.read_text()) >= 4)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143, stderr
    counts = house.rows("SELECT n, count(*) FROM p.t GROUP BY n ORDER BY n::INT")
    assert counts == [(str(n), 20000) for n in range(1, len(counts) + 1)]
    ((state,),) = house.rows("SELECT value FROM _supervisor.state")
    assert json.loads(state)["done"] == len(counts)


def test_a_signal_during_an_environment_build_ends_pip(house: Any) -> None:
    pipeline = house.directory / "pipelines" / "slow"
    pipeline.mkdir(parents=True)
    (pipeline / "requirements.txt").write_text("never @ http://127.0.0.1:9/never.tar.gz --hash=sha256:" + "0" * 64)
    (pipeline / "setup.cfg").write_text("[metadata]\nname = slow\n")
    (house.directory / "wire").mkdir()
    house.platforms = [{"name": "slow"}]
    house.environment["PIP_RETRIES"] = "20"
    process = started(house, "install")
    children = []
    until(lambda: children.extend(psutil.Process(process.pid).children(recursive=True)) or len(children) > 1)
    # pip has been told to try for a minute; what ends it is the signal.
    hand_to_another_thread(process, signal.SIGTERM)
    _, stderr = process.communicate(timeout=40)
    assert process.returncode == 143, stderr
    assert not [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def hand_to_another_thread(process: Any, number: int) -> None:
    """Give a process a signal as the system may: to a thread that is not its first, which runs Python's handlers."""
    other = next(each.id for each in psutil.Process(process.pid).threads() if each.id != process.pid)
    assert ctypes.CDLL(None).tgkill(process.pid, other, number) == 0


def test_a_signal_that_another_thread_gets_is_obeyed(house: Any) -> None:
    house.tap("p", "open('up', 'w'); time.sleep(300)")
    process = started(house)
    until((house.directory / "up").exists)
    hand_to_another_thread(process, signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143, stderr


def test_kill_9_of_the_supervisor_and_the_next_run_completes_and_tidies_up(house: Any) -> None:
    house.tap(
        "p",
        "schema(); row(id='1', n=1); state({'a': 1})\nsubprocess.Popen(['setsid', 'sleep', '60'])\nopen('up', 'w'); time.sleep(60)",
    )
    process = started(house)
    until((house.directory / "up").exists)
    process.kill()
    process.communicate()
    until(lambda: not [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(house.directory)])
    (left,) = (house.directory / "tmp").iterdir()
    assert left.stat().st_mode & 0o777 == 0o700
    house.tap("p", GOOD)
    house.write()
    assert house.run("run").returncode == 0


def test_only_dead_directories_of_our_own_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, others, open_to_all, link = (tmp_path / f"social-ads-{name}" for name in ("dead", "file", "open", "link"))
    making = tmp_path / ".social-ads-now"
    for directory in (dead, making):
        directory.mkdir(mode=0o700)
        (directory / "spool.jsonl").write_text("x")
    others.write_text("not a directory")
    open_to_all.mkdir(mode=0o755)
    link.symlink_to(tmp_path)
    with workspace() as made:
        live = made.path
        assert not dead.exists()
        remove_dead(tmp_path)
        assert live.is_dir()
        assert live.stat().st_mode & 0o777 == 0o700
        assert others.exists() and open_to_all.exists() and link.exists() and making.exists()
    assert not live.exists()
    os.utime(making, (0, 0))
    remove_dead(tmp_path)
    assert not making.exists()
