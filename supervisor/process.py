"""One child process and everything it starts: spawn, look, stop, reap.

Knows signals, sessions and memory, nothing of platforms. The child leads a session of its own and carries a marker in
its environment, so that descendants are found by session, by parentage, and, where they left both, by the marker.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from attrs import define, field, frozen

MARKER = "SUPERVISOR_ATTEMPT"
_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1024 * 1024
_KILL_SECONDS = 10.0
_LOOK_SECONDS = 0.02


class SpawnError(Exception):
    """The command could not be started; the message says why."""


@frozen
class Usage:
    """What a whole tree uses at one moment."""

    processes: int
    memory_bytes: int
    cpu_seconds: float


@define
class Child:
    """A running command. `stdout` and `stderr` are descriptors that the owner reads and closes."""

    stdout: int
    stderr: int
    _process: subprocess.Popen[bytes]
    _marker: bytes
    _seen: dict[int, psutil.Process] = field(factory=dict)

    @classmethod
    def spawn(cls, command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> Child:
        """Start a command in a session of its own, with exactly this environment; raises SpawnError."""
        marker = uuid.uuid4().hex
        out_read, out_write = _pipe()
        err_read, err_write = _pipe()
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out_write,
                stderr=err_write,
                cwd=directory,
                env={**environment, MARKER: marker},
                start_new_session=True,
                close_fds=True,
            )
        except OSError as cause:
            os.close(out_read)
            os.close(err_read)
            raise SpawnError(f"{command[0]} cannot be started: {cause.strerror}") from cause
        finally:
            os.close(out_write)
            os.close(err_write)
        return cls(out_read, err_read, process, f"{MARKER}={marker}".encode())

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> bool:
        """Whether the leader has ended; it stays a zombie until `reap`, so its pid cannot be given to another."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def reap(self) -> int:
        """The leader's exit status, negative for a signal; call it when the tree is empty."""
        return self._process.wait()

    def look(self) -> Usage:
        """Sum up the tree; processes that end meanwhile count as nothing."""
        processes, memory, cpu = 0, 0, 0.0
        for process in self._members():
            with suppress(psutil.Error):
                times = process.cpu_times()
                memory += process.memory_info().rss
                cpu += times.user + times.system
                processes += 1
        return Usage(processes, memory, cpu)

    def shared_fairly(self) -> int:
        """The tree's memory with shared pages counted once (PSS), in bytes: exact, but far slower than `look`."""
        total = 0
        for process in self._members():
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total

    def survivors(self) -> tuple[str, ...]:
        """What is still alive of the tree beside the leader, as `pid 123 (name)`."""
        return tuple(f"pid {p.pid} ({_name(p)})" for p in self._alive() if p.pid != self.pid)

    def stop(self, grace: float, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """SIGTERM to the whole tree, `grace` seconds, then SIGKILL until nothing is left.

        Someone else must go on reading the pipes meanwhile, or a child that flushes its output on SIGTERM blocks.
        `hurry` cuts the grace short.
        """
        self._signal_all(signal.SIGTERM)
        self._wait_empty(grace, hurry)
        deadline = time.monotonic() + _KILL_SECONDS
        while self._alive() and time.monotonic() < deadline:
            # A tree that forks while it is being killed has new members at each look.
            self._signal_all(signal.SIGKILL)
            self._wait_empty(_LOOK_SECONDS, lambda: False)

    def _wait_empty(self, seconds: float, hurry: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while self._alive() and time.monotonic() < deadline and not hurry():
            time.sleep(_LOOK_SECONDS)

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self._alive():
            with suppress(psutil.Error):
                process.send_signal(number)
                if number is signal.SIGTERM:
                    process.send_signal(signal.SIGCONT)  # a stopped process cannot act on SIGTERM

    def _alive(self) -> list[psutil.Process]:
        return [p for p in self._members(marked=True) if _is_alive(p)]

    def _members(self, *, marked: bool = False) -> list[psutil.Process]:
        """The processes of the tree; `marked` also finds those that left the session and the parentage."""
        for pid in self._found_pids(marked=marked):
            if pid not in self._seen:
                with suppress(psutil.Error):
                    self._seen[pid] = psutil.Process(pid)
        for pid, process in list(self._seen.items()):
            if not process.is_running():
                del self._seen[pid]
        return list(self._seen.values())

    def _found_pids(self, *, marked: bool) -> Iterator[int]:
        with suppress(psutil.Error):
            yield from (p.pid for p in psutil.Process(self.pid).children(recursive=True))
        for pid in psutil.pids():
            with suppress(OSError):
                if os.getsid(pid) == self.pid or (marked and self._is_marked(pid)):
                    yield pid

    def _is_marked(self, pid: int) -> bool:
        return self._marker in Path(f"/proc/{pid}/environ").read_bytes()


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    # The kernel's limit for unprivileged users may be lower; the default size only costs speed.
    with suppress(OSError):
        fcntl.fcntl(write, _F_SETPIPE_SZ, _PIPE_BYTES)
    return read, write


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "gone"
