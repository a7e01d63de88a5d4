"""What an attempt under way has done so far: told at every look at its process, read by whoever shows a run."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen(kw_only=True)
class AttemptProgress:
    """One look at an attempt. Rows are committed rows; `last_commit` says which, as people say it.

    `requests_in_flight` is the most of the last seconds; `seconds_left` is the pipeline's own estimate.
    """

    platform: str
    number: int
    seconds: float
    rows: int = 0
    rows_by_table: Mapping[str, int] = {}
    bytes_read: int = 0
    memory_bytes: int = 0
    peak_memory_bytes: int = 0
    cpu_seconds: float = 0.0
    blocked_on_sink_seconds: float = 0.0
    api_calls: int = 0
    api_retries: int = 0
    throttled_seconds: float = 0.0
    requests_in_flight: int = 0
    peak_requests_in_flight: int = 0
    accounts: int | None = None
    accounts_done: int = 0
    backfill_days_total: int | None = None
    backfill_days_left: int | None = None
    backfill_days_done: int | None = None
    seconds_left: float | None = None
    last_commit: str = ""
