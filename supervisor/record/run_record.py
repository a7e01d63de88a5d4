"""What is known of a run at one moment, as values: each platform's part, and the summary.

The reports, the metrics, the live view and the history are made from `RunRecord`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from enum import StrEnum

from attrs import frozen

from supervisor.record.outcome import AccountFailure, AttemptResult
from supervisor.record.progress import AttemptProgress
from supervisor.record.reconciliation import Reconciliation
from supervisor.record.spend import DailySpend
from wire.checking import Api
from wire.shards import Shard


class Status(StrEnum):
    """Where a platform stands."""

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class PlatformRecord:
    """One platform's part of a run. Rows are committed rows of all attempts; times are UTC; None: not yet, or never.

    `progress` is that of the attempt under way, whose rows the others do not count yet. `api` is what the pipeline says
    that it speaks, where it was asked. `reconciliation` is there once the days that it loaded were compared.
    """

    platform_name: str
    status: Status = Status.PENDING
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    duration_seconds: float = 0.0
    rows_processed: int = 0
    tables_processed: int = 0
    retry_count: int = 0
    error_message: str | None = None
    attempts: tuple[AttemptResult, ...] = ()
    progress: AttemptProgress | None = None
    api: Api | None = None
    reconciliation: Reconciliation | None = None

    @property
    def rows_by_table(self) -> dict[str, int]:
        """Table -> rows committed by all attempts."""
        total: dict[str, int] = {}
        for attempt in self.attempts:
            for table, rows in attempt.rows_by_table.items():
                total[table] = total.get(table, 0) + rows
        return dict(sorted(total.items()))

    @property
    def rows_by_account(self) -> dict[str, dict[str, int]]:
        """Table -> account -> rows committed by all attempts; of tables that a pipeline loads account by account."""
        total: dict[str, Counter[str]] = {}
        for attempt in self.attempts:
            for table, rows in attempt.rows_by_account.items():
                total.setdefault(table, Counter()).update(rows)
        return {table: dict(sorted(rows.items())) for table, rows in sorted(total.items())}

    @property
    def failed_accounts(self) -> tuple[AccountFailure, ...]:
        """The accounts that the last attempt gave up: one that an earlier one gave up may have been mended since."""
        return self.attempts[-1].failed_accounts if self.attempts else ()


@frozen(kw_only=True)
class ExecutionSummary:
    """A run in seven numbers; `success_rate` is in percent of all platforms."""

    total_platforms: int
    completed: int
    failed: int
    skipped: int
    success_rate: float
    total_rows_processed: int
    total_duration_seconds: float


@frozen(kw_only=True)
class RunRecord:
    """A whole run. `finished` and `exit_code` are None while it lasts; `spend` is what the sink held at its end.

    `shard` is which accounts it was about, None for all; `run_group` what it has in common with the other shards' runs.
    """

    run_id: str
    started: dt.datetime
    finished: dt.datetime | None
    exit_code: int | None
    platforms: tuple[PlatformRecord, ...]
    summary: ExecutionSummary
    spend: tuple[DailySpend, ...] = ()
    run_group: str | None = None
    shard: Shard | None = None


def refused_run(exit_code: int) -> RunRecord:
    """The record of a run that ended before anything was started: it has no id and no platforms."""
    now = dt.datetime.now(dt.UTC)
    nothing = ExecutionSummary(
        total_platforms=0, completed=0, failed=0, skipped=0, success_rate=0.0, total_rows_processed=0,
        total_duration_seconds=0.0,
    )  # fmt: skip
    return RunRecord(run_id="", started=now, finished=now, exit_code=exit_code, platforms=(), summary=nothing)
