"""Values that stand in files: one that NAME_FILE names, or the file NAME in a directory of secrets.

Kubernetes mounts a Secret as a directory of files named after its keys, systemd passes credentials in one. With
SECRETS_DIRECTORY every variable may be a file there, and systemd's own directory is looked into without being named.
A platform's process gets the values, never the directory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from supervisor.config.errors import ConfigError

DIRECTORIES = ("SECRETS_DIRECTORY", "CREDENTIALS_DIRECTORY")
"""In the order in which they are looked into; the second one is systemd's."""

_WHOLE_DIRECTORY = "secrets_"
"""What systemd puts before each name when `LoadCredential=secrets:DIRECTORY` passes a directory (systemd.exec(5))."""

_PATHS = frozenset({"GOOGLE_CONFIG_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "VERTICA_CA_FILE"})
"""Variables that name a file: the file in the directory is the one they name, not one that holds its path."""


def value_in_files(name: str, environ: Mapping[str, str]) -> str | None:
    """What a file says about NAME, without its last newline; None where there is no such file, or nothing in it.

    Raises ConfigError where a file or a directory that is named cannot be read.
    """
    path = environ.get(f"{name}_FILE")
    if path:
        return _content(Path(path), f"{name}_FILE names {path}")
    for variable, directory in _directories(environ):
        for file in (directory / name, directory / f"{_WHOLE_DIRECTORY}{name}"):
            if _is_there(file, variable, directory):
                content = _content(file, f"{variable}: {file} stands for {name}")
                if content is not None:
                    return str(file) if name in _PATHS else content
    return None


def _directories(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    for variable in DIRECTORIES:
        directory = environ.get(variable)
        if directory:
            yield variable, Path(directory)


def _is_there(file: Path, variable: str, directory: Path) -> bool:
    try:
        if not directory.is_dir():
            raise ConfigError(f"{variable} names {directory}, which is not a directory")
        file.lstat()
    except FileNotFoundError:
        return False
    except OSError as cause:
        raise ConfigError(f"{variable} names {directory}, which cannot be read: {cause.strerror}") from cause
    return True


def _content(path: Path, where: str) -> str | None:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n") or None
    except (OSError, UnicodeDecodeError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) else "it is not text"
        raise ConfigError(f"{where}, which cannot be read: {reason}") from cause
