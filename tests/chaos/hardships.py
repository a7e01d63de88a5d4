"""What a machine can lack while a run lasts: room for temporary files, descriptors, processes, a steady clock, an answer.

Each gives back what it took. `missing()` says of each why this machine cannot lack it.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

CGROUPS = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

Before = Callable[[], None]
"""What a process does to itself before it becomes the supervisor."""


@contextmanager
def small_tmpdir(directory: Path, size: int) -> Iterator[None]:
    """A file system of that many bytes at a directory, really full when it is full; needs root and `mount`."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)], check=True, capture_output=True)  # fmt: skip
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


@contextmanager
def few_processes(most: int) -> Iterator[Before]:
    """A control group with at most so many processes and threads; needs root and the pids controller."""
    group = _pids_root() / f"social-ads-test-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    try:
        (group / "pids.max").write_text(str(most))
    except OSError:
        group.rmdir()
        raise
    try:
        yield lambda: _write(group / "cgroup.procs", "0")
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        threading.Event().wait(0.05)
        with suppress(OSError):
            group.rmdir()


def few_descriptors(most: int) -> Before:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def small_files(most: int) -> Before:
    """As on a disk that is full, for whoever writes a file of more bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


class Clock:
    """A wall clock that jumps when it is told to; the monotonic one goes on. Needs libfaketime."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clock"
        self.jump("+0")

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1",
        }  # fmt: skip

    def jump(self, offset: str) -> None:
        """By an offset such as `+86400` or `-86400`, from the real time on."""
        new = self._file.with_name("clock.new")
        new.write_text(offset)
        new.replace(self._file)


def sweep(directory: Path) -> bool:
    """Take everything away that lies in a directory, as a cleaner of temporary files would; whether there was any."""
    found = list(directory.iterdir())
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return bool(found)


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    """Processes that do nothing, and go on afterwards."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@cache
def missing() -> dict[str, str]:
    """Hardship -> why this machine cannot suffer it."""
    found: dict[str, str] = {}
    if os.geteuid() != 0:
        found["full TMPDIR"] = found["few processes"] = "only root can mount, and limit the processes of a group"
        return found | _without_faketime()
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        found["full TMPDIR"] = "nothing can be mounted here"
    try:
        with few_processes(50):
            pass
    except OSError as error:
        found["few processes"] = f"no control group can be made here: {error}"
    return found | _without_faketime()


def _without_faketime() -> dict[str, str]:
    return {} if Path(FAKETIME).exists() else {"clock jump": "libfaketime is not installed: apt install faketime"}


def _pids_root() -> Path:
    return next((root for root in CGROUPS if (root / "cgroup.procs").exists()), CGROUPS[-1])


def _write(path: Path, text: str) -> None:
    path.write_text(text)
