"""One child's lines into one sink's transactions.

Two threads: the reader takes blocks off the pipe, checks them, spools raw rows to files and gathers finished regions;
the committer hands files and regions to the sink in order. The queue between them is short, so a slow sink stops the
reading, and the pipe stops the child: back-pressure without a buffer that grows.
"""

from __future__ import annotations

import os
import queue
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.load.gathering import Gathering
from supervisor.load.progress import Progress
from supervisor.load.spool import Piece, Spool
from supervisor.sinks import Commit, Refusal, Session
from wire.failures import WireError
from wire.reader import Failure, Notice, Reader, Rows, Schema, State, repeated_column
from wire.schema import Table

BLOCK_BYTES = 1024 * 1024
SPOOL_BYTES = 16 * 1024 * 1024
ALONE_BYTES = 1024 * 1024
"""A region that has grown so large shares its file with no other."""
QUEUE_LENGTH = 3
_LOOK_SECONDS = 0.5
_BUSY_SECONDS = 0.02
_HELD_READS = 4  # the first takes all that a pipe can hold


@frozen
class _Prepare:
    table: Table


@frozen
class _Stage:
    stream: str
    piece: Piece


@frozen
class _Transaction:
    commits: tuple[Commit, ...]


class _Discard:
    pass


_Work = _Prepare | _Stage | _Transaction | _Discard | None


class Loader:
    """Reads one pipeline's output to its end; `error` is the first thing that went wrong, on either thread.

    With `allow_emptying` a region without rows takes away what is there, whatever the pipeline says of it.
    """

    def __init__(
        self,
        session: Session,
        spool_directory: Path,
        *,
        notice: Callable[[str], None],
        allow_emptying: bool = False,
    ) -> None:
        self.progress = Progress()
        self.error: WireError | SinkError | None = None
        self._session = session
        self._directory = spool_directory
        self._notice = notice
        self._reader = Reader()
        self._tables: dict[str, Table] = {}
        self._allow_emptying = allow_emptying
        self._spools: dict[str, Spool] = {}
        self._gathering = Gathering()
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
        # Finished regions are committed either way: they are whole.
        self._guarded(self._flush)
        if keep and self.error is None:
            self._guarded(lambda: self._commit_rest(None, is_patch=False))
        for spool in self._spools.values():
            spool.forget()
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
            idle = not poll.poll(self._patience() * 1000)
            if self._is_due():
                self._flush()
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

    def _patience(self) -> float:
        """How long the pipe may be waited for: regions that have been gathered do not wait for more."""
        if self._gathering.is_empty:
            return _LOOK_SECONDS
        return max(_BUSY_SECONDS, min(_LOOK_SECONDS, self._gathering.seconds_left))

    def _is_due(self) -> bool:
        return self._gathering.is_full or (self._gathering.have_waited and self._queue.empty())

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
        if table.name in self._spools and self._spools[table.name].count:
            line = self._reader.line
            raise WireError("its SCHEMA changes while rows wait for a STATE", line=line, stream=table.name)
        self._flush()
        self._tables[table.name] = table
        self._spools[table.name] = Spool(self._directory)
        self._put(_Prepare(table))

    def _spool(self, rows: Rows) -> None:
        spool = self._spools[rows.stream]
        spool.add(rows.data, rows.count)
        if spool.size >= ALONE_BYTES and spool.parts:
            self._flush()
        if spool.size >= SPOOL_BYTES:
            self._stage(rows.stream, spool.take_piece())

    def _stage(self, stream: str, piece: Piece | None) -> None:
        if piece is not None:
            self._put(_Stage(stream, piece))

    def _state(self, event: State) -> None:
        # An empty state must never overwrite a stored one: https://github.com/meltano/sdk/issues/3000
        state = None if event.value in (b"null", b"{}") else event.value
        replaces = event.replaces
        if replaces is None:
            self._flush()
            self._commit_rest(state, is_patch=event.is_patch)
            return
        spool = self._spools[replaces.stream]
        if replaces.rows is not None and replaces.rows != spool.count:
            raise WireError(
                f"a STATE announces {replaces.rows:,} rows of its region, but {spool.count:,} arrived",
                line=self._reader.line,
                stream=replaces.stream,
            )
        commit = Commit(
            streams=(replaces.stream,),
            state=state,
            is_patch=event.is_patch,
            replaces=replaces,
            may_empty=self._allow_emptying,
        )
        if spool.is_staged:
            self._flush()
            self._stage(replaces.stream, spool.take_piece())
            spool.reset()
            self._put(_Transaction((commit,)))
            return
        if not self._gathering.has_room_for(self._tables[replaces.stream], replaces):
            self._flush()
        self._gathering.add(commit, spool.count, spool.size)
        spool.finish_region()
        if self._is_due():
            self._flush()

    def _flush(self) -> None:
        """Hand over the finished regions, in one transaction; rows of regions in progress stay here."""
        if self._gathering.is_empty:
            return
        commits = self._gathering.take()
        for stream in dict.fromkeys(stream for commit in commits for stream in commit.streams):
            self._stage(stream, self._spools[stream].take_finished())
        self._put(_Transaction(tuple(commits)))

    def _commit_rest(self, state: bytes | None, *, is_patch: bool) -> None:
        """Hand over all rows that wait, to be merged by key, with the state after them."""
        streams = tuple(stream for stream, spool in self._spools.items() if spool.count)
        for stream in streams:
            self._stage(stream, self._spools[stream].take_piece())
            self._spools[stream].reset()
        if streams or state is not None:
            self._put(_Transaction((Commit(streams=streams, state=state, is_patch=is_patch),)))

    def _forget_pending(self) -> None:
        """The rows of an account that failed half-way are not a region; a later STATE must not take them for one."""
        self._flush()
        is_staged = any(spool.is_staged for spool in self._spools.values())
        for spool in self._spools.values():
            spool.forget()
        if is_staged:
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
                work.piece.path.unlink(missing_ok=True)
        if accepts and not self._interrupted:
            self._guarded(self._session.flush)
        self._guarded(self._session.discard)

    def _do(self, work: _Work) -> None:
        if isinstance(work, _Prepare):
            self._session.prepare(work.table)
        elif isinstance(work, _Stage):
            self._store_piece(work.stream, work.piece)
        elif isinstance(work, _Transaction):
            for commit, result in zip(work.commits, self._session.commit(work.commits), strict=True):
                if isinstance(result, Refusal):
                    self.progress.refuse(commit, result.sentence)
                else:
                    self.progress.count(commit, result)
        elif isinstance(work, _Discard):
            self._session.discard()

    def _store_piece(self, stream: str, piece: Piece) -> None:
        try:
            self._session.stage(stream, piece.path, piece.count, piece.parts)
        except SinkError as refusal:
            column = _repeated_in(piece.path)
            if column is None:
                raise
            reason = f"a record has {column!r} twice, so nobody can tell which value is meant"
            raise WireError(reason, line=None, stream=stream) from refusal
        piece.path.unlink()


def _repeated_in(spool: Path) -> str | None:
    """The first column that a record in a file has twice, if any."""
    with suppress(OSError), spool.open("rb") as records:
        return next(filter(None, map(repeated_column, records)), None)
    return None
