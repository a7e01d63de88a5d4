"""One child's lines into one sink's transactions.

Two threads: the reader takes blocks off the pipe, checks them and spools raw rows to files; the committer hands the
files to the sink in order. The queue between them is short, so a slow sink stops the reading, and the pipe stops the
child: back-pressure without a buffer that grows.
"""

from __future__ import annotations

import os
import queue
import select
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from attrs import define, field, frozen

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit, Session
from wire.failures import WireError
from wire.messages import ErrorLine, Replaces
from wire.reader import Failure, Notice, Reader, Rows, Schema, State
from wire.schema import Table

BLOCK_BYTES = 1024 * 1024
SPOOL_BYTES = 16 * 1024 * 1024
QUEUE_LENGTH = 3
_LOOK_SECONDS = 0.5
_HELD_READS = 4  # the first takes all that a pipe can hold


@frozen
class _Prepare:
    table: Table


@frozen
class _Stage:
    stream: str
    spool: Path
    count: int


class _Discard:
    pass


_Work = _Prepare | _Stage | Commit | _Discard | None


@define
class Progress:
    """What has happened so far; written by the loader's threads, read by whoever watches."""

    rows_by_table: Counter[str] = field(factory=Counter)
    rows_by_account: dict[str, Counter[str]] = field(factory=dict)
    bytes_read: int = 0
    commits: int = 0
    blocked_seconds: float = 0.0
    last_sign: float = field(factory=time.monotonic)
    failures: list[ErrorLine] = field(factory=list)
    region: Replaces | None = None

    @property
    def rows(self) -> int:
        return sum(self.rows_by_table.values())

    def count(self, commit: Commit, stored: Mapping[str, int]) -> None:
        """Add what a commit stored; a region says whose rows it holds, rows that are merged do not."""
        self.rows_by_table.update(stored)
        self.commits += 1
        self.region = commit.replaces or self.region
        account = commit.replaces.where.get("account_id") if commit.replaces else None
        if account is not None:
            for stream, rows in stored.items():
                self.rows_by_account.setdefault(stream, Counter())[str(account)] += rows


@define
class _Pending:
    """Rows of one stream since its last STATE: the file being filled, and the count of all of them."""

    count: int = 0
    spooled: int = 0
    size: int = 0
    file: IO[bytes] | None = None


class Loader:
    """Reads one pipeline's output to its end; `error` is the first thing that went wrong, on either thread."""

    def __init__(self, session: Session, spool_directory: Path, *, notice: Callable[[str], None]) -> None:
        self.progress = Progress()
        self.error: WireError | SinkError | None = None
        self._session = session
        self._directory = spool_directory
        self._notice = notice
        self._reader = Reader()
        self._tables: dict[str, Table] = {}
        self._pending: dict[str, _Pending] = {}
        self._queue: queue.Queue[_Work] = queue.Queue(QUEUE_LENGTH)
        self._over = threading.Event()
        self._interrupted = False
        self._committer = threading.Thread(target=self._commit_all, name="committer", daemon=True)
        self._thread: threading.Thread | None = None

    def start(self, descriptor: int) -> None:
        """Read `descriptor` on a thread of its own, until its end, an error, or `stop`; the loader closes it."""
        self._committer.start()
        thread = threading.Thread(target=self._read_all, args=(descriptor,), name="reader", daemon=True)
        thread.start()
        self._thread = thread

    @property
    def reading(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def blocked(self) -> bool:
        """Whether the sink is behind, so that a silent pipeline may only be waiting for it."""
        return self._queue.full()

    def stop(self) -> None:
        """Take what is in the pipe now and read no further; for a pipe that somebody keeps open after the end.

        Limited by reads and not by time: a slow sink may keep the reader from what a finished pipeline left in it.
        """
        self._over.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until everything was read, or `seconds`; whether it was."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.reading

    def finish(self, *, keep: bool, given_up: Callable[[], bool] = lambda: False) -> bool:
        """After reading: commit rows that no STATE covered if `keep`, else forget them; wait for the sink.

        False where `given_up` came true first: then the sink is still at work, and its session must not be closed.
        """
        if self.reading or self._committer.ident is None:
            return self._committer.ident is None
        closing = threading.Thread(target=self._finish, args=(keep,), name="finish", daemon=True)
        try:
            closing.start()
        except (RuntimeError, MemoryError):
            self._finish(keep)
            return True
        while closing.is_alive():
            closing.join(_LOOK_SECONDS)
            if closing.is_alive() and given_up():
                return False
        return True

    def _finish(self, keep: bool) -> None:
        if keep and self.error is None:
            rest = tuple(stream for stream, pending in self._pending.items() if pending.count)
            self._guarded(lambda: self._hand_over(rest, None))
        for pending in self._pending.values():
            _drop(pending)
        self._queue.put(_Discard())
        self._queue.put(None)
        self._committer.join()

    def interrupt(self, reason: str) -> None:
        """From any thread: end what the sink is doing, so that `wait` and `finish` come to an end."""
        self._interrupted = True
        self.error = self.error or SinkError(reason)
        self._session.interrupt()

    def _read_all(self, descriptor: int) -> None:
        try:
            self._guarded(lambda: self._read_blocks(descriptor))
        finally:
            os.close(descriptor)

    def _guarded(self, work: Callable[[], None]) -> bool:
        """Do it; whether it went well."""
        try:
            work()
            return True
        except (WireError, SinkError) as error:
            self.error = self.error or error
        except OSError as cause:
            self._fail(SinkError(f"rows cannot be spooled to {self._directory}: {cause.strerror or cause}"), cause)
        except Exception as cause:  # noqa: BLE001 - a thread that dies would leave the other waiting for ever
            self._fail(SinkError(f"a bug in the loader: {type(cause).__name__}: {cause}"), cause)
        return False

    def _fail(self, error: SinkError, cause: Exception) -> None:
        error.__cause__ = cause
        self.error = self.error or error

    def _read_blocks(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        left = _HELD_READS
        while self.error is None:
            idle = not poll.poll(_LOOK_SECONDS * 1000)
            if self._over.is_set() and (idle or left <= 0):
                self._reader.finish()
                return
            if idle:
                continue
            block = os.read(descriptor, BLOCK_BYTES)
            if not block:
                self._reader.finish()
                return
            left -= self._over.is_set()
            self.progress.bytes_read += len(block)
            self.progress.last_sign = time.monotonic()
            for event in self._reader.feed(block):
                self._take(event)

    def _take(self, event: Schema | Rows | State | Failure | Notice) -> None:
        if isinstance(event, Rows):
            self._spool(event)
        elif isinstance(event, State):
            self._state(event)
        elif isinstance(event, Schema):
            self._schema(event.table)
        elif isinstance(event, Failure):
            self.progress.failures.append(event.error)
            if event.error.account_id is not None:
                self._forget_pending()
        else:
            self._notice(event.text)

    def _schema(self, table: Table) -> None:
        if self._tables.get(table.name) == table:
            return
        if table.name in self._pending and self._pending[table.name].count:
            raise WireError("its SCHEMA changes while rows wait for a STATE", line=0, stream=table.name)
        self._tables[table.name] = table
        self._pending[table.name] = _Pending()
        self._put(_Prepare(table))

    def _spool(self, rows: Rows) -> None:
        pending = self._pending[rows.stream]
        if pending.file is None:
            pending.file = tempfile.NamedTemporaryFile(dir=self._directory, suffix=".jsonl", delete=False)  # noqa: SIM115 - the committer removes it when DuckDB has read it
        pending.file.write(rows.data)
        pending.count += rows.count
        pending.spooled += rows.count
        pending.size += len(rows.data)
        if pending.size >= SPOOL_BYTES:
            self._stage(rows.stream)

    def _stage(self, stream: str) -> None:
        pending = self._pending[stream]
        if pending.file is not None:
            pending.file.close()
            self._put(_Stage(stream, Path(pending.file.name), pending.spooled))
            pending.file, pending.size, pending.spooled = None, 0, 0

    def _state(self, event: State) -> None:
        replaces = event.replaces
        if replaces is None:
            streams = tuple(stream for stream, pending in self._pending.items() if pending.count)
        else:
            streams = (replaces.stream,)
            count = self._pending[replaces.stream].count
            if replaces.rows is not None and replaces.rows != count:
                raise WireError(
                    f"a STATE announces {replaces.rows:,} rows of its region, but {count:,} arrived",
                    line=self._reader.line,
                    stream=replaces.stream,
                )
        # An empty state must never overwrite a stored one: https://github.com/meltano/sdk/issues/3000
        state = None if event.value in (b"null", b"{}") else event.value
        self._hand_over(streams, Commit(streams=streams, state=state, is_patch=event.is_patch, replaces=replaces))

    def _hand_over(self, streams: tuple[str, ...], commit: Commit | None) -> None:
        for stream in streams:
            self._stage(stream)
            self._pending[stream] = _Pending()
        if commit is not None:
            self._put(commit)
        elif streams:
            self._put(Commit(streams=streams))

    def _forget_pending(self) -> None:
        """The rows of an account that failed half-way are not a region; a later STATE must not take them for one."""
        for stream, pending in self._pending.items():
            _drop(pending)
            self._pending[stream] = _Pending()
        self._put(_Discard())

    def _put(self, work: _Work) -> None:
        started = time.monotonic()
        self._queue.put(work)
        now = time.monotonic()
        self.progress.blocked_seconds += now - started
        self.progress.last_sign = now  # the silence until now was the sink's

    def _commit_all(self) -> None:
        """Do the work in order; after an error of the sink only empty the queue, so that the reader never waits.

        An error of the reader is no reason to leave what came before it: the windows in the queue are complete.
        """
        accepts = True
        while (work := self._queue.get()) is not None:
            if accepts and not self._interrupted:
                accepts = self._guarded(lambda work=work: self._do(work))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            elif isinstance(work, _Stage):
                work.spool.unlink(missing_ok=True)
        if accepts and not self._interrupted:
            self._guarded(self._session.flush)
        self._guarded(self._session.discard)

    def _do(self, work: _Work) -> None:
        if isinstance(work, _Prepare):
            self._session.prepare(work.table)
        elif isinstance(work, _Stage):
            self._session.stage(work.stream, work.spool, work.count)
            work.spool.unlink()
        elif isinstance(work, Commit):
            stored = self._session.commit(work)
            self.progress.count(work, stored)
        elif isinstance(work, _Discard):
            self._session.discard()


def _drop(pending: _Pending) -> None:
    """Remove a spool file whose rows are not wanted; what it still buffers may not fit on a full disk, and need not."""
    if pending.file is not None:
        with suppress(OSError):
            pending.file.close()
        Path(pending.file.name).unlink(missing_ok=True)
