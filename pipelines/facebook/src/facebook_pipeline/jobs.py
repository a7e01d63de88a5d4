"""Asynchronous insights jobs: a few at work at a time, watched until done, repeated or halved when they fail."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from facebook_pipeline.errors import ObjectRefusedError, TooMuchDataError, api_failure
from facebook_pipeline.insights import Report, ReportTable
from facebook_pipeline.objects import STATUSES
from facebook_pipeline.settings import Settings
from wire import Kind, PipelineError, Window

if TYPE_CHECKING:
    from facebook_pipeline.accounts import Account
    from facebook_pipeline.client import Graph

log = logging.getLogger(__name__)

_FIRST_POLL_WAIT = 0.2
_TOLD_FROM = 10.0
_STATUS_FIELDS = ("async_status", "async_percent_completion")
_ERROR_FIELDS = ("error_code", "error_subcode", "error_message", "error_user_title", "error_user_msg")
_FAILED = ("Job Failed", "Job Skipped")
_RESTARTS_BEFORE_HALVING = 1


class Order(Struct, frozen=True):
    """A report to fetch for a window, the tables its rows go to, and how many jobs for it have failed."""

    report: Report
    tables: tuple[ReportTable, ...]
    window: Window
    failures: int = 0

    def __str__(self) -> str:
        return f"insights of level {self.report.level} for {self.window}"


class Job(Struct, frozen=True):
    """An order that Facebook is working on, since an instant of the monotonic clock."""

    order: Order
    run_id: str
    since: float


class Jobs:
    """The insights jobs of one account."""

    def __init__(
        self,
        graph: Graph,
        settings: Settings,
        account: Account,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._graph = graph
        self._settings = settings
        self._account = account
        self._sleep = sleep
        self._clock = clock

    def finished(self, orders: Iterable[Order]) -> Iterator[tuple[Order, str]]:
        """The orders with the run id their rows can be read from, in order; a halved order comes as two.

        Raises PipelineError when a job fails for good.
        """
        waiting, working = deque(orders), deque[Job]()
        while waiting or working:
            while waiting and len(working) < self._settings.max_jobs_in_flight:
                order = waiting.popleft()
                try:
                    working.append(self._start(order))
                except TooMuchDataError as error:
                    waiting.extendleft(reversed(_halved(order, error)))
            if not working:
                continue
            job = working.popleft()
            try:
                self._watch(job)
            except PipelineError as error:
                waiting.extendleft(reversed(self._again(job.order, error)))
            else:
                yield job.order, job.run_id

    def _start(self, order: Order) -> Job:
        level = order.report.level
        fields = dict.fromkeys(("date_start", *(field for table in order.tables for field in table.fields)))
        answer = self._graph.post(
            self._account.node,
            "insights",
            level=level,
            time_range={"since": order.window.first.isoformat(), "until": order.window.last.isoformat()},
            time_increment=1,
            fields=",".join(fields),
            action_attribution_windows=list(self._settings.attribution_windows),
            use_unified_attribution_setting=True,
            filtering=[{"field": f"{level}.effective_status", "operator": "IN", "value": list(STATUSES[level])}],
        )
        return Job(order, str(answer["report_run_id"]), self._clock())

    def _watch(self, job: Job) -> None:
        """Return when the job's rows are ready; raise when it has failed or takes too long.

        Its percentage reaches 100 before its rows are ready, so only the status counts.
        """
        wait = min(_FIRST_POLL_WAIT, self._settings.poll_interval)
        told = _version(self._settings.api_version) >= (25, 0)
        fields = (*_STATUS_FIELDS, *_ERROR_FIELDS) if told else _STATUS_FIELDS
        while True:
            run = self._poll(job, fields)
            status = run.get("async_status")
            if status == "Job Completed":
                return
            if status in _FAILED:
                raise _job_failure(job, run)
            if self._clock() - job.since > self._settings.job_timeout:
                raise TooMuchDataError(
                    Kind.TRANSIENT,
                    f"{job.order}: the job is not done after {self._settings.job_timeout:.0f} s ({status})",
                )
            # A line now and then also tells the supervisor that this is no stall.
            level = logging.INFO if wait >= _TOLD_FROM else logging.DEBUG
            log.log(level, "%s: %s, %s %%", job.order, status, run.get("async_percent_completion"))
            self._sleep(wait)
            wait = min(2 * wait, self._settings.poll_interval)

    def _poll(self, job: Job, fields: tuple[str, ...]) -> dict[str, Any]:
        try:
            return self._graph.get(job.run_id, fields=",".join(fields))
        except ObjectRefusedError as error:
            # A run may be unknown for a moment after it was made; a new job is cheaper than to find out.
            raise PipelineError(Kind.TRANSIENT, error.message) from None

    def _again(self, order: Order, error: PipelineError) -> tuple[Order, ...]:
        """What to do instead of a failed order: the same, or its halves; raises `error` when nothing is left to try."""
        if isinstance(error, TooMuchDataError):
            return _halved(order, error)
        failures = order.failures + 1
        halving = failures > _RESTARTS_BEFORE_HALVING and len(order.window) > 1
        if error.kind is not Kind.TRANSIENT or (failures >= self._settings.retry_attempts and not halving):
            raise error
        wait = self._settings.backoff.wait(failures)
        log.warning("%s; failure %d, trying again in %.1f s", error.message, failures, wait)
        self._sleep(wait)
        if halving:
            return _halved(order, error)
        return (replace(order, failures=failures),)


def _halved(order: Order, error: PipelineError) -> tuple[Order, ...]:
    """The later and the earlier half of an order's days, as new orders."""
    days = len(order.window)
    if days == 1:
        raise error
    middle = order.window.last - dt.timedelta(days=days // 2)
    later = Window(middle + dt.timedelta(days=1), order.window.last)
    log.info("%s; asking for %s and the days before it separately", error.message, later)
    return tuple(replace(order, window=window, failures=0) for window in (later, Window(order.window.first, middle)))


def _job_failure(job: Job, run: dict[str, Any]) -> PipelineError:
    """The failure of a job, with the reason that a run gives from v25.0 on."""
    details = " ".join(str(run[name]) for name in ("error_user_title", "error_user_msg") if run.get(name))
    error = {
        "code": run.get("error_code"),
        "error_subcode": run.get("error_subcode"),
        "message": f"{run.get('async_status')}: {run.get('error_message') or 'no reason given'} {details}".strip(),
    }
    failure = api_failure(str(job.order), 500, error, {})
    if failure.kind is Kind.RATE_LIMIT:
        return PipelineError(Kind.TRANSIENT, failure.message)
    return failure


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.removeprefix("v").split("."))
