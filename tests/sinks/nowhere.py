"""The sink that keeps nothing, as the suite sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from supervisor.sinks.none.sink import NoSink
from wire.schema import Table


class Nowhere:
    keeps_rows: ClassVar[bool] = False
    keeps_state: ClassVar[bool] = False
    replaces: ClassVar[bool] = False
    isolated: ClassVar[bool] = True
    widest: ClassVar[int] = 1000
    longest_text: ClassVar[int] = 5_000_000

    def __init__(self, directory: Path) -> None:
        self._history = directory / "history.jsonl"

    @property
    def variables(self) -> dict[str, str]:
        return {"STORAGE_TYPE": "none", "HISTORY_PATH": str(self._history)}

    def open(self) -> NoSink:
        return NoSink(self._history)

    def rows(self, platform: str, table: Table) -> list[dict[str, Any]]:
        return []

    def occupy(self, platform: str, table: Table) -> None:
        raise AssertionError("it has no tables that somebody else could have made")

    def leave_old_state(self, platform: str, state: str) -> None:
        raise AssertionError("it keeps no state")

    def state_writes(self, run_id: str) -> int | None:
        return None

    def forget_dead_run(self) -> None:
        pass

    def close(self) -> None:
        pass
