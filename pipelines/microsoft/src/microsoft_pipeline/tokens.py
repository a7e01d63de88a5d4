"""The newest refresh token, kept in a file, because Microsoft hands out a new one at every refresh.

The file says which configured token its content descends from, by fingerprint, so that a newly configured token wins
over what an older one led to. Runs that share the file, as shards do, take turns to refresh: of two that used the same
token the later one would keep, or leave, a token that has a successor already.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from wire import Kind, PipelineError

_FLEETING = frozenset({"overlay", "aufs", "tmpfs", "ramfs"})
"""File systems of containers' own layers and of memory."""


class _Stored(Struct, frozen=True):
    descends_from: str
    refresh_token: str


_TOKEN = msgspec.json.Decoder(_Stored)


class TokenStore:
    """One file, readable by its owner alone, replaced as a whole."""

    def __init__(self, path: Path, configured: str) -> None:
        # Through a symbolic link the target is replaced, not the link.
        self._path = Path(os.path.realpath(path))
        self._configured = configured
        self._fingerprint = hashlib.sha256(configured.encode()).hexdigest()[:16]

    def check_writable(self) -> None:
        """Raise PipelineError (config) unless a new token could be stored now.

        A refresh whose new token cannot be kept may leave nothing but a dead one, so this comes before any refresh.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".writable-")
            os.close(descriptor)
            Path(name).unlink()
            if self._path.is_dir():
                raise IsADirectoryError(f"{self._path} is a directory")
        except OSError as cause:
            raise self._unwritable(cause) from cause

    def check_usable(self) -> None:
        """Raise PipelineError (config) for a file that cannot be read or replaced, changing nothing."""
        self.newest()
        place = next(each for each in (self._path.parent, *self._path.parents) if each.exists())
        if not place.is_dir():
            raise self._unwritable(NotADirectoryError(errno.ENOTDIR, f"{place} is not a directory"))
        if self._path.is_dir():
            raise self._unwritable(IsADirectoryError(errno.EISDIR, f"{self._path} is a directory"))
        if not os.access(place, os.W_OK | os.X_OK):
            raise self._unwritable(PermissionError(errno.EACCES, "Permission denied"))

    def is_fleeting(self) -> bool:
        """Whether the file lies where nothing outlives the container or the machine's next start."""
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # a system that does not say
            return False
        kinds = {  # "36 35 98:0 /root /mount/point options - type source options", proc_pid_mountinfo(5)
            Path(line.split()[4].replace("\\040", " ")): line.partition(" - ")[2].split(" ", 1)[0] for line in mounts
        }
        return next((kinds[each] for each in self._path.parents if each in kinds), "") in _FLEETING

    @contextmanager
    def turn(self) -> Iterator[None]:
        """From reading the newest token to keeping its successor, while no other process does the same.

        Raises PipelineError (config) where the lock's file, which stays beside the token's, cannot be made.
        """
        try:
            descriptor = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as cause:
            raise self._unwritable(cause) from cause
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # ends with its process, however that ends
            except OSError as cause:
                raise self._unwritable(cause) from cause
            yield
        finally:
            os.close(descriptor)

    def newest(self) -> str:
        """The token to use: the stored one if it descends from the configured one, else the configured one."""
        try:
            stored = _TOKEN.decode(self._path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return self._configured
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as cause:
            raise PipelineError(
                Kind.CONFIG,
                f"the refresh token's file {self._path} cannot be read ({type(cause).__name__}); mend it, or delete it "
                "to start again from MICROSOFT_REFRESH_TOKEN",
            ) from cause
        return stored.refresh_token if stored.descends_from == self._fingerprint else self._configured

    def keep(self, token: str) -> None:
        """Store a token so that it survives a crash at any instant: written beside, flushed to disk, renamed."""
        content = msgspec.json.encode(_Stored(self._fingerprint, token)) + b"\n"
        try:
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".token-")  # made with mode 0600
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._flush_directory()
        except OSError as cause:
            raise self._unwritable(cause) from cause

    def _flush_directory(self) -> None:
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _unwritable(self, cause: OSError) -> PipelineError:
        return PipelineError(
            Kind.CONFIG,
            f"the refresh token cannot be stored in {self._path} ({cause.strerror or cause}); Microsoft replaces it at "
            "every use, so point MICROSOFT_TOKEN_STORE to a file that may be written and outlives this run",
        )
