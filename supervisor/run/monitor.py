"""Keeps the record of a run while it happens: threads write it, and every reader gets a frozen copy."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from attrs import evolve

from supervisor.record.outcome import AttemptResult
from supervisor.record.progress import AttemptProgress
from supervisor.record.reconciliation import Reconciliation
from supervisor.record.run_name import name_of_run
from supervisor.record.run_record import ExecutionSummary, PlatformRecord, RunRecord, Status
from supervisor.record.spend import DailySpend
from supervisor.report.files import write_report
from wire.checking import Api
from wire.shards import Shard


class ExecutionMonitor:
    """Tracks one run. `now` gives UTC times for the record, `clock` seconds for durations."""

    def __init__(
        self,
        platforms: Iterable[str] = (),
        *,
        run_id: str | None = None,
        shard: Shard | None = None,
        run_group: str | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._clock = clock
        self._lock = threading.RLock()
        self._records = {name: PlatformRecord(platform_name=name) for name in platforms}
        self._begun: dict[str, float] = {}
        self._begin = clock()
        self._end: float | None = None
        self._finished: dt.datetime | None = None
        self._exit_code: int | None = None
        self._spend: tuple[DailySpend, ...] = ()
        self.started = now()
        self.run_group, self.shard = run_group, shard
        self.run_id = run_id or name_of_run(f"{self.started:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}", run_group, shard)

    def start_platform(self, name: str) -> None:
        """An attempt begins, the first or another."""
        with self._lock:
            self._begun.setdefault(name, self._clock())
            record = self._of(name)
            self._put(evolve(record, status=Status.RUNNING, started=record.started or self._now()))

    def retry_platform(self, name: str) -> None:
        """An attempt failed and another will follow after a wait."""
        with self._lock:
            record = self._of(name)
            self._put(evolve(record, status=Status.RETRYING, retry_count=record.retry_count + 1))

    def update_attempt(self, progress: AttemptProgress) -> None:
        """A look at the attempt under way."""
        with self._lock:
            self._put(evolve(self._of(progress.platform), progress=progress))

    def record_attempt(self, attempt: AttemptResult) -> None:
        """Keep what one attempt did; its rows count even if it failed, because they are committed."""
        with self._lock:
            record = self._of(attempt.platform)
            attempts = (*record.attempts, attempt)
            self._put(
                evolve(
                    record,
                    attempts=attempts,
                    progress=None,
                    rows_processed=sum(each.rows for each in attempts),
                    tables_processed=len({table for each in attempts for table in each.rows_by_table}),
                )
            )

    def complete_platform(
        self, name: str, rows_processed: int | None = None, tables_processed: int | None = None
    ) -> None:
        """The platform is done. Numbers that are not given are those of the recorded attempts."""
        with self._lock:
            record = self._of(name)
            rows = record.rows_processed if rows_processed is None else rows_processed
            tables = record.tables_processed if tables_processed is None else tables_processed
            record = evolve(record, rows_processed=rows, tables_processed=tables, error_message=None)
            self._close(record, Status.COMPLETED)

    def fail_platform(self, name: str, error_message: str) -> None:
        """The platform has failed for good."""
        with self._lock:
            self._close(evolve(self._of(name), error_message=error_message), Status.FAILED)

    def skip_platform(self, name: str, reason: str) -> None:
        """The platform will not run."""
        with self._lock:
            self._close(evolve(self._of(name), error_message=reason), Status.SKIPPED)

    def keep_spend(self, spend: tuple[DailySpend, ...]) -> None:
        """What the sink holds of money, for the report."""
        with self._lock:
            self._spend = spend

    def keep_reconciliation(self, name: str, found: Reconciliation) -> None:
        """What came of comparing the days that a platform has loaded."""
        with self._lock:
            self._put(evolve(self._of(name), reconciliation=found))

    def keep_apis(self, apis: Mapping[str, Api]) -> None:
        """Which version of its platform's API each pipeline speaks, for the report."""
        with self._lock:
            for name, api in apis.items():
                self._put(evolve(self._of(name), api=api))

    def finish(self, exit_code: int) -> None:
        """The run is over."""
        with self._lock:
            self._end = self._clock()
            self._finished = self._now()
            self._exit_code = exit_code

    def platform(self, name: str) -> PlatformRecord:
        """One platform as it stands."""
        with self._lock:
            return self._current(self._of(name))

    @property
    def platforms(self) -> tuple[PlatformRecord, ...]:
        """All platforms as they stand, in the order in which they became known."""
        with self._lock:
            return tuple(self._current(record) for record in self._records.values())

    def get_summary(self) -> ExecutionSummary:
        """The numbers so far."""
        with self._lock:
            records = self.platforms
            count = {status: sum(record.status is status for record in records) for status in Status}
            return ExecutionSummary(
                total_platforms=len(records),
                completed=count[Status.COMPLETED],
                failed=count[Status.FAILED],
                skipped=count[Status.SKIPPED],
                success_rate=round(100 * count[Status.COMPLETED] / len(records), 2) if records else 0.0,
                total_rows_processed=sum(record.rows_processed for record in records),
                total_duration_seconds=(self._clock() if self._end is None else self._end) - self._begin,
            )

    def record(self) -> RunRecord:
        """Everything, as one value."""
        with self._lock:
            return RunRecord(
                run_id=self.run_id,
                run_group=self.run_group,
                shard=self.shard,
                started=self.started,
                finished=self._finished,
                exit_code=self._exit_code,
                platforms=self.platforms,
                summary=self.get_summary(),
                spend=self._spend,
            )

    def export_report(self, report_format: str, path: Path) -> None:
        """Write the report as "json", "csv" or "html"; raises ReportError."""
        write_report(self.record(), report_format, Path(path))

    def _of(self, name: str) -> PlatformRecord:
        return self._records.get(name) or PlatformRecord(platform_name=name)

    def _put(self, record: PlatformRecord) -> None:
        self._records[record.platform_name] = record

    def _close(self, record: PlatformRecord, status: Status) -> None:
        ended = self._now()
        begun = self._begun.get(record.platform_name)
        duration = self._clock() - begun if begun is not None else 0.0
        self._put(evolve(record, status=status, ended=ended, duration_seconds=duration, progress=None))

    def _current(self, record: PlatformRecord) -> PlatformRecord:
        begun = self._begun.get(record.platform_name)
        if begun is None or record.ended is not None:
            return record
        return evolve(record, duration_seconds=self._clock() - begun)
