"""The sink that keeps no rows: they are checked and counted, and state does not advance. Runs are kept in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.sinks.history_file import HistoryFile
from supervisor.sinks.none.sink import NoSink

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.config.environment import RunEnvironment


def open_sink(environment: RunEnvironment, spools: Path | None = None) -> NoSink:
    return NoSink(environment.history_path, spools=spools)


def open_history(environment: RunEnvironment) -> HistoryFile:
    return HistoryFile(
        environment.history_path,
        no_state="STORAGE_TYPE=none keeps no rows and no state, so there is nothing to tell",
    )


def check(environment: RunEnvironment) -> str | None:  # noqa: ARG001 - there is nothing that could be wrong
    return None
