"""One platform's tables in Vertica: staged in DuckDB, sent into a temporary table, and moved in one transaction.

The connection is made by the first verb that needs it, so a server that is away costs an attempt, which is made again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit, Result
from supervisor.sinks.judging import Part, judge
from supervisor.sinks.kept_state import KeptState
from supervisor.sinks.quoting import quoted
from supervisor.sinks.regions import Region, selections
from supervisor.sinks.staging import Staging
from supervisor.sinks.tables import ADDED
from supervisor.sinks.vertica.bookkeeping import Batch
from supervisor.sinks.vertica.connection import Link
from supervisor.sinks.vertica.defining import Definitions
from supervisor.sinks.vertica.literals import literal, moment, where
from supervisor.sinks.vertica.refusals import LostError
from supervisor.sinks.vertica.state import stored_parts, write_changes
from supervisor.sinks.vertica.target import Target
from supervisor.sinks.vertica.transfer import Measures, marker_of, measure, send
from wire.schema import Table

_EXPORT = "vertica.csv"


@frozen
class _Part:
    """What a commit stores of one stream: `source` is what follows FROM in DuckDB."""

    stream: str
    source: str
    regions: tuple[Region, ...] | None
    measures: Measures

    @property
    def count(self) -> int:
        return self.measures.count


class VerticaSession:
    """One platform's tables. `new_link` makes a connection that is not open yet; `before` is called before it opens.

    A connection that was lost is not made again, but for finding out whether a commit was stored.
    """

    def __init__(
        self,
        new_link: Callable[[], Link],
        staging: Staging,
        platform: str,
        run_id: str,
        *,
        before: Callable[[], None],
        definitions: Definitions,
    ) -> None:
        self._new_link = new_link
        self._staging = staging
        self._platform = platform
        self._run_id = run_id
        self._before = before
        self._definitions = definitions
        self._targets: dict[str, Target] = {}
        self._measures: dict[tuple[str, str], Measures] = {}
        self._directory = Path()
        self._link: Link | None = None
        self._interrupted = False
        self._state: KeptState | None = None

    def prepare(self, table: Table) -> None:
        former = self._targets.get(table.name)
        target = Target(self._platform, table, former.stage if former else f"_supervisor_stage_{len(self._targets)}")
        link = self._connected()
        if not target.is_there(link):
            with self._defining():
                target.prepare(link)
        if former is not None:
            former.drop_stage(link)
        self._targets[table.name] = target
        self._staging.prepare(table)

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        self._directory = spool.parent
        self._staging.stage(stream, spool, count, parts)

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        state = self._kept_state  # which is read by a query of its own, before the transaction
        verdict = judge(self._staging, commits, held=self._held, fits=self._fits)
        # In one order for all, or two shards would each wait for a table that the other has.
        parts = sorted((self._measured(part) for part in verdict.parts), key=lambda part: part.stream)
        self._measures.clear()
        link = self._connected()
        for part in parts:
            self._make_room(link, part)
        batch = Batch(run_id=self._run_id, platform=self._platform, streams=verdict.streams)
        try:
            for part in parts:
                self._send(link, part)
            for part in parts:  # from here on tables are locked
                self._replace(link, part)
            state.take(commits, verdict.refused)
            write_changes(link, self._platform, state.changes(), run_id=self._run_id)
            batch.enter(link, sum(part.count for part in parts))
        except BaseException:
            state.dropped()
            link.roll_back()
            raise
        self._end(link, batch)
        state.kept()
        for part in parts:
            self._staging.empty(part.stream)
        return verdict.results()

    def discard(self) -> None:
        self._staging.discard()

    def flush(self) -> None:
        """A commit is stored on as many nodes as the database demands when it returns."""

    def interrupt(self) -> None:
        self._interrupted = True
        self._staging.interrupt()
        if self._link is not None:
            self._link.interrupt()

    def state(self) -> bytes | None:
        self._kept_state.renew(stored_parts(self._connected(), self._platform))
        return self._kept_state.value

    def forget_state(self) -> None:
        self._kept_state.forget()

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._staging.close()

    @property
    def _kept_state(self) -> KeptState:
        if self._state is None:
            self._state = KeptState(stored_parts(self._connected(), self._platform))
        return self._state

    def _defining(self) -> AbstractContextManager[None]:
        """The turn to change definitions; who waits for it can still be interrupted."""
        return self._definitions.changing(lambda: self._interrupted)

    def _connected(self) -> Link:
        if self._link is None:
            self._before()
            self._link = self._new_link()
            self._open(self._link)
        return self._link

    def _open(self, link: Link) -> None:
        if self._interrupted:
            raise SinkError("the session was ended")
        link.open()

    def _held(self, table: Table, region: Region) -> int:
        target = self._targets[table.name]
        return self._connected().count(
            f"SELECT count(*) FROM {target.sql} WHERE {where(region)}", f"count the rows of {target.name}"
        )

    def _fits(self, stream: str, source: str) -> Measures:
        """Look through rows before they are sent; raises RowError for one that Vertica cannot hold."""
        target = self._targets[stream]
        found = self._measures[stream, source] = measure(self._staging, stream, source, target.name)
        target.check_room(found.longest)
        return found

    def _measured(self, part: Part) -> _Part:
        measures = self._measures.get((part.stream, part.source)) or self._fits(part.stream, part.source)
        return _Part(part.stream, part.source, part.regions, measures)

    def _make_room(self, link: Link, part: _Part) -> None:
        """All that Vertica commits by itself, before the first row."""
        target = self._targets[part.stream]
        if target.is_narrow(part.measures.longest):
            with self._defining():
                target.widen(link, part.measures.longest)
        if part.count:
            target.make_stage(link)

    def _replace(self, link: Link, part: _Part) -> None:
        target = self._targets[part.stream]
        for clear in self._clearing(target, part):
            link.run(f"DELETE FROM {target.sql} WHERE {clear}", f"delete former rows of {target.name}")
        if part.count:
            added = ", ".join(quoted(column.name) for column in ADDED)
            now = moment(dt.datetime.now(dt.UTC).replace(microsecond=0))
            stored = link.count(
                f"INSERT INTO {target.sql} ({target.columns}, {added}) "
                f"SELECT {target.columns}, {now}, {literal(self._run_id)} FROM {quoted(target.stage)}",
                f"store rows in {target.name}",
            )
            _expect(stored, part.count, target)

    def _send(self, link: Link, part: _Part) -> None:
        """Into the temporary table, which locks nobody out."""
        if not part.count:
            return
        target = self._targets[part.stream]
        sent = send(
            link,
            self._staging,
            part.stream,
            part.source,
            stage=target.stage,
            marker=marker_of(part.measures.marker_length),
            file=self._directory / _EXPORT,
        )
        _expect(sent, part.count, target)
        accepted = link.count("SELECT GET_NUM_ACCEPTED_ROWS()", "count the rows that it took")
        _expect(accepted, part.count, target)

    def _clearing(self, target: Target, part: _Part) -> Iterator[str]:
        """Which rows the new ones stand in for, as SQL."""
        if part.regions is not None:
            for selection in selections(target.table, part.regions):
                yield selection.sql(quoted, literal)
        elif target.table.key and part.count:
            key = ", ".join(quoted(name) for name in target.table.key)
            yield f"({key}) IN (SELECT {key} FROM {quoted(target.stage)})"

    def _end(self, link: Link, batch: Batch) -> None:
        """COMMIT; when its answer is lost, the ledger says what came of it."""
        try:
            link.run("COMMIT", "commit")
        except LostError as loss:
            self._settle(batch, loss)
        except SinkError:
            link.roll_back()
            raise

    def _settle(self, batch: Batch, loss: LostError) -> None:
        for target in self._targets.values():
            target.forget_stage()
        self._link = self._new_link()
        try:
            self._open(self._link)
            done = batch.is_entered(self._link)
        except SinkError as error:
            raise SinkError(
                f"{loss}; whether that commit was stored is unknown, as asking was in vain ({error}); its rows and its "
                "state are stored together or not at all, and the next run goes on from there"
            ) from loss
        if not done:
            raise SinkError(f"{loss}; nothing of that commit was stored") from loss


def _expect(found: int, sent: int, target: Target) -> None:
    if found != sent:
        raise SinkError(f"Vertica took {found:,} of {sent:,} rows for {target.name}; nothing of them is stored")
