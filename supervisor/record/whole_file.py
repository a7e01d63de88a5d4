"""A file that holds its former content or the whole new one, also after the machine stopped in between."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import tempfile
import time
from pathlib import Path

_SUFFIX = ".partial"
_YOUNG_SECONDS = 2.0


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` in place of what is at `path`, readable by its owner alone unless `mode` opens it. Raises OSError.

    A symbolic link stays one; its target is replaced. What a writer that was killed has left beside it is removed.
    """
    path = path.resolve()
    _remove_dead(path)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_SUFFIX)
    try:
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(content)
            if mode != 0o600:
                os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(Path(name), path, content)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _remove_dead(path: Path) -> None:
    """A writer holds a lock on what it writes, which dies with it; a young file may not have been locked yet."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????{_SUFFIX}"):
        with contextlib.suppress(OSError), left.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid == os.getuid() and time.time() - found.st_mtime > _YOUNG_SECONDS:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()


def _put_in_place(written: Path, path: Path, content: bytes) -> None:
    """Rename, except onto a file that a container engine mounted alone, such as /dev/termination-log."""
    try:
        written.replace(path)
    except OSError as cause:
        if cause.errno != errno.EBUSY:
            raise
        path.write_bytes(content)
        written.unlink()
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
