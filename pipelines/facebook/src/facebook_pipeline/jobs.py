"""Asynchronous insights jobs: a few at work at a time, watched together, repeated or divided when they fail.

A report that is too large for Facebook is asked for in halves of its days. A single day that is still too large is
asked for in parts, each with a job of its own, whose rows together are the day's.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from facebook_pipeline.errors import (
    LostRunError,
    ObjectRefusedError,
    Scope,
    TooMuchDataError,
    api_failure,
    incomplete_answer,
)
from facebook_pipeline.insights import Report, ReportTable
from facebook_pipeline.objects import STATUSES, id_filter, status_filter
from facebook_pipeline.parts import Part, divided
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
_COMPLETED = "Job Completed"
_FAILED = ("Job Failed", "Job Skipped")
_RESTARTS_BEFORE_HALVING = 1
_OF_THE_REQUEST = (Kind.CONFIG, Kind.DATA, Kind.INTERNAL)
"""What an order can be refused for while others are served."""
_IDS_AT_ONCE = 50
"""How many objects Facebook reads in one call that names several."""


class Order(Struct, frozen=True):
    """A report to fetch for a window, the tables its rows go to, and how many jobs for it have failed."""

    report: Report
    tables: tuple[ReportTable, ...]
    window: Window
    failures: int = 0
    in_parts: bool = False

    def __str__(self) -> str:
        return f"insights of level {self.report.level} for {self.window}"


class Job(Struct, frozen=True):
    """An order that Facebook is working on, since an instant of the monotonic clock."""

    order: Order
    run_id: str
    since: float


class Result(Struct, frozen=True):
    """An order that is done: its rows are those of all its runs."""

    order: Order
    run_ids: tuple[str, ...]


class Jobs:
    """The insights jobs of one account.

    An order that fails for good leaves the others: `failure` tells of all that did. It takes the further orders of its
    level with it, unless its window was merely too large, because what fails level by level fails for each window.
    """

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
        self._waiting = deque[Order]()
        self._working = deque[Job]()
        self._completed = set[str]()
        self._failures: list[PipelineError] = []

    def finished(self, orders: Iterable[Order]) -> Iterator[Result]:
        """The orders whose rows can be read, in order; a halved order comes as two."""
        self._waiting.extend(orders)
        while self._waiting or self._working:
            while self._waiting and len(self._working) < self._settings.max_jobs_in_flight:
                order = self._waiting.popleft()
                try:
                    self._working.append(self._start(order))
                except PipelineError as error:
                    yield from self._instead(order, error)
            if not self._working:
                continue
            job = self._working[0]
            try:
                self._watch(job)
            except PipelineError as error:
                self._working.popleft()
                yield from self._instead(job.order, error)
            else:
                self._working.popleft()
                yield Result(job.order, (job.run_id,))

    def cannot_be_read(self, order: Order, error: PipelineError) -> Iterator[Result]:
        """What to read instead of a finished order whose rows cannot be had; nothing where it is asked for anew."""
        return self._instead(order, error)

    @property
    def failure(self) -> PipelineError | None:
        """All that failed for good, as one failure of the account."""
        if not self._failures:
            return None
        messages = dict.fromkeys(error.message for error in self._failures)
        return PipelineError(self._failures[0].kind, "; ".join(messages), account_id=self._account.id)

    def _instead(self, order: Order, error: PipelineError) -> Iterator[Result]:
        """Do what may mend a failed order: a new job, its halves, its parts.

        Raises what is not the order's alone: a refused login or account, a platform that does not answer.
        """
        try:
            if isinstance(error, TooMuchDataError) and len(order.window) == 1 and not order.in_parts:
                yield self._in_parts(order, error)
            else:
                self._waiting.extendleft(reversed(self._again(order, error)))
        except PipelineError as final:
            refused = isinstance(final, ObjectRefusedError) or getattr(final, "scope", None) is Scope.LOGIN
            if refused or not (isinstance(final, TooMuchDataError | LostRunError) or final.kind in _OF_THE_REQUEST):
                raise
            self._give_up(order, final)

    def _give_up(self, order: Order, error: PipelineError) -> None:
        self._failures.append(error)
        log.error("account %s: %s is given up: %s", self._account.id, order, error.message)
        if isinstance(error, TooMuchDataError):
            return
        level = order.report.level
        left = [each for each in (*(job.order for job in self._working), *self._waiting) if each.report.level == level]
        self._waiting = deque(each for each in self._waiting if each.report.level != level)
        self._working = deque(each for each in self._working if each.order.report.level != level)
        if left:
            days = ", ".join(str(each.window) for each in left)
            self._failures.append(PipelineError(error.kind, f"level {level} is not asked for {days} therefore"))

    def _start(self, order: Order, part: Part | None = None) -> Job:
        level = order.report.level
        fields = dict.fromkeys(("date_start", *(field for table in order.tables for field in table.fields)))
        chosen = [status_filter(level, STATUSES[level])]
        if part:
            chosen.append(id_filter(part.level, part.ids))
        answer = self._graph.post(
            self._account.node,
            "insights",
            level=level,
            time_range={"since": order.window.first.isoformat(), "until": order.window.last.isoformat()},
            time_increment=1,
            fields=",".join(fields),
            action_attribution_windows=list(self._settings.attribution_windows),
            use_unified_attribution_setting=True,
            filtering=chosen,
        )
        run_id = answer.get("report_run_id")
        if not run_id:
            raise incomplete_answer(f"POST {self._account.node}/insights", "report_run_id")
        return Job(order, str(run_id), self._clock())

    def _watch(self, job: Job) -> None:
        """Return when the job's rows are ready; raise when it has failed or takes too long.

        Its percentage reaches 100 before its rows are ready, so only the status counts.
        """
        wait = min(_FIRST_POLL_WAIT, self._settings.poll_interval)
        while job.run_id not in self._completed:
            run = self._poll(job)
            status = run.get("async_status")
            if status == _COMPLETED:
                break
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
        self._completed.discard(job.run_id)

    def _poll(self, job: Job) -> dict[str, Any]:
        """What a job's run says of itself; the runs that work beside it are looked at in the same call."""
        others = [each.run_id for each in self._working if each.run_id not in {job.run_id, *self._completed}]
        if others:
            try:
                return self._poll_together(job, others[: _IDS_AT_ONCE - 1])
            except (ObjectRefusedError, LostRunError) as error:
                # One of them cannot be read, and the refusal does not say which: only this one matters now.
                log.debug("%s", error.message)
        try:
            return self._graph.get(job.run_id, fields=self._run_fields)
        except (ObjectRefusedError, LostRunError) as error:
            # A run may be unknown for a moment after it was made; a new job is cheaper than to find out.
            raise LostRunError(Kind.TRANSIENT, error.message) from None

    def _poll_together(self, job: Job, others: list[str]) -> dict[str, Any]:
        runs = self._graph.get(ids=",".join((job.run_id, *others)), fields=self._run_fields)
        for run_id, run in runs.items():
            if isinstance(run, dict) and run.get("async_status") == _COMPLETED:
                self._completed.add(run_id)
        run = runs.get(job.run_id)
        if not isinstance(run, dict):
            raise incomplete_answer("GET ?ids", job.run_id)
        return run

    @property
    def _run_fields(self) -> str:
        told = _version(self._settings.api_version) >= (25, 0)
        return ",".join((*_STATUS_FIELDS, *_ERROR_FIELDS) if told else _STATUS_FIELDS)

    def _again(self, order: Order, error: PipelineError) -> tuple[Order, ...]:
        """What to do instead of a failed order: the same, or its halves; raises `error` when nothing is left to try."""
        if isinstance(error, TooMuchDataError):
            return _halved(order, error)
        if not isinstance(error, LostRunError):
            raise error
        failures = order.failures + 1
        halving = failures > _RESTARTS_BEFORE_HALVING and len(order.window) > 1
        if failures >= self._settings.retry_attempts and not halving:
            raise error
        wait = self._settings.backoff.wait(failures)
        log.warning("%s; failure %d, trying again in %.1f s", error.message, failures, wait)
        self._sleep(wait)
        if halving:
            return _halved(order, error)
        return (replace(order, failures=failures, in_parts=False),)

    def _in_parts(self, order: Order, error: TooMuchDataError) -> Result:
        """A single day, campaign by campaign or finer, one job after the other."""
        log.info("%s; asking for %s in parts", error.message, order)
        waiting = deque(divided(self._graph, self._account, order.report.level, None, error))
        run_ids: list[str] = []
        while waiting:
            part = waiting.popleft()
            try:
                run_ids.append(self._run_part(order, part))
            except TooMuchDataError as still:
                waiting.extendleft(reversed(divided(self._graph, self._account, order.report.level, part, still)))
        return Result(replace(order, in_parts=True), tuple(run_ids))

    def _run_part(self, order: Order, part: Part) -> str:
        """The run of a part when its rows are ready; a job that fails is made again."""
        failures = 0
        while True:
            try:
                job = self._start(order, part)
                self._watch(job)
            except LostRunError:
                failures += 1
                if failures >= self._settings.retry_attempts:
                    raise
                self._sleep(self._settings.backoff.wait(failures))
            else:
                return job.run_id


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
    if failure.kind in (Kind.RATE_LIMIT, Kind.TRANSIENT) and not isinstance(failure, TooMuchDataError):
        return LostRunError(Kind.TRANSIENT, failure.message)
    return failure


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.removeprefix("v").split("."))
