"""A file that holds its former content or the whole new one, also after the machine stopped in between."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in place of what is at `path`, readable by its owner alone. Raises OSError.

    A symbolic link stays one; its target is replaced.
    """
    path = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(Path(name), path, content)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


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
