"""The sink that keeps no rows: they are checked and counted, and state does not advance. Runs are kept in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from supervisor.monitor import RunRecord
from supervisor.sinks import Commit
from supervisor.sinks.history_file import append_run
from wire.schema import Table


class NoSession:
    """Counts what another sink would have stored."""

    def __init__(self) -> None:
        self._staged: Counter[str] = Counter()

    def prepare(self, table: Table) -> None:
        self._staged[table.name] += 0

    def stage(self, stream: str, spool: Path, count: int) -> None:  # noqa: ARG002 - the file is not needed to count
        self._staged[stream] += count

    def commit(self, commit: Commit) -> Mapping[str, int]:
        return {stream: self._staged.pop(stream, 0) for stream in commit.streams}

    def discard(self) -> None:
        self._staged.clear()

    def state(self) -> bytes | None:
        return None

    def close(self) -> None:
        self.discard()


class NoSink:
    """Gives sessions that keep nothing."""

    def __init__(self, history_path: Path) -> None:
        self._history_path = history_path

    description = "no storage: rows are counted and dropped"

    def session(self, platform: str, run_id: str) -> NoSession:  # noqa: ARG002 - every session is alike
        return NoSession()

    def record_run(self, record: RunRecord) -> None:
        append_run(self._history_path, record)

    def publish(self) -> None:
        pass

    def close(self) -> None:
        pass
