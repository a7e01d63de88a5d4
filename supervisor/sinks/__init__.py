"""Where rows go. A sink is opened once a run and gives each platform a session of its own.

Every sink keeps the same promises: a region is replaced whole, state and rows become visible together or not at all,
and nothing that does not fit a column is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from attrs import frozen

from supervisor.environment import RunEnvironment
from supervisor.errors import ConfigError
from supervisor.monitor import RunRecord
from wire.messages import Replaces
from wire.schema import Table


@frozen(kw_only=True)
class Commit:
    """What becomes visible at once: the staged rows of `streams`, and the pipeline's state after them.

    With `replaces` the rows of its one stream are all rows of a region; otherwise rows are merged by key.
    A `state` of None leaves the stored one.
    """

    streams: tuple[str, ...]
    state: bytes | None = None
    replaces: Replaces | None = None


class Session(Protocol):
    """One platform's way into a sink; used by one thread at a time. Every verb raises SinkError."""

    def prepare(self, table: Table) -> None:
        """Create the table, or add the columns that it lacks; an incompatible change is an error."""

    def stage(self, stream: str, spool: Path, count: int) -> None:
        """Parse a file of `count` JSON lines into the stream's staging area, where nobody sees it yet."""

    def commit(self, commit: Commit) -> Mapping[str, int]:
        """Make staged rows and state visible in one transaction; the rows stored of each stream."""

    def discard(self) -> None:
        """Forget everything staged."""

    def state(self) -> bytes | None:
        """The JSON text of the state last committed for this platform."""

    def close(self) -> None:
        """Give everything back; staged rows are lost."""


class Sink(Protocol):
    """An open storage."""

    @property
    def description(self) -> str:
        """What and where it is, for the log: `duckdb file /data/social_ads.duckdb`."""

    def session(self, platform: str, run_id: str) -> Session:
        """A session for one platform; several may be open at once, from different threads."""

    def record_run(self, record: RunRecord) -> None:
        """Keep what is known of a run, in place of what was kept of it before; raises SinkError."""

    def publish(self) -> None:
        """Called once after the last session: refresh the views over all platforms."""

    def close(self) -> None:
        """Give the storage back."""


def open_sink(environment: RunEnvironment) -> Sink:
    """The sink that STORAGE_TYPE asks for. Raises SinkError or ConfigError."""
    kind = environment.storage_type.value
    if kind == "duckdb":
        from supervisor.sinks.duckdb import DuckDBSink  # noqa: PLC0415 - a sink's library loads only when it is used

        return DuckDBSink(environment.duckdb_path)
    if kind == "none":
        from supervisor.sinks.none import NoSink  # noqa: PLC0415 - as above

        return NoSink(environment.history_path)
    raise ConfigError(f"STORAGE_TYPE: there is no sink {kind!r} in this version; there are duckdb and none")
