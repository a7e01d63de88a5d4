"""Where what a consent gives is kept: a file per variable, as SECRETS_DIRECTORY and NAME_FILE read it, or printed.

Whatever would keep it from being stored is found before the owner is asked, because a code is good for minutes.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from attrs import frozen

from supervisor.config.credentials import value_of
from supervisor.config.errors import ConfigError
from supervisor.record.whole_file import replace_file

_SECRETS = "SECRETS_DIRECTORY"
DEFAULT = Path("secrets")


@frozen
class Place:
    """A directory of files named after variables, or, with `alone`, one file; with `variable` it is that one's only."""

    path: Path
    alone: bool = False
    variable: str = ""

    def file_of(self, variable: str) -> Path:
        is_it = self.alone and self.variable in ("", variable)
        return self.path if is_it else self.directory / variable

    @property
    def directory(self) -> Path:
        return self.path.parent if self.alone else self.path


def place_for(given: Path | None, variables: Collection[str], environ: Mapping[str, str]) -> Place | None:
    """Where `--to`, NAME_FILE or SECRETS_DIRECTORY says; None where nothing does.

    Raises ConfigError for a file that would have to hold several values, or that cannot be one.
    """
    if given is not None:
        if given.is_file() and len(variables) > 1:
            raise ConfigError(
                f"--to: {given} is a file, and {', '.join(variables)} are to be kept; name a directory, in which each "
                "becomes a file"
            )
        return Place(given, alone=given.is_file())
    for name in variables:
        if environ.get(f"{name}_FILE"):
            return Place(Path(environ[f"{name}_FILE"]), alone=True, variable=name)
    return Place(Path(environ[_SECRETS])) if environ.get(_SECRETS) else None


def before_the_first(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables for looking things up: a directory of secrets that is not there yet is made when there is one."""
    directory = environ.get(_SECRETS)
    if not directory or Path(directory).exists():
        return environ
    return {name: value for name, value in environ.items() if name != _SECRETS}


def check_writable(place: Place) -> None:
    """Raise ConfigError where nothing can be written there; changes nothing."""
    wanted = place.directory.absolute()
    directory = next(each for each in (wanted, *wanted.parents) if each.exists())
    if not directory.is_dir():
        raise ConfigError(f"{place.path} cannot be written: {directory} is not a directory")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ConfigError(f"{place.path} cannot be written: there is no permission to write in {directory}")


def occupied(place: Place, variables: Iterable[str]) -> list[Path]:
    """The files that are there already; raises ConfigError for one that is no file."""
    files = [place.file_of(name) for name in variables]
    wrong = [file for file in files if file.is_dir()]
    if wrong:
        raise ConfigError(f"{wrong[0]} is a directory, and a value is to be kept there; --to names another place")
    return [file for file in files if file.exists()]


def keep(place: Place, values: Mapping[str, str]) -> list[Path]:
    """Write each value into its file, which its owner alone can read; raises ConfigError, naming what is not kept."""
    written: list[Path] = []
    for name, value in values.items():
        file = place.file_of(name)
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(file, f"{value}\n".encode())
        except OSError as cause:
            raise ConfigError(f"{name} cannot be kept in {file}: {cause.strerror}; authorize again") from cause
        written.append(file)
    return written


def printed(values: Mapping[str, str]) -> list[str]:
    """NAME=value, as an EnvironmentFile or `set -a; . FILE` takes it."""
    return [f"{name}={shlex.quote(value)}" for name, value in values.items()]


def not_read(place: Place | None, values: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """What keeps a run with these variables from reading what was kept, a sentence each."""
    if place is None:
        return []
    told: list[str] = []
    directories: list[str] = []
    for name, value in values.items():
        file, named = place.file_of(name).absolute(), environ.get(f"{name}_FILE")
        if environ.get(name):
            told.append(f"{name} is set in the environment and is read before the file: unset it")
        elif named and Path(named).resolve() != file.resolve():
            told.append(f"{name}_FILE names {named}, which is read before: let it name {file}")
        elif value_of(name, environ) == value:
            continue
        elif file.name == name:
            directories.append(f"for the runs, set {_SECRETS}={shlex.quote(str(file.parent))}")
        else:
            told.append(f"for the runs, set {name}_FILE={shlex.quote(str(file))}")
    return [*told, *dict.fromkeys(directories)]
