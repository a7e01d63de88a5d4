"""Runs from the history file, states from the state file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supervisor.record.history import PlatformRun, StoredState
from supervisor.sinks.history_file import HistoryFile
from supervisor.sinks.singer.state_file import read_states


class SingerHistory:
    """What a run into a Singer target has left on this machine; each file is read when it is asked for."""

    def __init__(self, history_path: Path, state_path: Path) -> None:
        self._history_path = history_path
        self._state_path = state_path.absolute()

    def platform_runs(self, platform: str | None, last: int) -> tuple[PlatformRun, ...]:
        return HistoryFile(self._history_path).platform_runs(platform, last)

    def reports(self, run_id: str, most: int = 2) -> tuple[Mapping[str, Any], ...]:
        return HistoryFile(self._history_path).reports(run_id, most)

    def states(self) -> tuple[StoredState, ...]:
        states = read_states(self._state_path)
        return tuple(StoredState(platform=name, value=states[name].decode()) for name in sorted(states))

    def close(self) -> None:
        """Nothing is held between two questions."""
