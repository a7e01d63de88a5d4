"""The few errors that stop a run, grouped by who can mend them; each carries the sentence that the operator will read.

What ends one attempt is no exception but an `Outcome`. `exit_code` is what the process ends with when nothing catches
the error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class SupervisorError(Exception):
    """The run cannot go on."""

    exit_code: ClassVar[int] = 4


class ConfigError(SupervisorError):
    """The configuration, the environment or the installation must be mended first; names all findings at once."""

    exit_code = 1

    def __init__(self, findings: Iterable[str]) -> None:
        self.findings: tuple[str, ...] = (findings,) if isinstance(findings, str) else tuple(findings)
        super().__init__("\n".join(self.findings))


class InstallError(SupervisorError):
    """A pipeline's environment could not be built."""

    exit_code = 1


class SinkError(SupervisorError):
    """The storage cannot be opened, is held by another run, or refused something."""

    exit_code = 1


class ReportError(SupervisorError):
    """The report cannot be written."""

    exit_code = 1


class AuthorizationError(SupervisorError):
    """The owner of an account gave no consent, or it led to no token."""

    exit_code = 1
