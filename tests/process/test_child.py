"""Children that misbehave, each a real program: whatever they do, the attempt ends, says why, and leaves nothing alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from until import until

from supervisor.process import keeper
from supervisor.process.child import Child, SpawnError

HEAD = "import os, signal, subprocess, sys, time\ndef sleeper(**given): return subprocess.Popen(['sleep', '60'], **given)\n"
IGNORE_TERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
DOUBLE_FORK = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "60"])
    os._exit(0)
os.wait()
"""


def alive(mark: str, directory: Path) -> list[psutil.Process]:
    """Every process whose environment holds the mark, or that works in the directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if mark in process.environ().values() or process.cwd() == str(directory):
                found.append(process)
        except psutil.Error:
            continue
    return found


class Run:
    """One program under a keeper, its pipes read as the supervisor reads them."""

    def __init__(self, program: str, directory: Path, mark: str, **limits: Any) -> None:
        environment = {"PATH": os.environ["PATH"], "MARK": mark}
        command = [sys.executable, "-c", HEAD + textwrap.dedent(program)]
        self.child = Child.spawn(command, directory=directory, environment=environment, **limits)
        self.said = {"out": bytearray(), "err": bytearray()}
        self.readers = [
            threading.Thread(target=self._read, args=(name, descriptor))
            for name, descriptor in (("out", self.child.stdout), ("err", self.child.stderr))
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, name: str, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            while block := stream.read(65536):
                self.said[name] += block

    def until_said(self, text: bytes) -> None:
        until(lambda: text in self.said["out"] or not any(reader.is_alive() for reader in self.readers))
        assert text in self.said["out"], f"{text!r} was not said: {bytes(self.said['err']).decode()}"

    def end(self, grace: float = 0.3) -> int | None:
        self.child.stop(grace)
        for reader in self.readers:
            reader.join(60)
            assert not reader.is_alive(), "a pipe is still held open"
        return self.child.reap()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Start a program; the test fails if a descendant of any is alive at its end."""
    mark = uuid.uuid4().hex
    yield lambda program, **limits: Run(program, tmp_path, mark, **limits)
    left = alive(mark, tmp_path)
    for process in left:
        process.kill()
    assert not left, f"still alive: {left}"


def test_an_exit_status_comes_back_and_so_does_the_output(start: Any) -> None:
    run = start("print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert run.child.wait(60)
    assert run.end() == 7
    assert (run.said["out"], run.said["err"]) == (b"out\n", b"err\n")
    assert run.child.survivors == ()


def test_a_command_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    for command, reason in (("./none", "No such file"), ("./text", "Permission denied")):
        with pytest.raises(SpawnError, match=f"{command} cannot be started: {reason}"):
            Child.spawn([command], directory=tmp_path, environment={})
    with pytest.raises(SpawnError, match="No such file"):
        Child.spawn(["true"], directory=tmp_path / "none", environment={})


def test_the_command_gets_the_environment_that_was_given_and_nothing_of_ours(start: Any, tmp_path: Path) -> None:
    run = start("print(sorted(os.environ)); print(os.listdir('/proc/self/fd')); print(os.getsid(0) == os.getpid())")
    assert run.child.wait(60)
    assert run.end() == 0
    names, descriptors, leads = bytes(run.said["out"]).decode().splitlines()
    assert set(eval(names)) - {"LC_CTYPE"} == {"MARK", "PATH", "SUPERVISOR_ATTEMPT"}
    assert len(eval(descriptors)) == 4  # three and the listing itself
    assert leads == "True"
    bare = Child.spawn(["env"], directory=tmp_path, environment={"PATH": os.environ["PATH"]})
    assert bare.wait(60)
    bare.stop(0)
    bare.reap()
    assert b"LC_CTYPE" not in os.read(bare.stdout, 65536)  # Python would add it to what it hands on
    os.close(bare.stdout)
    os.close(bare.stderr)


def test_input_is_empty_unless_it_was_asked_for(start: Any) -> None:
    program = "print(sys.stdin.read())"
    empty, fed = start(program), start(program, with_input=True)
    os.write(fed.child.stdin, b"rows")
    os.close(fed.child.stdin)
    assert empty.child.wait(60)
    assert fed.child.wait(60)
    assert (empty.end(), fed.end()) == (0, 0)
    assert (empty.said["out"], fed.said["out"]) == (b"\n", b"rows\n")


def test_who_writes_to_a_child_that_is_gone_is_told(start: Any) -> None:
    run = start("sleeper(stdin=subprocess.DEVNULL, stdout=2); print('ready', flush=True)", with_input=True)
    run.until_said(b"ready")
    assert run.child.wait(60)
    with pytest.raises(BrokenPipeError):  # its keeper is alive, and would hold what nobody reads
        os.write(run.child.stdin, b"rows")
    os.close(run.child.stdin)
    run.end()


def test_a_pipeline_starts_with_signals_as_a_shell_would_give_them(start: Any) -> None:
    run = start(
        "print([s.name for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1) if signal.getsignal(s) == signal.SIG_IGN])"
    )
    run.child.wait(60)
    run.end()
    assert run.said["out"] == b"[]\n"


def test_the_start_costs_little(tmp_path: Path) -> None:
    """Far less than that of an interpreter with our modules: the keeper has none."""

    def keepers() -> float:
        begun = time.perf_counter()
        child = Child.spawn(["true"], directory=tmp_path, environment={"PATH": os.environ["PATH"]})
        took = time.perf_counter() - begun
        assert child.wait(60)
        child.stop(0)
        child.reap()
        os.close(child.stdout)
        os.close(child.stderr)
        return took

    def with_modules() -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import supervisor.process.child"], check=True)
        return time.perf_counter() - begun

    both = [(keepers(), with_modules()) for _ in range(5)]  # in turn, so that the machine is as busy for both
    assert min(mine for mine, _ in both) < min(other for _, other in both)


LEAVERS = {
    "plain": "sleeper()",
    "holds-stdout": "sleeper(stdout=1)",
    "own-session": "sleeper(start_new_session=True)",
    "double-fork": DOUBLE_FORK,
    "ignores-sigterm": "subprocess.Popen([sys.executable, '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)'], stdout=subprocess.PIPE).stdout.readline()",
    "empty-environment": "sleeper(env={}, start_new_session=True)",
}  # fmt: skip


@pytest.mark.parametrize("program", LEAVERS.values(), ids=LEAVERS)
def test_a_leader_that_leaves_something_behind_is_not_the_end(start: Any, program: str) -> None:
    run = start(program)
    assert run.child.wait(60), "the leader's end is known while others hold the pipes"
    assert run.child.exit_status == 0
    assert len(run.child.survivors) == 1
    assert "(sleep)" in run.child.survivors[0] or "(python" in run.child.survivors[0]
    assert run.end() == 0


def test_what_was_about_to_go_is_no_survivor(start: Any) -> None:
    def survivors() -> tuple[str, ...]:
        run = start("subprocess.Popen(['sleep', '0.05'])")
        assert run.child.wait(60)
        run.end()
        return tuple(run.child.survivors)

    assert any(survivors() == () for _ in range(20)), "on a busy machine one or the other may stay too long"


def test_many_survivors_are_named_by_number(start: Any) -> None:
    run = start("for _ in range(30): sleeper()")
    run.child.wait(60)
    assert len(run.child.survivors) == 21
    assert run.child.survivors[-1] == "and 10 more"
    run.end()


@pytest.mark.parametrize("program", [
    IGNORE_TERM + "print('up', flush=True); time.sleep(60)",
    IGNORE_TERM + "sleeper(); print('up', flush=True); time.sleep(60)",
    "sleeper(start_new_session=True); print('up', flush=True); os.close(1); time.sleep(60)",
    "print('up', flush=True); os.kill(os.getpid(), signal.SIGSTOP)",
    IGNORE_TERM + "print('up', flush=True); os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)",
    "p = sleeper(); os.kill(p.pid, signal.SIGSTOP); print('up', flush=True); time.sleep(60)",
], ids=["ignores", "ignores-with-child", "closes-stdout", "stopped", "stopped-and-ignores", "stopped-child"])  # fmt: skip
def test_stopping_ends_everything(start: Any, program: str) -> None:
    run = start(program)
    run.until_said(b"up")
    begun = time.monotonic()
    assert run.end(grace=0.3) in (-signal.SIGTERM, -signal.SIGKILL)
    assert time.monotonic() - begun < 30


def test_output_written_on_sigterm_arrives(start: Any) -> None:
    run = start("""
        def farewell(*_): os.write(1, b"x" * 3_000_000 + b"bye"); os._exit(5)
        signal.signal(signal.SIGTERM, farewell)
        print("up", flush=True)
        time.sleep(60)
    """)
    run.until_said(b"up")
    assert run.end(grace=10) == 5
    assert len(run.said["out"]) == 3_000_006


def test_the_grace_can_be_cut_short(start: Any) -> None:
    run = start(IGNORE_TERM + "print('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    begun = time.monotonic()
    run.child.stop(60, hurry=lambda: time.monotonic() > begun + 0.2)
    assert run.end() == -signal.SIGKILL
    assert time.monotonic() - begun < 30


def test_a_tree_that_goes_on_forking_is_ended(start: Any) -> None:
    """Each process forks a successor and ends, forty chains at once and 4,000 forks in all: no look sees them all."""
    run = start("""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("up", flush=True)
        for _ in range(40):
            if os.fork() == 0:
                for _ in range(100):
                    time.sleep(0.02)
                    if os.fork():
                        os._exit(0)
                    os.setsid()
                time.sleep(60)
        time.sleep(60)
    """)
    run.until_said(b"up")
    until(lambda: run.child.look().processes > 20)
    begun = time.monotonic()
    assert run.end(grace=0.1) == -signal.SIGKILL
    assert time.monotonic() - begun < 30


def test_zombies_are_neither_counted_nor_left(start: Any) -> None:
    run = start("""
        children = [subprocess.Popen(["true"]) for _ in range(10)]
        while any(open(f"/proc/{each.pid}/stat").read().rpartition(")")[2].split()[0] != "Z" for each in children):
            time.sleep(0.01)
        print("up", flush=True)
        time.sleep(60)
    """)
    run.until_said(b"up")
    assert run.child.look().processes == 1
    run.end()


def test_a_look_sums_up_the_tree_and_the_cpu_time_of_those_who_ended(start: Any) -> None:
    burn = "import time; a = bytearray(b'x') * 30_000_000; e = time.process_time() + 0.3\nwhile time.process_time() < e: pass"
    run = start(
        f"subprocess.run([sys.executable, '-c', {burn!r}])\nsleeper(); a = bytearray(b'x') * 50_000_000; print('up', flush=True); time.sleep(60)"
    )
    run.until_said(b"up")
    usage = run.child.look()
    assert usage.processes == 2
    assert 50_000_000 < usage.memory_bytes < 120_000_000
    assert usage.cpu_seconds >= 0.3
    assert run.child.shared_fairly() <= usage.memory_bytes
    run.end()
    assert run.child.cpu_seconds >= 0.3
    assert run.child.largest_bytes > 50_000_000


def test_a_spike_between_two_looks_is_in_the_record(start: Any) -> None:
    run = start("a = bytearray(b'x') * 150_000_000; del a")
    run.child.wait(60)
    run.end()
    assert run.child.largest_bytes > 150_000_000


def test_the_address_space_limit_makes_an_allocation_fail(start: Any) -> None:
    run = start("a = bytearray(400_000_000)", address_space_limit=300 * 2**20)
    run.child.wait(60)
    assert run.end() == 1
    assert b"MemoryError" in run.said["err"]


def test_kill_9_of_a_pipeline_is_told_from_an_exit(start: Any) -> None:
    run = start("sleeper(); print('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    os.kill(run.child.pid, signal.SIGKILL)
    assert run.child.wait(60)
    assert run.end() == -signal.SIGKILL


@pytest.mark.parametrize("program", [
    "sleeper()",
    "sleeper(start_new_session=True)",
    DOUBLE_FORK,
    "sleeper(env={})",
    "sleeper(env={}, start_new_session=True)",
], ids=["plain", "own-session", "double-fork", "no-marker", "own-session-no-marker"])  # fmt: skip
def test_kill_9_of_the_keeper_and_the_tree_is_still_found(start: Any, program: str) -> None:
    run = start(program + "\nprint('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    run.child.look()
    os.kill(run.child.keeper_pid, signal.SIGKILL)
    assert run.child.wait(60)
    assert run.child.lost
    assert run.end() is None


def test_a_stopped_keeper_does_not_keep_its_tree_alive(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.process.child._KILL_SECONDS", 0.5)
    run = start("sleeper(start_new_session=True); print('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    run.child.look()
    os.kill(run.child.keeper_pid, signal.SIGSTOP)
    assert run.end() is None


def test_a_keeper_shrugs_off_the_signals_that_systemd_sends_to_a_whole_unit(start: Any) -> None:
    run = start("print('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(run.child.keeper_pid, number)
    assert not run.child.wait(0.3)
    assert run.end() == -signal.SIGTERM


def test_without_the_kernels_list_of_children_every_process_is_asked(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(DOUBLE_FORK + "sleeper(); print('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    quick = set(keeper.descendants(run.child.keeper_pid))
    monkeypatch.setattr(keeper, "_children", keeper._children_by_parent)
    assert len(quick) == 3
    assert set(keeper.descendants(run.child.keeper_pid)) == quick
    run.end()


def test_a_pid_that_is_another_processs_now_is_not_signalled() -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        keeper.send(stranger.pid, signal.SIGKILL, lambda pid: False)
        time.sleep(0.1)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_where_the_kernel_has_no_handles_a_pid_does(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start("sleeper(start_new_session=True); print('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    run.child.look()
    os.kill(run.child.keeper_pid, signal.SIGKILL)
    run.child.wait(60)

    def unknown(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", unknown)
    assert run.end() is None


def test_a_pid_that_changed_hands_is_not_taken_for_the_member_seen_before(start: Any) -> None:
    run = start("sleeper(env={}, start_new_session=True); print('up', flush=True); time.sleep(60)")
    run.until_said(b"up")
    run.child.look()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        seen = psutil.Process(stranger.pid)
        seen._ident = (stranger.pid, seen._ident[1] - 1)  # as if it had been seen in the tree and ended since
        run.child._seen[stranger.pid] = seen
        os.kill(run.child.keeper_pid, signal.SIGKILL)
        assert run.child.wait(60)
        assert run.end() is None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_is_no_report_of_the_keeper_is_not_taken_for_one(start: Any) -> None:
    run = start(r"""
        report = open(f"/proc/{os.getppid()}/cmdline").read().split("\0")[5]
        with open(f"/proc/{os.getppid()}/fd/{report}", "wb", buffering=0) as pipe:
            for junk in (b"\xff\xfe\n", b"exited\n", b"started x\n", b"empty 1 2 3\n", b"exited " + b"9" * 5000 + b"\n"):
                pipe.write(junk)
        sys.exit(7)
    """)
    assert run.child.wait(60)
    assert run.end() == 7


SUPERVISOR = """
import os, sys, time
from pathlib import Path
from supervisor.process.child import Child
child = Child.spawn([sys.executable, "-c", sys.argv[1]], directory=Path.cwd(), environment=dict(os.environ))
print(child.keeper_pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    "program", [*LEAVERS.values(), IGNORE_TERM + "sleeper()"], ids=[*LEAVERS, "ignores-sigterm-itself"]
)
def test_kill_9_of_the_supervisor_and_nothing_survives(tmp_path: Path, program: str) -> None:
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, HEAD + program + "\nopen('up', 'w').close(); time.sleep(60)"], cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "MARK": mark}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    kept = psutil.Process(int(process.stdout.readline()))
    until((tmp_path / "up").exists)
    process.kill()
    process.communicate()
    try:
        until(
            lambda: not alive(mark, tmp_path) and (not kept.is_running() or kept.status() == psutil.STATUS_ZOMBIE), 30
        )
    finally:
        for each in alive(mark, tmp_path):
            each.kill()
