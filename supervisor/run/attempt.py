"""One attempt of one platform: its process and its loader side by side, watched until the tree is empty.

Decides why an attempt ended; how a process is stopped is `process`, how lines become rows is `loader`.
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from supervisor.config.credentials import redact
from supervisor.config.errors import SinkError
from supervisor.config.schema import PlatformConfig
from supervisor.load.loader import Loader, Progress
from supervisor.process.child import Child, SpawnError, Usage
from supervisor.process.log_lines import log_lines
from supervisor.process.stopping import StopRequest
from supervisor.record.calls import Calls
from supervisor.record.outcome import AccountFailure, AttemptResult, Outcome
from supervisor.record.progress import AttemptProgress
from supervisor.record.series import Series
from supervisor.run.patience import limited
from supervisor.run.registry import Pipeline
from supervisor.sinks import Session
from wire.exits import NO_RETRY, TEMPORARY, UNAVAILABLE
from wire.failures import WireError
from wire.messages import ErrorLine, Replaces

_LOOK_SECONDS = 0.25
_DRAIN_SECONDS = 5.0
_STDERR_LINES = 20


@frozen(kw_only=True)
class Days:
    """The days that a run was asked to load; None leaves the choice to the pipeline."""

    since: dt.date | None = None
    until: dt.date | None = None


@frozen
class _End:
    """Why an attempt was cut short."""

    outcome: Outcome
    sentence: str


@define(kw_only=True)
class Attempt:
    """One start of one platform's pipeline. `run` is called once and returns when nothing of it is alive."""

    platform: PlatformConfig
    pipeline: Pipeline
    session: Session
    number: int
    directory: Path
    stop: StopRequest
    secrets: frozenset[str]
    log_line: Callable[[str], None]
    days: Days = Days()
    full_refresh: bool = False
    observe: Callable[[AttemptProgress], None] | None = None
    _stderr: deque[str] = field(factory=lambda: deque(maxlen=_STDERR_LINES))
    _peak: int = 0
    _series: Series = field(factory=Series)
    _calls: Calls = field(factory=Calls)
    _last_log: float = field(factory=time.monotonic)
    _stopped: float | None = None

    def run(self) -> AttemptResult:
        """Run the pipeline to its end, whatever that is; never raises for what the pipeline or the sink does."""
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        loader = Loader(self.session, self.directory, notice=self.log_line)
        child: Child | None = None
        with limited(loader.interrupt, partial(self._sink_overdue, clock)):
            try:
                child = Child.spawn(
                    self._command(),
                    directory=self.pipeline.directory,
                    environment=self.pipeline.environment,
                    address_space_limit=self.platform.address_space_limit,
                )
            except SpawnError as error:
                end: _End | None = _End(Outcome.SPAWN_FAILED, f"{error}")
            except SinkError as error:
                end = _End(Outcome.SINK_ERROR, f"{error}")
            else:
                end = self._watch(child, loader, clock)
                loader.finish(keep=end is None and child.exit_status == 0)
                end = end or _loading_end(loader)
        return self._result(started, time.monotonic() - clock, loader, end, child)

    def _watch(self, child: Child, loader: Loader, clock: float) -> _End | None:
        stderr = threading.Thread(target=self._read_stderr, args=(child.stderr,), name="stderr", daemon=True)
        stderr.start()
        loader.start(child.stdout)
        end = self._until_over(child, loader, clock)
        # A leader that ended by itself may still have left others behind: the end is an empty tree.
        child.stop(self.platform.kill_grace, hurry=lambda: self.stop.hurry)
        if not loader.wait(_DRAIN_SECONDS):
            loader.stop()
            loader.wait()
        stderr.join(_DRAIN_SECONDS)
        if child.reap() is None and end is None:
            end = _End(Outcome.KILLED_BY_KERNEL, "its keeper was killed from outside, and it was ended with it")
        self._peak = max(self._peak, child.largest_bytes)
        return end

    def _until_over(self, child: Child, loader: Loader, clock: float) -> _End | None:
        while not child.wait(_LOOK_SECONDS):
            now = time.monotonic()
            if self.stop:
                return _End(Outcome.INTERRUPTED, self.stop.reason)
            usage = child.look()
            end = self._over_memory(child, usage, now - clock) or self._over_time(loader, now, clock)
            end = end or _loading_end(loader)
            if end is not None:
                return end
            self._tell(loader.progress, usage, now - clock)
        return None

    def _tell(self, progress: Progress, usage: Usage, seconds: float) -> None:
        if self.observe is not None:
            self.observe(
                AttemptProgress(
                    platform=self.platform.name,
                    number=self.number,
                    seconds=seconds,
                    rows=progress.rows,
                    rows_by_table=dict(progress.rows_by_table),
                    bytes_read=progress.bytes_read,
                    memory_bytes=usage.memory_bytes,
                    peak_memory_bytes=self._peak,
                    cpu_seconds=usage.cpu_seconds,
                    blocked_on_sink_seconds=progress.blocked_seconds,
                    api_calls=self._calls.calls,
                    api_retries=self._calls.retries,
                    throttled_seconds=self._calls.throttled_seconds,
                    last_commit=_region_text(progress.region),
                )
            )

    def _over_time(self, loader: Loader, now: float, clock: float) -> _End | None:
        if now - clock > self.platform.timeout:
            waited = loader.progress.blocked_seconds
            share = f", {waited:.0f} s of them spent waiting for the sink" if waited >= 1 else ""
            advice = "raise `timeout` or load fewer days at once"
            return _End(Outcome.TIMED_OUT, f"stopped after {self.platform.timeout:g} s, its timeout{share}; {advice}")
        stall = self.platform.stall_timeout
        silent = now - max(loader.progress.last_sign, self._last_log)
        if stall is not None and silent > stall and not loader.blocked:
            return _End(
                Outcome.STALLED, f"stopped after {silent:.0f} s without a line of output or log, its stall_timeout"
            )
        return None

    def _sink_overdue(self, clock: float) -> str | None:
        """Why the sink's work must end now, if it must: it has the time of its pipeline, and a grace like it."""
        now, grace = time.monotonic(), self.platform.kill_grace + _DRAIN_SECONDS
        if now - clock > self.platform.timeout + grace:
            return (
                f"the sink was still storing rows after {self.platform.timeout:g} s, the timeout of its platform; "
                "look at the database, or raise `timeout`"
            )
        if not self.stop:
            return None
        self._stopped = self._stopped or now
        if self.stop.hurry or now - self._stopped > grace:
            return f"{self.stop.reason}, and the sink did not end in time"
        return None

    def _over_memory(self, child: Child, usage: Usage, seconds: float) -> _End | None:
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
        return _End(
            Outcome.MEMORY_EXCEEDED,
            f"stopped at {memory / 2**20:.0f} MiB, over its memory_limit of {limit / 2**20:.0f} MiB",
        )

    def _read_stderr(self, descriptor: int) -> None:
        for text in log_lines(descriptor, self.secrets, sign=self._note_sign):
            if self._calls.take(text):
                self.log_line(f"DEBUG | {text}")
            elif text:
                self._stderr.append(text)
                self.log_line(text)

    def _note_sign(self) -> None:
        self._last_log = time.monotonic()

    def _command(self) -> tuple[str, ...]:
        """The pipeline's command with Singer's options; state and settings travel in files that only we can read."""
        command = list(self.pipeline.command)
        if self.platform.settings or not self.platform.command:
            command += ["--config", self._write("config.json", dict(self.platform.settings))]
        if self.full_refresh:
            self.session.forget_state()
        state = None if self.full_refresh else self.session.state()
        if state is not None:
            command += ["--state", self._write("state.json", json.loads(state))]
        if self.days.since:
            command += ["--since", self.days.since.isoformat()]
        if self.days.until:
            command += ["--until", self.days.until.isoformat()]
        return tuple(command)

    def _write(self, name: str, value: Mapping[str, Any]) -> str:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(value), encoding="utf-8")
        return str(path)

    def _result(
        self, started: dt.datetime, seconds: float, loader: Loader, end: _End | None, child: Child | None
    ) -> AttemptResult:
        failures = loader.progress.failures
        exit_status = child.exit_status if child else None
        was_cut_short = end is not None
        if end is None and exit_status is not None:
            end = self._exit_end(exit_status, failures)
        progress = loader.progress
        waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
        return AttemptResult(
            platform=self.platform.name,
            number=self.number,
            outcome=end.outcome if end else Outcome.COMPLETED,
            message=redact(end.sentence, self.secrets) if end else None,
            exit_status=exit_status if exit_status is None or exit_status >= 0 else None,
            signal=-exit_status if exit_status is not None and exit_status < 0 else None,
            rows=progress.rows,
            rows_by_table=dict(progress.rows_by_table),
            rows_by_account={table: dict(rows) for table, rows in progress.rows_by_account.items()},
            bytes_read=progress.bytes_read,
            started=started,
            duration_seconds=seconds,
            peak_memory_bytes=self._peak,
            memory_limit_bytes=self.platform.memory_limit,
            cpu_seconds=max(child.cpu_seconds if child else 0.0, self._series.cpu_seconds),
            samples=self._series.points,
            blocked_on_sink_seconds=progress.blocked_seconds,
            api_calls=self._calls.calls,
            api_retries=self._calls.retries,
            throttled_seconds=self._calls.throttled_seconds,
            stderr_tail=tuple(self._stderr),
            survivors=child.survivors if child and not was_cut_short else (),
            failed_accounts=tuple(
                AccountFailure(account_id=f.account_id, kind=f.kind.value, message=redact(f.message, self.secrets))
                for f in failures
                if f.account_id is not None
            ),
            retry_after=max(waits, default=None),
            retryable=end is not None and _is_retryable(end.outcome, exit_status, failures),
        )

    def _exit_end(self, status: int, failures: list[ErrorLine]) -> _End | None:
        if status == 0 and not failures:
            return None
        if status == -signal.SIGKILL:
            return _End(Outcome.KILLED_BY_KERNEL, "killed by the kernel (SIGKILL), probably out of memory")
        if status < 0:
            name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
            return _End(Outcome.FAILED, f"ended by {name}; {self._last_words()}")
        accounts = {f.account_id: f for f in failures if f.account_id is not None}
        whole = [f for f in failures if f.account_id is None]
        if whole:
            return _End(Outcome.FAILED, whole[-1].message)
        if accounts:
            named = "; ".join(f"{account}: {f.message}" for account, f in accounts.items())
            return _End(Outcome.FAILED, f"{len(accounts)} account(s) failed: {named}")
        return _End(Outcome.FAILED, f"ended with exit status {status}; {self._last_words()}")

    def _last_words(self) -> str:
        return f"its last line was: {self._stderr[-1]}" if self._stderr else "it wrote nothing to its log"


def _loading_end(loader: Loader) -> _End | None:
    if isinstance(loader.error, WireError):
        return _End(Outcome.PROTOCOL_ERROR, f"its output breaks the protocol: {loader.error}")
    if loader.error is not None:
        return _End(Outcome.SINK_ERROR, f"{loader.error}")
    return None


def _region_text(region: Replaces | None) -> str:
    """A region in the order in which a reader asks: whose, what, which days."""
    if region is None:
        return ""
    days = [day for day in (region.first, region.last) if day is not None]
    return " ".join((*region.where.values(), region.stream, "..".join(dict.fromkeys(days)))).strip()


def _is_retryable(outcome: Outcome, exit_status: int | None, failures: list[ErrorLine]) -> bool:
    """Whether another attempt could mend it; a pipeline says so by its exit status."""
    if outcome in (Outcome.INTERRUPTED, Outcome.SPAWN_FAILED):
        return False
    if outcome is Outcome.FAILED:
        if exit_status in (TEMPORARY, UNAVAILABLE):
            return True
        return exit_status not in NO_RETRY and not (exit_status == 0 and failures)
    return True
