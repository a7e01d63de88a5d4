"""How one attempt of one platform ended: the value that the record, the report, the metrics and the exit code read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen


class Outcome(StrEnum):
    """Why an attempt is over. Only the first is a success."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    MEMORY_EXCEEDED = "memory_exceeded"
    KILLED_BY_KERNEL = "killed_by_kernel"
    PROTOCOL_ERROR = "protocol_error"
    SINK_ERROR = "sink_error"
    INTERRUPTED = "interrupted"
    SPAWN_FAILED = "spawn_failed"


@frozen(kw_only=True)
class AccountFailure:
    """One account that a pipeline gave up while it went on with the others. `kind` is a `wire.exits.Kind`."""

    account_id: str
    kind: str
    message: str


@frozen(kw_only=True)
class AttemptResult:
    """Everything there is to say about one attempt. `number` counts from 1; rows are committed rows; times are UTC.

    `exit_status` is None where a signal ended the leader or none was started; `survivors` are the processes that were
    still alive after the leader's exit and had to be ended; `retry_after` is the pipeline's own wish, in seconds.
    Memory and CPU time are those of the whole tree; `samples` are (seconds, memory in bytes, CPU seconds so far).
    API calls, retries, waits, accounts and backfill are what the pipeline itself told; None where it told nothing.
    """

    platform: str
    number: int
    outcome: Outcome
    started: dt.datetime
    duration_seconds: float
    message: str | None = None
    exit_status: int | None = None
    signal: int | None = None
    rows: int = 0
    rows_by_table: Mapping[str, int] = {}
    rows_by_account: Mapping[str, Mapping[str, int]] = {}
    bytes_read: int = 0
    peak_memory_bytes: int = 0
    memory_limit_bytes: int | None = None
    cpu_seconds: float = 0.0
    samples: tuple[tuple[float, int, float], ...] = ()
    blocked_on_sink_seconds: float = 0.0
    api_calls: int = 0
    api_retries: int = 0
    throttled_seconds: float = 0.0
    peak_requests_in_flight: int = 0
    accounts: int | None = None
    accounts_done: int = 0
    backfill_days_total: int | None = None
    backfill_days_left: int | None = None
    backfill_days_done: int | None = None
    stderr_tail: tuple[str, ...] = ()
    survivors: tuple[str, ...] = ()
    failed_accounts: tuple[AccountFailure, ...] = ()
    retry_after: float | None = None
    retryable: bool = False

    @property
    def tables(self) -> int:
        """How many tables got rows, or were announced and stayed empty."""
        return len(self.rows_by_table)

    @property
    def succeeded(self) -> bool:
        return self.outcome is Outcome.COMPLETED
