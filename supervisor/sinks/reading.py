"""The database of STORAGE_TYPE opened for a reader's questions, beside a run if need be."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from supervisor.config.environment import RunEnvironment
from supervisor.config.errors import ConfigError
from supervisor.sinks import backend
from supervisor.sinks.reconciling import Ask, Columns


@runtime_checkable
class Answers(Protocol):
    """The package of a sink whose storage understands SQL."""

    def opened_for_reading(self, environment: RunEnvironment) -> AbstractContextManager[tuple[Ask, Columns]]:
        """How to ask it, and the columns of its tables. Raises SinkError."""


def opened_for_reading(environment: RunEnvironment) -> AbstractContextManager[tuple[Ask, Columns]]:
    """How to ask it, and the columns of its tables. Raises SinkError, and ConfigError for a storage without SQL."""
    storage = backend(environment)
    if not isinstance(storage, Answers):
        raise ConfigError(
            f"STORAGE_TYPE: levels are compared in DuckDB and Vertica, and rows go to {environment.storage_type} here"
        )
    return storage.opened_for_reading(environment)
