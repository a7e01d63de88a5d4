"""In here: where rows go, one package per STORAGE_TYPE, and what they share (staging, regions, names, history, lock).
Used by: load, run and cli.
May import: process, record, config, wire.

A sink is opened once a run and gives each platform a session of its own.

Every sink keeps the same promises, as far as its storage can: a region is replaced whole, state and rows become visible
together or not at all, and nothing that does not fit a column is stored. docs/sinks.md says what each one keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from attrs import frozen

from supervisor.config.environment import RunEnvironment
from supervisor.record.history import History
from supervisor.record.run_record import RunRecord
from wire.messages import Replaces
from wire.schema import Table


@frozen(kw_only=True)
class Commit:
    """What becomes visible at once: the staged rows of `streams`, and the pipeline's state after them.

    With `replaces` the rows of its one stream are all rows of a region; otherwise rows are merged by key.
    A `state` of None leaves the stored one; with `is_patch` it is a JSON Merge Patch (RFC 7386) of the stored one.
    `may_empty` lets a region without rows take rows away that no second answer of the platform confirms to be gone.
    """

    streams: tuple[str, ...]
    state: bytes | None = None
    is_patch: bool = False
    replaces: Replaces | None = None
    may_empty: bool = False


@frozen
class Refusal:
    """Why a region is not stored: it breaks a rule. Its rows and its state are as they were."""

    sentence: str


Result = Mapping[str, int] | Refusal
"""The rows stored of each stream of a commit; or why its region was refused."""


class Session(Protocol):
    """One platform's way into a sink; used by one thread at a time. Every verb raises SinkError."""

    def prepare(self, table: Table) -> None:
        """Create the table, or add the columns that it lacks; an incompatible change is an error."""

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        """Parse a file of `count` JSON lines into the stream's staging area, where nobody sees it yet.

        `parts` says how many of them belong to each of several regions, in the order in which `commit` is given them.
        """

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        """Make staged rows and states visible in one transaction; what came of each commit.

        Several are regions that do not overlap; rows that are merged are committed alone. A region that breaks a rule
        is refused alone, and the state of its table and account does not advance in this session any more.
        """

    def discard(self) -> None:
        """Forget everything staged."""

    def flush(self) -> None:
        """After the last commit: wait until all that was committed is stored for good."""

    def interrupt(self) -> None:
        """From any thread: make the verb in progress end soon, with SinkError; what it stored is rolled back."""

    def state(self) -> bytes | None:
        """The JSON text of the state last committed for this platform."""

    def forget_state(self) -> None:
        """Begin with no state: what is stored stays until the first commit that has one, and is then replaced whole."""

    def close(self) -> None:
        """Give everything back; staged rows are lost."""


class Sink(Protocol):
    """An open storage, held for one run at a time. Every verb raises SinkError."""

    @property
    def description(self) -> str:
        """What and where it is, for the log: `duckdb file /data/social_ads.duckdb`."""

    def session(self, platform: str, run_id: str) -> Session:
        """A session for one platform; several may be open at once, from different threads."""

    def put_state(self, platform: str, state: bytes | None) -> None:
        """Put another state in place of a platform's stored one, or with None take it away; rows stay."""

    def record_run(self, record: RunRecord) -> None:
        """Keep what is known of a run, in place of what was kept of it before."""

    def publish(self) -> None:
        """Called once after the last session: refresh what readers see of all platforms together."""

    def close(self) -> None:
        """Give the storage back."""


class Backend(Protocol):
    """What the package of a sink offers; its library loads only when one of these is called."""

    def open_sink(self, environment: RunEnvironment, spools: Path | None = None) -> Sink:
        """Open the storage for a run; raises SinkError. All files that are staged lie below `spools`, or in TMPDIR."""

    def open_history(self, environment: RunEnvironment) -> History:
        """Open what it has kept, for reading; raises SinkError."""

    def check(self, environment: RunEnvironment) -> str | None:
        """What would keep a run from using the storage, as a sentence, or None; creates nothing."""


def backend(environment: RunEnvironment) -> Backend:
    """The sink that STORAGE_TYPE asks for: each of its values is the name of a package in here."""
    return cast(Backend, import_module(f"{__name__}.{environment.storage_type.value}"))


def open_sink(environment: RunEnvironment, spools: Path | None = None) -> Sink:
    """The open sink that STORAGE_TYPE asks for; raises SinkError. It reads no files but those below `spools`."""
    return backend(environment).open_sink(environment, spools)


def open_history(environment: RunEnvironment) -> History:
    """The runs that the sink of STORAGE_TYPE has kept. Raises SinkError."""
    return backend(environment).open_history(environment)
