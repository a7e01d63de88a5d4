"""The temporary directory of a run: only we can read it, and it is gone afterwards, at the latest with the next run.

A run that is killed cannot tidy up. So each holds a lock on its directory, which dies with it however it dies and holds
across containers that share /tmp, where a pid says nothing; what nobody holds is removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from supervisor.config.errors import SupervisorError

_PREFIX = "social-ads-"
_UNLOCKED_PREFIX = ".social-ads-"
_UNLOCKED_SECONDS = 60.0


@contextmanager
def workspace() -> Iterator[Path]:
    """A directory for spooled rows and the pipelines' settings; raises SupervisorError where none can be made."""
    place = Path(tempfile.gettempdir())
    remove_dead(place)
    try:
        directory, lock = _make(place)
    except OSError as cause:
        raise SupervisorError(f"no temporary directory can be made in {place}: {cause.strerror}") from cause
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def remove_dead(place: Path) -> None:
    """Remove the directories of runs that were killed; those of other users and of live runs stay."""
    with suppress(OSError):
        for directory in (*place.glob(f"{_PREFIX}*"), *place.glob(f"{_UNLOCKED_PREFIX}*")):
            with suppress(OSError):
                _remove_if_dead(directory)


def _make(place: Path) -> tuple[Path, int]:
    """It gets its final name only when it is locked, so nobody can take it for a dead one."""
    unlocked = Path(tempfile.mkdtemp(prefix=_UNLOCKED_PREFIX, dir=place))
    lock = os.open(unlocked, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return unlocked.rename(place / unlocked.name.removeprefix(".")), lock


def _remove_if_dead(directory: Path) -> None:
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(lock)
        young = time.time() - found.st_mtime < _UNLOCKED_SECONDS
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            return
        if directory.name.startswith(_UNLOCKED_PREFIX) and young:
            return
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(lock)
