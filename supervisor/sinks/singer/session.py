"""One platform's rows into one target process.

Rows are checked as every sink checks them, and wait in a file; a commit sends them and then the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from supervisor.config.errors import SinkError
from supervisor.record.state import parts_of
from supervisor.sinks import Commit, Result
from supervisor.sinks.judging import Verdict, judge
from supervisor.sinks.kept_state import KeptState
from supervisor.sinks.singer.echoes import Echoes
from supervisor.sinks.singer.messages import Records, schema_line, state_line
from supervisor.sinks.singer.names import StreamNames
from supervisor.sinks.singer.state_file import StateFile
from supervisor.sinks.singer.target import RunningTarget
from supervisor.sinks.staging import Staging
from supervisor.sinks.tables import check_names
from wire.schema import Table

StartTarget = Callable[[str, Echoes], RunningTarget]


class SingerSession:
    """A platform's target runs from the first thing that it is told until `flush` or `close`."""

    def __init__(
        self, platform: str, *, names: StreamNames, staging: Staging, states: StateFile, start: StartTarget
    ) -> None:
        self._platform = platform
        self._names = names
        self._staging = staging
        self._states = states
        self._start = start
        self._echoes = Echoes(lambda state: states.put(platform, state))
        self._tables: dict[str, Table] = {}
        self._records: dict[str, Records] = {}
        self._target: RunningTarget | None = None
        self._at_work = False
        stored = states.get(platform)
        self._state = KeptState(parts_of(stored) if stored is not None else {})

    def prepare(self, table: Table) -> None:
        with self._working():
            check_names(self._platform, table)
            self._name(table.name)
            self._staging.prepare(table)
            self._forget(table.name)
            self._tables[table.name] = table
            if self._target is None:
                self._running()
            else:
                self._announce(self._target, table)

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        with self._working():
            self._staging.stage(stream, spool, count, parts)
            try:
                if stream not in self._records:
                    self._records[stream] = Records(self._name(stream), spool.parent)
                self._records[stream].add(spool, parts)
            except OSError as cause:
                raise SinkError(
                    f"rows cannot be kept in {spool.parent} until they are sent: {cause.strerror or cause}"
                ) from cause

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        with self._working():
            verdict = judge(self._staging, commits, held=lambda _table, _region: 0)
            self._state.take(commits, verdict.refused)
            self._send(verdict)
            self._state.kept()
            for stream in verdict.streams:
                self._staging.empty(stream)
                self._forget(stream)
            return verdict.results()

    def discard(self) -> None:
        self._staging.discard()
        for stream in tuple(self._records):
            self._forget(stream)

    def flush(self) -> None:
        """The target's end; whatever is prepared or committed later starts another one."""
        if self._target is None:
            return
        with self._working():
            self._target.finish()
        if not self._echoes.complete:
            raise SinkError(
                "the Singer target ended without echoing the last state that it was sent; its rows may be stored, "
                "the state is not, so the next run sends them again"
            )
        self._end_target()

    def interrupt(self) -> None:
        if self._at_work:
            self._staging.interrupt()
            target = self._target
            if target is not None:
                target.interrupt()

    def state(self) -> bytes | None:
        return self._states.get(self._platform)

    def forget_state(self) -> None:
        self._state.forget()

    def close(self) -> None:
        try:
            self._end_target()
        finally:
            for stream in tuple(self._records):
                self._forget(stream)
            self._staging.close()

    def _name(self, stream: str) -> str:
        return self._names.of(self._platform, stream)

    def _running(self) -> RunningTarget:
        if self._target is None:
            self._target = self._start(self._platform, self._echoes)
            for table in self._tables.values():
                self._announce(self._target, table)
        return self._target

    def _announce(self, target: RunningTarget, table: Table) -> None:
        target.write(schema_line(self._name(table.name), table))

    def _send(self, verdict: Verdict) -> None:
        """Rows, and then the state that they lead to; no target is started for nothing."""
        if not verdict.has_state and not any(part.count for part in verdict.parts):
            return
        target = self._running()
        for part in verdict.parts:
            if part.stream in self._records:
                self._records[part.stream].send(target.write, None if part.regions is None else tuple(part.commits))
        state = self._state.planned_value() if verdict.has_state else None
        if state is not None:
            self._echoes.sent(state)
            target.write(state_line(state))

    def _forget(self, stream: str) -> None:
        records = self._records.pop(stream, None)
        if records is not None:
            records.close()

    def _end_target(self) -> None:
        target, self._target = self._target, None
        if target is not None:
            target.close()

    @contextmanager
    def _working(self) -> Iterator[None]:
        """An interruption between two verbs would end a target that nobody waits for."""
        self._at_work = True
        try:
            yield
        finally:
            self._at_work = False
