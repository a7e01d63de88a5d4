"""Sessions that check and count rows as every sink does, and drop them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.errors import SinkError
from supervisor.monitor import RunRecord
from supervisor.sinks import Commit
from supervisor.sinks.history_file import append_run
from supervisor.sinks.tables import check_names
from wire.schema import Table

if TYPE_CHECKING:
    import duckdb

    from supervisor.sinks.staging import Staging


class NoSession:
    """Counts what another sink would have stored; `open_staging` is called when there is a first table."""

    def __init__(self, open_staging: Callable[[], Staging], platform: str) -> None:
        self._open_staging = open_staging
        self._platform = platform
        self._opened: Staging | None = None

    @property
    def _staging(self) -> Staging:
        if self._opened is None:
            self._opened = self._open_staging()
        return self._opened

    def prepare(self, table: Table) -> None:
        check_names(self._platform, table)
        self._staging.prepare(table)

    def stage(self, stream: str, spool: Path, count: int) -> None:
        self._staging.stage(stream, spool, count)

    def commit(self, commit: Commit) -> Mapping[str, int]:
        stored = {}
        for stream in commit.streams:
            self._staging.check(stream, commit.replaces)
            stored[stream] = self._staging.count(stream, commit.replaces)
        for stream in commit.streams:
            self._staging.empty(stream)
        return stored

    def discard(self) -> None:
        if self._opened is not None:
            self._opened.discard()

    def flush(self) -> None:
        pass

    def interrupt(self) -> None:
        if self._opened is not None:
            self._opened.interrupt()

    def state(self) -> bytes | None:
        return None

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


class NoSink:
    """Gives sessions that keep nothing."""

    def __init__(self, history_path: Path) -> None:
        self._history_path = history_path
        self._opening = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None

    description = "no storage: rows are checked, counted and dropped"

    def session(self, platform: str, run_id: str) -> NoSession:  # noqa: ARG002 - nothing that would carry it is kept
        return NoSession(self._open_staging, platform)

    def put_state(self, platform: str, state: bytes | None) -> None:  # noqa: ARG002 - as above
        raise SinkError("STORAGE_TYPE=none keeps no state, so there is none to change")

    def record_run(self, record: RunRecord) -> None:
        append_run(self._history_path, record)

    def publish(self) -> None:
        pass

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def _open_staging(self) -> Staging:
        from supervisor.sinks.staging import Staging, open_staging_database  # noqa: PLC0415 - DuckDB takes 50 MiB

        with self._opening:
            if self._database is None:
                self._database = open_staging_database()
            return Staging(self._database.cursor())
