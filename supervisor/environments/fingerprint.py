"""What an environment was built from, so that it is built again when that changes and only as far as it changed."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from supervisor.environments.places import environment_of, is_release, wire_of

STAMP = ".complete"


@frozen
class Fingerprint:
    """`locked` tells of the interpreter, the place and the lock file, `code` of the pipeline and the wire."""

    locked: str
    code: str

    def __str__(self) -> str:
        return f"{self.locked}\n{self.code}\n"


def fingerprint(root: Path, name: str) -> Fingerprint:
    """Of the inputs as they are now. Of code that is installed in place only the packaging counts."""
    pipeline = root / "pipelines" / name
    environment = environment_of(root.resolve(), name).resolve()
    locked = hashlib.sha256(f"{sys.version}\n{environment}\n".encode())
    locked.update(_content(pipeline / "requirements.txt"))
    code = hashlib.sha256()
    for package in (pipeline, wire_of(root)):
        for file in _files(package, copied=is_release(package)):
            code.update(f"{file.relative_to(package)}\0".encode() + _content(file) + b"\0")
    return Fingerprint(locked.hexdigest(), code.hexdigest())


def is_current(root: Path, name: str) -> bool:
    """Whether the environment is complete, and built from the inputs as they are now."""
    return stamped(environment_of(root, name)) == fingerprint(root, name)


def stamped(environment: Path) -> Fingerprint | None:
    """What a complete environment was built from, or None where none is complete."""
    try:
        locked, code = (environment / STAMP).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return Fingerprint(locked, code)


def _files(package: Path, *, copied: bool) -> Iterator[Path]:
    yield from (package / "setup.cfg", package / "pyproject.toml")
    if copied:
        yield from sorted(path for path in (package / "src").rglob("*") if path.is_file() and path.suffix != ".pyc")


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
