"""What `history`, `show` and `freshness` share: the history, opened for reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.record.history import History


@contextmanager
def kept_runs() -> Iterator[History]:
    """The history where the environment says that it is. Raises ConfigError or SinkError."""
    from supervisor.config.environment import read_environment  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.sinks import open_history  # noqa: PLC0415 - as above

    history = open_history(read_environment())
    try:
        yield history
    finally:
        history.close()
