"""Sessions that check and count rows as every sink does, and drop them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from supervisor.config.errors import SinkError
from supervisor.record.run_record import RunRecord
from supervisor.sinks import Commit, Result
from supervisor.sinks.history_file import append_run
from supervisor.sinks.judging import judge
from supervisor.sinks.staging import Staging, StagingDatabase
from supervisor.sinks.tables import check_names
from wire.schema import Table


class NoSession:
    """Counts what another sink would have stored."""

    def __init__(self, staging: Staging, platform: str) -> None:
        self._staging = staging
        self._platform = platform

    def prepare(self, table: Table) -> None:
        check_names(self._platform, table)
        self._staging.prepare(table)

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        self._staging.stage(stream, spool, count, parts)

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        verdict = judge(self._staging, commits, held=lambda _table, _region: 0)
        for stream in verdict.streams:
            self._staging.empty(stream)
        return verdict.results()

    def discard(self) -> None:
        self._staging.discard()

    def flush(self) -> None:
        """Nothing is stored."""

    def interrupt(self) -> None:
        self._staging.interrupt()

    def state(self) -> bytes | None:
        return None

    def forget_state(self) -> None:
        """There is none."""

    def close(self) -> None:
        self._staging.close()


class NoSink:
    """Gives sessions that keep nothing."""

    def __init__(self, history_path: Path, *, spools: Path | None = None) -> None:
        self._history_path = history_path
        self._database = StagingDatabase(spools)

    description = "no storage: rows are checked, counted and dropped"

    def session(self, platform: str, run_id: str) -> NoSession:  # noqa: ARG002 - nothing that would carry it is kept
        return NoSession(self._database.staging(), platform)

    def put_state(self, platform: str, state: bytes | None) -> None:  # noqa: ARG002 - as above
        raise SinkError("STORAGE_TYPE=none keeps no state, so there is none to change")

    def record_run(self, record: RunRecord) -> None:
        append_run(self._history_path, record)

    def publish(self) -> None:
        pass

    def close(self) -> None:
        self._database.close()
