"""One attempt of one platform: its process and its loader side by side, watched until the tree is empty.

Decides why an attempt ended; how a process is stopped is `process`, how lines become rows is `loader`.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from attrs import define, field

from supervisor.config.redaction import harmless, redact
from supervisor.config.schema import PlatformConfig
from supervisor.load.loader import Loader
from supervisor.load.progress import Progress
from supervisor.process.child import Child, Usage
from supervisor.process.log_lines import log_lines
from supervisor.process.stopping import StopRequest
from supervisor.record.calls import Calls
from supervisor.record.log import log
from supervisor.record.outcome import AccountFailure, AttemptResult, Outcome
from supervisor.record.progress import AttemptProgress
from supervisor.record.series import Series
from supervisor.run.ends import End, end_of_error, end_of_exit, is_retryable
from supervisor.run.invocation import Invocation
from supervisor.run.patience import OverdueError, limited, patiently
from wire.messages import Replaces

_LOOK_SECONDS = 0.25
_IDLE_LOOK_SECONDS = 0.5
"""Between two looks at a tree that used no CPU time since the one before, so it cannot have taken memory either."""
_DRAIN_SECONDS = 5.0
_ANSWER_SECONDS = 3.0
_STDERR_LINES = 20
_BLIND_LOOKS = 20


@define(kw_only=True)
class Attempt:
    """One start of one platform's pipeline. `run` is called once and returns when nothing of it is alive."""

    invocation: Invocation
    number: int
    stop: StopRequest
    secrets: frozenset[str]
    log_line: Callable[[str], None]
    observe: Callable[[AttemptProgress], None] | None = None
    _stderr: deque[str] = field(factory=lambda: deque(maxlen=_STDERR_LINES))
    _peak: int = 0
    _series: Series = field(factory=Series)
    _calls: Calls = field(factory=Calls)
    _last_log: float = field(factory=time.monotonic)
    _interruption: tuple[float, str] | None = None
    _blind: int = 0
    _trouble: Exception | None = None
    left_behind: bool = field(default=False, init=False)
    """Whether threads still use the session, because the sink or the reader answered no interruption."""

    @property
    def platform(self) -> PlatformConfig:
        return self.invocation.platform

    def run(self) -> AttemptResult:
        """Run the pipeline to its end, whatever that is; raises for nothing that happens meanwhile."""
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        given = self.invocation
        loader = Loader(
            given.session, given.directory, notice=self.log_line, allow_emptying=self.platform.allow_emptying
        )
        child: Child | None = None
        end: End | None = None
        kept = False
        try:
            with limited(loader.interrupt, partial(self._sink_overdue, clock)):
                child = Child.spawn(
                    patiently(given.command, self._no_answer),
                    directory=given.pipeline.directory,
                    environment=given.environment(),
                    address_space_limit=self.platform.address_space_limit,
                    user=given.user,
                )
                try:
                    end = self._watch(child, loader, clock)
                    kept = end is None and child.exit_status == 0
                finally:
                    finished = loader.finish(keep=kept, given_up=lambda: self._no_answer() is not None)
                    self.left_behind = self.left_behind or not finished
                end = end or _loading_end(loader)
                if end is not None and end.outcome is Outcome.INTERRUPTED and self._interruption is not None:
                    end = End(Outcome.INTERRUPTED, self._interruption[1])  # which says that the sink was late, too
        except Exception as error:  # noqa: BLE001 - it is this attempt's end, and nobody else's
            log.debug("Platform '%s': an attempt could not go on", self.platform.name, exc_info=error)
            self.left_behind = self.left_behind or isinstance(error, OverdueError)
            end = end_of_error(error, running=child is not None)
        return self._result(started, time.monotonic() - clock, loader, end, child)

    def _watch(self, child: Child, loader: Loader, clock: float) -> End | None:
        readers: list[threading.Thread] = []
        try:
            self._start_readers(child, loader, readers)
            end = self._until_over(child, loader, clock)
        except Exception as error:  # noqa: BLE001 - whatever it is, the tree must be ended first
            log.debug("Platform '%s': a look at its process failed", self.platform.name, exc_info=error)
            end = end_of_error(error, running=True)
        # A leader that ended by itself may still have left others behind: the end is an empty tree.
        child.stop(self.platform.kill_grace, hurry=lambda: self.stop.hurry)
        self._drain(loader)
        for reader in readers:
            reader.join(_DRAIN_SECONDS)
        if child.reap() is None and end is None:
            end = End(Outcome.KILLED_BY_KERNEL, "its keeper was killed from outside, and it was ended with it")
        self._peak = max(self._peak, child.largest_bytes)
        return end

    def _start_readers(self, child: Child, loader: Loader, readers: list[threading.Thread]) -> None:
        """Have both outputs read, each on a thread that closes it; what cannot be read is closed here."""
        unread = [child.stdout, child.stderr]
        try:
            stderr = threading.Thread(target=self._read_stderr, args=(child.stderr,), name="stderr", daemon=True)
            stderr.start()
            unread.remove(child.stderr)
            readers.append(stderr)
            loader.start(child.stdout)
            unread.remove(child.stdout)
        finally:
            for descriptor in unread:
                os.close(descriptor)

    def _drain(self, loader: Loader) -> None:
        """Let the loader take what is left in the pipe, unless it answers no interruption any more."""
        if loader.wait(_DRAIN_SECONDS):
            return
        loader.stop()
        while not loader.wait(_LOOK_SECONDS):
            if self._no_answer() is not None:
                self.left_behind = True
                return

    def _until_over(self, child: Child, loader: Loader, clock: float) -> End | None:
        worked, idle = 0.0, False
        while not child.wait(_IDLE_LOOK_SECONDS if idle else _LOOK_SECONDS):
            now = time.monotonic()
            if self.stop:
                return End(Outcome.INTERRUPTED, self.stop.reason)
            if self._trouble is not None:
                return end_of_error(self._trouble, running=True)
            usage = self._look(child)
            if usage:
                worked, idle = usage.cpu_seconds, usage.cpu_seconds == worked
            end = self._over_memory(child, usage, now - clock) if usage else None
            end = end or self._over_time(loader, now, clock) or _loading_end(loader)
            if end is not None:
                return end
            if usage:
                self._tell(loader.progress, usage, now - clock)
        return None

    def _look(self, child: Child) -> Usage | None:
        """A look at the tree, or None where the system does not allow one just then; raises OSError if that lasts."""
        try:
            usage = child.look()
        except OSError as error:
            self._blind += 1
            if self._blind >= _BLIND_LOOKS:
                raise
            if self._blind == 1:
                log.warning("Platform '%s': its processes cannot be looked at: %s", self.platform.name, error)
            return None
        self._blind = 0
        return usage

    def _tell(self, progress: Progress, usage: Usage, seconds: float) -> None:
        if self.observe is not None:
            self.observe(
                AttemptProgress(
                    platform=self.platform.name,
                    number=self.number,
                    seconds=seconds,
                    rows=progress.rows,
                    rows_by_table={self._clean(table): rows for table, rows in progress.rows_by_table.items()},
                    bytes_read=progress.bytes_read,
                    memory_bytes=usage.memory_bytes,
                    peak_memory_bytes=self._peak,
                    cpu_seconds=usage.cpu_seconds,
                    blocked_on_sink_seconds=progress.blocked_seconds,
                    requests_in_flight=self._calls.requests_in_flight,
                    seconds_left=self._calls.seconds_left,
                    last_commit=self._clean(_region_text(progress.region)),
                    **self._calls.told(),
                )
            )

    def _over_time(self, loader: Loader, now: float, clock: float) -> End | None:
        if now - clock > self.platform.timeout:
            waited = loader.progress.blocked_seconds
            share = f", {waited:.0f} s of them spent waiting for the sink" if waited >= 1 else ""
            advice = "raise `timeout` or load fewer days at once"
            return End(Outcome.TIMED_OUT, f"stopped after {self.platform.timeout:g} s, its timeout{share}; {advice}")
        stall = self.platform.stall_timeout
        silent = now - max(loader.progress.last_sign, self._last_log)
        if stall is not None and silent > stall and not loader.blocked:
            return End(
                Outcome.STALLED, f"stopped after {silent:.0f} s without a line of output or log, its stall_timeout"
            )
        return None

    def _sink_overdue(self, clock: float) -> str | None:
        """Why the sink's work must end now, if it must: it has the time of its pipeline, and a grace like it."""
        now, grace = time.monotonic(), self.platform.kill_grace + _DRAIN_SECONDS
        reason: str | None = None
        if now - clock > self.platform.timeout + grace:
            reason = (
                f"the sink was still storing rows after {self.platform.timeout:g} s, the timeout of its platform; "
                "look at the database, or raise `timeout`"
            )
        elif self.stop and (self.stop.hurry or now - (self.stop.since or now) > grace):
            reason = f"{self.stop.reason}, and the sink did not end in time"
        if reason is not None and self._interruption is None:
            self._interruption = (now, reason)
        return reason

    def _no_answer(self) -> str | None:
        """Why nobody waits for the loader any more, where an interruption has gone unanswered for too long."""
        if self._interruption is None or time.monotonic() <= self._interruption[0] + _ANSWER_SECONDS:
            return None
        return self._interruption[1]

    def _over_memory(self, child: Child, usage: Usage, seconds: float) -> End | None:
        memory = usage.memory_bytes
        if usage.processes:  # the leader may end between the wait and the look, and that is no fall to zero
            self._series.add(seconds, memory, usage.cpu_seconds)
        limit = self.platform.memory_limit
        if limit is not None and memory > limit:
            # RSS counts shared pages once per process, so a tree over the limit is looked at again, exactly.
            memory = min(memory, child.shared_fairly())
        self._peak = max(self._peak, memory)
        if limit is None or memory <= limit:
            return None
        return End(
            Outcome.MEMORY_EXCEEDED,
            f"stopped at {memory / 2**20:.0f} MiB, over its memory_limit of {limit / 2**20:.0f} MiB",
        )

    def _read_stderr(self, descriptor: int) -> None:
        try:
            for text in log_lines(descriptor, self.secrets, sign=self._note_sign):
                if self._calls.take(text):
                    self.log_line(f"DEBUG | {text}")
                elif text:
                    self._stderr.append(text)
                    self.log_line(text)
        except Exception as error:  # noqa: BLE001 - on this thread nobody would catch it; `_until_over` looks
            self._trouble = error

    def _clean(self, text: str) -> str:
        """What a pipeline may have written a secret into, or an escape sequence."""
        return harmless(redact(text, self.secrets))

    def _note_sign(self) -> None:
        self._last_log = time.monotonic()

    def _result(
        self, started: dt.datetime, seconds: float, loader: Loader, end: End | None, child: Child | None
    ) -> AttemptResult:
        failures = loader.progress.failures
        exit_status = child.exit_status if child else None
        was_cut_short = end is not None
        if end is None and exit_status is not None:
            end = end_of_exit(exit_status, failures, self._stderr[-1] if self._stderr else None)
        progress = loader.progress
        waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
        return AttemptResult(
            platform=self.platform.name,
            number=self.number,
            outcome=end.outcome if end else Outcome.COMPLETED,
            message=self._clean(end.sentence) if end else None,
            exit_status=exit_status if exit_status is None or exit_status >= 0 else None,
            signal=-exit_status if exit_status is not None and exit_status < 0 else None,
            rows=progress.rows,
            rows_by_table={self._clean(table): rows for table, rows in progress.rows_by_table.items()},
            rows_by_account={
                self._clean(table): {self._clean(account): count for account, count in rows.items()}
                for table, rows in progress.rows_by_account.items()
            },
            bytes_read=progress.bytes_read,
            started=started,
            duration_seconds=seconds,
            peak_memory_bytes=self._peak,
            memory_limit_bytes=self.platform.memory_limit,
            cpu_seconds=max(child.cpu_seconds if child else 0.0, self._series.cpu_seconds),
            samples=self._series.points,
            blocked_on_sink_seconds=progress.blocked_seconds,
            **self._calls.told(),
            stderr_tail=tuple(self._stderr),
            survivors=tuple(map(self._clean, child.survivors)) if child and not was_cut_short else (),
            failed_accounts=tuple(
                AccountFailure(account_id=self._clean(f.account_id), kind=f.kind.value, message=self._clean(f.message))
                for f in failures
                if f.account_id is not None
            ),
            retry_after=max(waits, default=None),
            retryable=end is not None and not self.left_behind and is_retryable(end, exit_status, failures),
        )


def unstarted(platform: str, number: int, end: End, *, started: dt.datetime) -> AttemptResult:
    """What there is to say about an attempt that ended before its pipeline was started."""
    return AttemptResult(
        platform=platform,
        number=number,
        outcome=end.outcome,
        message=end.sentence,
        started=started,
        duration_seconds=max(0.0, (dt.datetime.now(dt.UTC) - started).total_seconds()),
        retryable=is_retryable(end, None, ()),
    )


def _loading_end(loader: Loader) -> End | None:
    return None if loader.error is None else end_of_error(loader.error, running=True)


def _region_text(region: Replaces | None) -> str:
    """A region in the order in which a reader asks: whose, what, which days."""
    if region is None:
        return ""
    days = [day for day in (region.first, region.last) if day is not None]
    return " ".join((*region.where.values(), region.stream, "..".join(dict.fromkeys(days)))).strip()
