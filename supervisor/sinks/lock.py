"""One run at a time per storage: a lock that dies with its holder, and says who that is."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import re
from pathlib import Path

from supervisor.config.errors import SinkError


def lock_path(path: Path) -> Path:
    """The lock file that belongs to a storage file."""
    return path.with_name(path.name + ".lock")


def holder_of(path: Path, refusal: str) -> str | None:
    """Who holds a DuckDB file, from what DuckDB said when it refused it; None where that is no matter of holding."""
    found = re.search(r"lock is held.*\bPID (\d+)", refusal, re.S)
    if found is None:
        return None
    try:
        run = lock_path(path).read_text(encoding="utf-8")
    except OSError:
        run = ""
    # What a killed run has left in its lock file says nothing about who holds the storage now.
    return run if run.startswith(f"pid {found.group(1)},") else f"pid {found.group(1)}, which is no run"


def held_by(path: Path) -> str | None:
    """Who holds the lock of that path now, or None; makes no file. For whoever only looks: the answer is soon old."""
    try:
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "an unknown process"
    except OSError:
        return None
    return None


class RunLock:
    """Held from construction to `release`, or to the end of the process however it ends.

    The kernel drops the lock with its last descriptor, so a file left behind by `kill -9` locks nobody out.
    """

    def __init__(self, path: Path, *, what: str) -> None:
        try:
            self._file = path.open("a+", encoding="utf-8")
        except OSError as cause:
            raise SinkError(f"{what} cannot be used: {path} cannot be written ({cause.strerror})") from cause
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            self._file.seek(0)
            holder = self._file.read().strip() or "an unknown process"
            self._file.close()
            raise SinkError(f"{what} is in use by {holder}; wait until that run ends") from cause
        self._file.truncate(0)
        started = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self._file.write(f"pid {os.getpid()}, a run that started {started}")
        self._file.flush()

    def release(self) -> None:
        """Let the next run in. The file stays: removing it would let two later runs hold two different files."""
        self._file.truncate(0)
        self._file.close()
