"""Stands between the supervisor and one pipeline: every orphan of the tree falls to it, and it ends when none is left.

The supervisor executes this file by its path with `-I -S`, so it imports nothing but a few modules of the standard
library and starts in some 20 ms. That is why it reads /proc by itself where the supervisor asks `psutil`.

It talks through two pipes. The supervisor writes `t` (SIGTERM to the whole tree) and `k` (SIGKILL until it is empty) to
the lifeline; its end of file says that the supervisor is gone, however it went. The report gets lines: `started PID` or
`failed ERRNO`, `survivor PID NAME` for what outlived the leader, `exited STATUS` of the leader as wait(2) has it,
`empty KIBIBYTES SECONDS` with the largest process and the CPU time of all.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False  # importing typing would take a third of the start
if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36
_STRAGGLER_SECONDS = 0.1
_ORPHANED_GRACE = 0.5
_KILL_SECONDS = 0.01
_SURVIVORS_NAMED = 20
_OOM_SCORE = 500
_PARENT = 1
_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def stat_of(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat from the state on; raises OSError for a process that is gone.

    By hand, because there is no `psutil` without site-packages.
    """
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - importing pathlib would double the start
        # The name stands in parentheses and may hold anything, parentheses included.
        return file.read().rpartition(b")")[2].split()


def descendants(root: int) -> list[int]:
    """The pids of all that `root` started, and they in turn, zombies included. Costs a few reads per member.

    `psutil` would ask every process of the machine for its parent, so the supervisor uses this too.
    """
    found: dict[int, None] = {}
    waiting = [root]
    while waiting:
        for pid in _children(waiting.pop()):
            if pid not in found:
                found[pid] = None
                waiting.append(pid)
    return list(found)


def send(pid: int, number: int, is_ours: Callable[[int], bool]) -> None:
    """Signal a process that is still ours. The handle pins it, so that a pid that was given anew is never hit.

    `psutil` signals the bare number after its look at the start time, so the supervisor uses this too.
    """
    try:
        handle: int | None = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except OSError:  # an old kernel, or a filter that does not know the call
        handle = None
    try:
        if is_ours(pid):
            _signal(pid, handle, number)
            if number == signal.SIGTERM:
                _signal(pid, handle, signal.SIGCONT)  # a stopped process cannot act on SIGTERM
    except OSError:
        return
    finally:
        if handle is not None:
            os.close(handle)


def _signal(pid: int, handle: int | None, number: int) -> None:
    if handle is None:
        os.kill(pid, number)
    else:
        signal.pidfd_send_signal(handle, number)


def send_all(root: int, number: int) -> None:
    """Signal all descendants of `root`."""
    family = {root, *descendants(root)}

    def has_parent_in_family(pid: int) -> bool:
        return int(stat_of(pid)[_PARENT]) in family

    for pid in family - {root}:
        send(pid, number, has_parent_in_family)


def _children(pid: int) -> list[int]:
    """A child belongs to the thread that forked it, so each thread has a list of its own."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - as in stat_of
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:  # noqa: PTH123 - as in stat_of
                found += map(int, file.read().split())
    except OSError:
        return found if os.path.exists("/proc/thread-self/children") else _children_by_parent(pid)  # noqa: PTH110 - as in stat_of
    return found


def _children_by_parent(pid: int) -> list[int]:
    """For kernels without CONFIG_PROC_CHILDREN: ask every process for its parent."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - as in stat_of
        if name.isdigit():
            try:
                if int(stat_of(int(name))[_PARENT]) == pid:
                    found.append(int(name))
            except OSError:
                continue
    return found


class Keeper:
    """Starts one command, reaps whatever ends under it, and obeys the lifeline until nothing is left."""

    def __init__(self, lifeline: int, report: int) -> None:
        self._lifeline = lifeline
        self._report = report
        self._leader = 0
        self._status: int | None = None
        self._told = False
        self._left_at = 0.0
        self._kill_at: float | None = None
        self._largest = 0

    def keep(self, command: list[bytes], address_space: int, user: str) -> None:
        """Run `command` to the end of its tree."""
        woken = self._wake_on_child()
        self._start(command, address_space, user)
        poll = select.poll()
        poll.register(woken, select.POLLIN)
        poll.register(self._lifeline, select.POLLIN)
        while self._reap():
            self._tell_survivors()
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                send_all(os.getpid(), signal.SIGKILL)
            for descriptor, _ in poll.poll(self._patience()):
                if descriptor == woken:
                    os.read(woken, 4096)
                elif not self._obey():
                    poll.unregister(self._lifeline)
        self._tell_end()

    def _start(self, command: list[bytes], address_space: int, user: str) -> None:
        me = os.getpid()
        try:
            failed_read, failed_write = os.pipe()
            null = os.open(os.devnull, os.O_RDWR)
            self._leader = os.fork()
        except OSError as error:  # a limit on processes or descriptors
            self._say(f"failed {error.errno}")
            return
        if not self._leader:
            _become(command, address_space, user, me, failed_write)
        os.close(failed_write)
        # Or the pipes would never end, and one that nobody reads would take what is written.
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        failure = os.read(failed_read, 16)
        self._say(f"failed {failure.decode()}" if failure else f"started {self._leader}")

    def _reap(self) -> bool:
        """Collect all that have ended; whether there may be more."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            self._largest = max(self._largest, usage.ru_maxrss)
            if pid == self._leader:
                self._status = status
                self._left_at = time.monotonic()

    def _tell_survivors(self) -> None:
        """Name what outlives the leader, unless it was about to go anyway, and then the leader's end."""
        if self._status is None or self._told or time.monotonic() < self._left_at + _STRAGGLER_SECONDS:
            return
        left = descendants(os.getpid())
        for pid in left[:_SURVIVORS_NAMED]:
            try:
                if stat_of(pid)[0] != b"Z":
                    self._say(f"survivor {pid} {_name(pid)}")
            except OSError:
                continue
        if len(left) > _SURVIVORS_NAMED:
            self._say(f"survivor 0 and {len(left) - _SURVIVORS_NAMED} more")
        self._tell_exit()

    def _tell_exit(self) -> None:
        self._told = True
        self._say(f"exited {self._status}")

    def _tell_end(self) -> None:
        if not self._told:
            self._tell_exit()
        times = os.times()
        self._say(f"empty {self._largest} {times.children_user + times.children_system:.3f}")

    def _patience(self) -> float | None:
        """Milliseconds until something is due by the clock."""
        due = [] if self._kill_at is None else [max(self._kill_at, time.monotonic() + _KILL_SECONDS)]
        if self._status is not None and not self._told:
            due.append(self._left_at + _STRAGGLER_SECONDS)
        return max(1.0, (min(due) - time.monotonic()) * 1000) if due else None

    def _obey(self) -> bool:
        """Do what came down the lifeline; whether it still holds."""
        for letter in (orders := os.read(self._lifeline, 64)):
            if letter == ord("t"):
                send_all(os.getpid(), signal.SIGTERM)
            elif letter == ord("k"):
                self._kill_at = time.monotonic()
        if not orders:
            send_all(os.getpid(), signal.SIGTERM)
            self._kill_at = time.monotonic() + _ORPHANED_GRACE
        return bool(orders)

    def _say(self, line: str) -> None:
        try:
            os.write(self._report, line.encode() + b"\n")
        except OSError:  # the supervisor is gone; the lifeline says so too
            return

    def _wake_on_child(self) -> int:
        read, write = os.pipe()
        os.set_blocking(write, False)
        os.set_blocking(read, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return read


def _become(command: list[bytes], address_space: int, user: str, keeper: int, failed: int) -> None:
    """In the forked child: turn into the command, with this process's environment as it was given."""
    code = 0
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:  # it died before the line above
            os._exit(1)
        os.setsid()
        for number in (*_IGNORED, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        _go_first_when_memory_is_short()
        if address_space:
            import resource  # noqa: PLC0415 - only where it is asked for

            resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
        environment = _given_environment()
        if user != "-":
            _switch_user(user, keeper)
        os.execvpe(command[0], command, environment)  # noqa: S606 - nobody's shell splits the words
    except OSError as error:
        code = error.errno or 0
    except (ValueError, MemoryError):
        code = 22
    finally:
        os.write(failed, str(code).encode())
        os._exit(127)


def _switch_user(user: str, keeper: int) -> None:
    """To `uid:gid:group,group`, for good; after it /proc/self belongs to root until the command is executed."""
    uid, gid, groups = user.split(":")
    os.setgroups([int(group) for group in groups.split(",") if group])
    os.setresgid(int(gid), int(gid), int(gid))
    os.setresuid(int(uid), int(uid), int(uid))
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of the user takes it away
    if os.getppid() != keeper:
        os._exit(1)


def _given_environment() -> dict[bytes, bytes]:
    """What the supervisor gave. Python adds LC_CTYPE to `os.environ` where the locale is C."""
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - as in stat_of
        pairs = (entry.partition(b"=") for entry in file.read().split(b"\0"))
        return {name: value for name, separator, value in pairs if separator}


def _go_first_when_memory_is_short() -> None:
    """The kernel should take the pipeline and not the supervisor that can report it."""
    try:
        with open("/proc/self/oom_score_adj", "r+b", buffering=0) as file:  # noqa: PTH123 - as in stat_of
            if int(file.read()) < _OOM_SCORE:
                file.write(str(_OOM_SCORE).encode())
    except OSError:
        return


def _name(pid: int) -> str:
    with open(f"/proc/{pid}/comm", "rb") as file:  # noqa: PTH123 - as in stat_of
        return " ".join(file.read().decode(errors="replace").split())


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None).prctl(option, value, 0, 0, 0):
        raise OSError("prctl")


def main(arguments: list[str]) -> None:
    """LIFELINE REPORT ADDRESS_SPACE USER COMMAND...: two descriptors, a limit in bytes or 0, as whom, and what to run.

    USER is `uid:gid:group,group`, or `-` for nobody else.
    """
    lifeline, report, address_space = map(int, arguments[:3])
    for descriptor in (lifeline, report):
        os.set_inheritable(descriptor, False)
    for number in _IGNORED:  # systemd signals every process of a unit; only the supervisor decides
        signal.signal(number, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    ctypes.CDLL(None).prctl(_PR_SET_NAME, b"keeper", 0, 0, 0)
    Keeper(lifeline, report).keep([os.fsencode(word) for word in arguments[4:]], address_space, arguments[3])


if __name__ == "__main__":
    main(sys.argv[1:])
