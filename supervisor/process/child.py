"""One child process and everything it starts: spawn, look, stop, reap.

Knows signals, pipes and memory, nothing of platforms. The child runs under a `keeper` that inherits its orphans, so the
tree is what the kernel says it is. Should the keeper be killed, what it kept is found again by what was seen in earlier
looks, by session, by parentage, and by a marker in the environment.

A member of the tree is held as a `psutil.Process`, which is a pid and a start time counted from the boot, so neither a
pid that was given away nor a clock that jumps makes it another. Two things are asked of `keeper` instead: who descends
from whom, because `psutil` reads every process of the machine for it; and to signal, because `psutil` looks at the
start time and then signals the bare pid.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from attrs import define, field, frozen

from supervisor.process import keeper
from supervisor.process.user import User
from supervisor.record.readers import inherited_umask

MARKER = "SUPERVISOR_ATTEMPT"
_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1024 * 1024
_START_SECONDS = 30.0
_KILL_SECONDS = 10.0
_HURRY_SECONDS = 0.05
_LONGEST_REPORT = 4096
_PASSING = frozenset({
    *(errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EIO, errno.EINTR, errno.ETXTBSY)
})  # fmt: skip
"""Reasons not to start a program that may be gone at the next attempt; a program that does not exist is none."""


class SpawnError(Exception):
    """The command could not be started; the message says why, `retryable` whether it may be possible later."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


@frozen
class Usage:
    """What a whole tree uses at one moment; the CPU time is that of all its processes so far, ended ones included."""

    processes: int
    memory_bytes: int
    cpu_seconds: float


@define
class Child:
    """A running command. `stdout` and `stderr` are descriptors that the owner reads and closes.

    So is `stdin`, where it was asked for, which the owner writes to; -1 where the command's input is empty.

    When the tree is empty `largest_bytes` is the most that any one of its processes had resident, as the kernel
    counted it, and `cpu_seconds` the CPU time of all.
    """

    stdout: int
    stderr: int
    _process: subprocess.Popen[bytes]
    _lifeline: int
    _report: int
    _marker: str
    stdin: int = -1
    pid: int = 0
    largest_bytes: int = 0
    cpu_seconds: float = 0.0
    _failure: int | None = None
    _status: int | None = None
    _empty: bool = False
    _heard: bytes = b""
    _silent: bool = False
    _survivors: list[str] = field(factory=list)
    _seen: dict[int, psutil.Process] = field(factory=dict)
    _keeper: psutil.Process | None = None

    @classmethod
    def spawn(
        cls,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        address_space_limit: int | None = None,
        with_input: bool = False,
        user: User | None = None,
    ) -> Child:
        """Start a command in a session of its own, with exactly this environment; raises SpawnError.

        Its input is empty, unless the owner asks for a pipe to write to (`with_input`). As another `user` it runs
        where this process may become that one; its keeper does not.
        """
        marker = uuid.uuid4().hex
        try:
            ours, theirs = _pipes(with_input=with_input)
        except OSError as cause:
            raise _spawn_error(command[0], cause.errno) from cause
        try:
            if with_input and user is not None:
                # So that this user may open it anew, as /dev/stdin.
                os.fchown(theirs["stdin"], user.uid, user.gid)
            process = subprocess.Popen(
                (
                    *(sys.executable, "-I", "-S", keeper.__file__),
                    *(str(theirs["lifeline"]), str(theirs["report"]), str(address_space_limit or 0)),
                    *(user.for_keeper if user else "-", *command),
                ),
                stdin=theirs.get("stdin", subprocess.DEVNULL),
                stdout=theirs["stdout"],
                stderr=theirs["stderr"],
                pass_fds=(theirs["lifeline"], theirs["report"]),
                cwd=directory,
                env={**environment, MARKER: marker},
                start_new_session=True,
                umask=inherited_umask(),
            )
        except BaseException as cause:
            _close(ours.values())
            if isinstance(cause, OSError):
                raise _spawn_error(command[0], cause.errno) from cause
            raise
        finally:
            _close(theirs.values())
        child = cls(
            *(ours["stdout"], ours["stderr"], process, ours["lifeline"], ours["report"]),
            *(marker, ours.get("stdin", -1)),
        )
        child._await_start(command[0])
        return child

    @property
    def keeper_pid(self) -> int:
        return self._process.pid

    @property
    def lost(self) -> bool:
        """Whether the keeper ended before its tree: somebody killed it."""
        return self._silent and not self._empty

    @property
    def exit_status(self) -> int | None:
        """The leader's, negative for a signal; None while it runs, and where the keeper was lost before it."""
        return None if self._status is None else os.waitstatus_to_exitcode(self._status)

    @property
    def survivors(self) -> tuple[str, ...]:
        """What was still alive of the tree after its leader's end, as `pid 123 (name)`."""
        return tuple(self._survivors)

    def wait(self, seconds: float) -> bool:
        """Wait for the leader's end, or `seconds`; whether it has ended, or its keeper has."""
        self._listen(seconds, lambda: self._status is not None)
        return self._status is not None or self._silent

    def reap(self) -> int | None:
        """The leader's exit status; call it once, when the tree is empty."""
        self._process.wait()
        self._listen(0, lambda: self._silent)
        _close((self._lifeline, self._report))
        return self.exit_status

    def look(self) -> Usage:
        """Sum up the tree without its keeper; processes that end meanwhile count as nothing.

        Raises OSError where the system does not allow to look, for want of descriptors say.
        """
        processes, memory, seconds = 0, 0, 0.0
        self._remember()
        with suppress(psutil.Error):
            self._keeper = self._keeper or psutil.Process(self.keeper_pid)
            times = self._keeper.cpu_times()
            seconds += times.children_user + times.children_system
        for process in self._seen.values():
            with suppress(psutil.Error):
                times = process.cpu_times()
                resident = process.memory_info().rss
                # Its own time, and that of its children that it has waited for.
                seconds += times.user + times.system + times.children_user + times.children_system
                memory += resident
                processes += resident > 0 or _is_alive(process)
        return Usage(processes, memory, seconds)

    def shared_fairly(self) -> int:
        """The tree's memory with shared pages counted once (PSS), in bytes: exact, but far slower than `look`."""
        return sum(map(_proportional, self._seen.values()))

    def stop(self, grace: float, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """SIGTERM to the whole tree, `grace` seconds, then SIGKILL until nothing is left.

        Someone else must go on reading the pipes meanwhile, or a child that flushes its output on SIGTERM blocks.
        `hurry` cuts the grace short.
        """
        self._order(b"t", signal.SIGTERM)
        deadline = time.monotonic() + grace
        while not self._is_empty() and time.monotonic() < deadline and not hurry():
            self._wait_for_end(min(_HURRY_SECONDS, max(0.0, deadline - time.monotonic())))
        self._order(b"k", signal.SIGKILL)
        deadline = time.monotonic() + _KILL_SECONDS
        while not self._is_empty() and time.monotonic() < deadline:
            self._wait_for_end(_HURRY_SECONDS)
            if self.lost:
                self._order(b"k", signal.SIGKILL)
        if not self._silent:  # a keeper that somebody stopped
            self._process.kill()
            self._listen(_KILL_SECONDS, lambda: self._silent)
            self._signal_lost(signal.SIGKILL)

    def _await_start(self, program: str) -> None:
        started = self._listen(_START_SECONDS, lambda: bool(self.pid) or self._failure is not None)
        if started and self._failure is None:
            return
        if not self.lost:
            self._process.kill()
            self.reap()
            _close((self.stdout, self.stderr, *([self.stdin] if self.stdin >= 0 else [])))
            raise _spawn_error(program, self._failure)

    def _order(self, letter: bytes, number: int) -> None:
        """Have the keeper signal the whole tree, or do it where the keeper is gone."""
        if self._silent:
            if not self._empty:
                self._signal_lost(number)
            return
        with suppress(OSError):
            os.write(self._lifeline, letter)

    def _wait_for_end(self, seconds: float) -> None:
        if self._silent:
            time.sleep(seconds)
        else:
            self._listen(seconds, lambda: self._silent)

    def _is_empty(self) -> bool:
        try:
            return self._silent and (self._empty or not any(True for _ in self._found()))
        except OSError:  # too few descriptors to look, so nobody knows
            return False

    def _listen(self, seconds: float, enough: Callable[[], bool]) -> bool:
        """Take in what the keeper reports until it is `enough`, or for `seconds`; whether it is enough."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._report, select.POLLIN)
        while not enough() and not self._silent:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                break
            block = os.read(self._report, 4096)
            self._silent = not block
            *lines, self._heard = (self._heard + block).split(b"\n")
            self._heard = self._heard[-_LONGEST_REPORT:]
            for line in lines:
                # A program of the same user can write into the pipe through /proc; what is no report is not one.
                with suppress(ValueError, TypeError):
                    self._take(*line.decode().split(" ", 2))
        return enough()

    def _take(self, word: str, first: str, second: str = "") -> None:
        if word == "started":
            self.pid = int(first)
        elif word == "failed":
            self._failure = int(first)
        elif word == "exited":
            self._status = int(first)
        elif word == "survivor":
            self._survivors.append(f"pid {first} ({second})" if first != "0" else second)
        elif word == "empty":
            self._empty = True
            self.largest_bytes, self.cpu_seconds = int(first) * 1024, float(second)

    def _remember(self) -> None:
        """Note who belongs to the tree, so that it is known without its keeper too."""
        if self._silent:
            self._seen = {process.pid: process for process in self._found()}
            return
        seen = {}
        for pid in keeper.descendants(self.keeper_pid):
            with suppress(psutil.Error):
                seen[pid] = self._seen.get(pid) or psutil.Process(pid)
        self._seen = seen

    def _found(self) -> Iterator[psutil.Process]:
        """What is alive of a tree that lost its keeper; raises OSError where the system does not allow to look."""
        roots = [process for process in self._seen.values() if process.is_running()]
        family = {*roots, *(process for root in roots for process in _descendants(root))}
        # Not `process_iter`: it keeps processes from call to call and would not see that a pid changed hands.
        for pid in psutil.pids():
            with suppress(psutil.Error, ProcessLookupError):
                process = psutil.Process(pid)
                if _is_alive(process) and (process in family or self._is_ours(process)):
                    yield process

    def _is_ours(self, process: psutil.Process) -> bool:
        if self.pid and os.getsid(process.pid) == self.pid:
            return True
        return process.pid != self.keeper_pid and process.environ().get(MARKER) == self._marker

    def _signal_lost(self, number: int) -> None:
        with suppress(OSError):  # too few descriptors to look: those that were seen before, then
            self._seen |= {process.pid: process for process in self._found()}
        for process in self._seen.values():
            keeper.send(process.pid, number, lambda _, process=process: process.is_running())  # type: ignore[misc]  # mypy cannot infer a lambda's default


def _pipes(*, with_input: bool) -> tuple[dict[str, int], dict[str, int]]:
    """Our ends and the child's of all its pipes; raises OSError, and then leaves none open."""
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    try:
        for name in ("stdout", "stderr", "report"):
            ours[name], theirs[name] = os.pipe()
        for name in ("lifeline", *(["stdin"] if with_input else [])):
            theirs[name], ours[name] = os.pipe()
    except OSError:
        _close((*ours.values(), *theirs.values()))
        raise
    for name in theirs.keys() - {"report", "lifeline"}:
        # The kernel's limit for unprivileged users may be lower; the default size only costs speed.
        with suppress(OSError):
            fcntl.fcntl(theirs[name], _F_SETPIPE_SZ, _PIPE_BYTES)
    return ours, theirs


def _spawn_error(program: str, number: int | None) -> SpawnError:
    reason = os.strerror(number) if number else "its keeper does not answer"
    return SpawnError(f"{program} cannot be started: {reason}", retryable=number is None or number in _PASSING)


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _is_alive(process: psutil.Process) -> bool:
    return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.Error:
        return []


def _proportional(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0
