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
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define, field

from supervisor.config.errors import SupervisorError
from supervisor.process.user import User

_PREFIX = "social-ads-"
_UNLOCKED_PREFIX = ".social-ads-"
_UNLOCKED_SECONDS = 60.0


@define
class Workspace:
    """The directory of one run; after it was swept away under the run, another one of its name."""

    _place: Path
    _held: list[tuple[Path, int]] = field(factory=list)
    _turn: threading.Lock = field(factory=threading.Lock)

    @property
    def path(self) -> Path:
        return self._held[-1][0]

    @contextmanager
    def room(self, name: str, user: User | None = None) -> Iterator[Path]:
        """An empty directory for one attempt, which is gone afterwards. Raises OSError.

        Another user may pass through it, to what in there is his own, but neither list nor write it: what we read or
        write there must not be his to replace.
        """
        room = self._room(name)
        try:
            if user is not None:
                for directory in (room.parent, room):
                    directory.chmod(0o711)
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def _room(self, name: str) -> Path:
        with self._turn:
            if not self.path.is_dir():  # systemd-tmpfiles and the like remove what looks old
                # Under its former name, the only one under which the storage reads.
                self._held.append(_make(self._place, self.path.name))
            return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.path))

    def open(self) -> None:
        self._held.append(_make(self._place))

    def close(self) -> None:
        for directory, lock in self._held:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Where spooled rows and the pipelines' settings stay; raises SupervisorError where no directory can be made."""
    place = Path(tempfile.gettempdir())
    remove_dead(place)
    made = Workspace(place)
    try:
        made.open()
    except OSError as cause:
        raise SupervisorError(f"no temporary directory can be made in {place}: {cause.strerror}") from cause
    try:
        yield made
    finally:
        made.close()


def remove_dead(place: Path) -> None:
    """Remove the directories of runs that were killed; those of other users and of live runs stay."""
    with suppress(OSError):
        for directory in (*place.glob(f"{_PREFIX}*"), *place.glob(f"{_UNLOCKED_PREFIX}*")):
            with suppress(OSError):
                _remove_if_dead(directory)


def _make(place: Path, name: str | None = None) -> tuple[Path, int]:
    """It gets its final name, a new one unless given, only when it is locked, so nobody can take it for a dead one."""
    unlocked = Path(tempfile.mkdtemp(prefix=_UNLOCKED_PREFIX, dir=place))
    try:
        lock = os.open(unlocked, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        unlocked.rmdir()
        raise
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return unlocked.rename(place / (name or unlocked.name.removeprefix("."))), lock


def _remove_if_dead(directory: Path) -> None:
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(lock)
        young = time.time() - found.st_mtime < _UNLOCKED_SECONDS
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o066:
            return
        if directory.name.startswith(_UNLOCKED_PREFIX) and young:
            return
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(lock)
