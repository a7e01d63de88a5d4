"""What Python users bring along: a sink and tokens of their own, checked before anything is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from supervisor.config.environment import read_environment
from supervisor.config.errors import ConfigError
from supervisor.sinks import Sink
from supervisor.sinks import open_sink as open_described

_SINK_VERBS = ("session", "put_state", "record_run", "publish", "close")


def open_sink(environ: Mapping[str, str] | None = None) -> Sink:
    """The sink that STORAGE_TYPE in `environ` asks for, open; without an argument in this process's environment.

    Close it when all runs are over. Raises ConfigError for the variables and SinkError for the storage.
    """
    return open_described(read_environment(os.environ if environ is None else environ))


def check_sink(given: object) -> None:
    """Raise ConfigError where `given` cannot be a sink; None is no sink of one's own."""
    missing = [verb for verb in _SINK_VERBS if not callable(getattr(given, verb, None))]
    missing += [] if hasattr(given, "description") else ["description"]
    if given is not None and missing:
        raise ConfigError(
            f"data_sink is a {type(given).__name__} and lacks {', '.join(missing)}; supervisor.open_sink() opens "
            "one, and supervisor.Sink says what one must have"
        )


def check_tokens(given: object) -> None:
    """Raise ConfigError where `given` cannot be a token provider; None leaves the variables to this process."""
    if given is not None and not isinstance(given, Mapping) and not callable(given):
        raise ConfigError(
            f"token_provider is a {type(given).__name__}; it must be a mapping of variables to values, or a function "
            "that gives one for a platform's name"
        )


def check_variables(name: str, given: Any) -> Mapping[str, str]:
    """What a token provider gave for a platform; raises ConfigError where it is no mapping of texts to texts."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"platform {name!r}: token_provider gave a {type(given).__name__} and not a mapping")
    odd = [key for key, value in given.items() if not isinstance(key, str) or not isinstance(value, str)]
    if odd:
        raise ConfigError(f"platform {name!r}: token_provider gave no text for the variable {odd[0]!r}")
    return given
