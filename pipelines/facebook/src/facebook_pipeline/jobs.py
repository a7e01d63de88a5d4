"""Asynchronous insights jobs of an account: a few at work at a time, repeated or divided when they fail.

A report that is too large for Facebook is asked for in halves of its days. A single day that is still too large is
asked for in parts, each with a job of its own, whose rows together are the day's; what the account itself has on that
day says whether they are all of them.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from facebook_pipeline.runs import COMPLETED, FAILED, Run, Runs
from facebook_pipeline.settings import Settings
from facebook_pipeline.totals import Totals
from wire import Grain, Kind, PipelineError, Window

if TYPE_CHECKING:
    from facebook_pipeline.accounts import Account
    from facebook_pipeline.client import Graph

log = logging.getLogger(__name__)

_RESTARTS_BEFORE_HALVING = 1
_OF_THE_REQUEST = (Kind.CONFIG, Kind.DATA, Kind.INTERNAL)
"""What an order can be refused for while others are served."""


class Order(Struct, frozen=True):
    """A report to fetch for a window, the tables its rows go to, and how many jobs for it have failed."""

    report: Report
    tables: tuple[ReportTable, ...]
    window: Window
    failures: int = 0
    in_parts: bool = False

    def __str__(self) -> str:
        return f"{self.report} for {self.window}"

    @property
    def is_divisible(self) -> bool:
        """Whether its days can be asked for apart: a month's numbers are not those of its days, so it stays whole."""
        return len(self.window) > 1 and self.report.grain is not Grain.MONTH


class Job(Struct, frozen=True):
    """An order, or a part of one, that Facebook is working on."""

    order: Order
    run: Run
    part: Part | None = None


class Result(Struct, frozen=True):
    """An order that is done: its rows are those of all its runs; `at_least` are the impressions that they must have."""

    order: Order
    run_ids: tuple[str, ...]
    at_least: int = 0


class Jobs:
    """The insights jobs of one account.

    An order that fails for good leaves the others: `failure` tells of all that did. It takes the further orders of its
    report with it, unless its window was merely too large, because what fails report by report fails for each window.
    """

    def __init__(
        self,
        graph: Graph,
        settings: Settings,
        account: Account,
        *,
        runs: Runs | None = None,
        totals: Totals | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._graph = graph
        self._settings = settings
        self._account = account
        self._runs = runs or Runs(graph, settings, sleep=sleep, clock=clock)
        self._totals = totals or Totals(graph, account, ())
        self._sleep = sleep or graph.rest
        self._waiting = deque[Order]()
        self._working = deque[Job]()
        self._failures: list[tuple[Report, PipelineError]] = []

    def finished(self, orders: Iterable[Order]) -> Iterator[Result]:
        """The orders whose rows can be read, in order; a halved order comes as two."""
        try:
            yield from self._finished(orders)
        finally:
            for job in self._working:
                self._runs.forget(job.run)

    def _finished(self, orders: Iterable[Order]) -> Iterator[Result]:
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
                yield Result(job.order, (job.run.id,))

    def cannot_be_read(self, order: Order, error: PipelineError) -> Iterator[Result]:
        """What to read instead of a finished order whose rows cannot be had; nothing where it is asked for anew."""
        return self._instead(order, error)

    def is_empty_again(self, order: Order) -> bool:
        """Whether a report that came back empty does so once more, in a job of its own."""
        job = self._start(order)
        self._watch(job)
        return not any(self._graph.pages(job.run.id, "insights"))

    @property
    def failure(self) -> PipelineError | None:
        """What failed for good of the built-in tables, as one failure of the account."""
        return self._together([error for report, error in self._failures if not report.name])

    @property
    def given_up(self) -> Iterator[tuple[Report, PipelineError]]:
        """The reports of the user's own that failed for good, each with its reason."""
        for own in dict.fromkeys(report.name for report, _ in self._failures if report.name):
            mine = [(report, error) for report, error in self._failures if report.name == own]
            together = self._together([error for _, error in mine])
            assert together is not None
            yield mine[0][0], together

    def _together(self, errors: Sequence[PipelineError]) -> PipelineError | None:
        if not errors:
            return None
        messages = dict.fromkeys(error.message for error in errors)
        return PipelineError(errors[0].kind, "; ".join(messages), account_id=self._account.id)

    def _instead(self, order: Order, error: PipelineError) -> Iterator[Result]:
        """Do what may mend a failed order: a new job, its halves, its parts.

        Raises what is not the order's alone: a refused login or account, a platform that does not answer.
        """
        try:
            if isinstance(error, TooMuchDataError) and not order.is_divisible and not order.in_parts:
                yield self._in_parts(order, error)
            else:
                self._waiting.extendleft(reversed(self._again(order, error)))
        except PipelineError as final:
            refused = isinstance(final, ObjectRefusedError) or getattr(final, "scope", None) is Scope.LOGIN
            if refused or not (isinstance(final, TooMuchDataError | LostRunError) or final.kind in _OF_THE_REQUEST):
                raise
            self._give_up(order, final)

    def _give_up(self, order: Order, error: PipelineError) -> None:
        report = order.report
        if report.name:
            # Whoever wrote it has to mend it, and not this pipeline.
            kind = Kind.CONFIG if error.kind is Kind.INTERNAL else error.kind
            error = PipelineError(kind, f"{report}: {error.message}", account_id=error.account_id)
        self._failures.append((report, error))
        log.error("account %s: %s is given up: %s", self._account.id, order, error.message)
        if isinstance(error, TooMuchDataError):
            return
        left = [each for each in (*(job.order for job in self._working), *self._waiting) if each.report is report]
        self._waiting = deque(each for each in self._waiting if each.report is not report)
        for job in [job for job in self._working if job.order.report is report]:
            self._working.remove(job)
            self._runs.forget(job.run)
        if left:
            days = ", ".join(str(each.window) for each in left)
            what = report.name or f"level {report.level}"
            self._failures.append((report, PipelineError(error.kind, f"{what} is not asked for {days} therefore")))

    def _start(self, order: Order, part: Part | None = None) -> Job:
        fields = dict.fromkeys(("date_start", *(field for table in order.tables for field in table.fields)))
        chosen: list[Mapping[str, Any]] = []
        if part:
            chosen.append(id_filter(part.level, part.ids))
            if not order.report.may_be_empty:
                fields["impressions"] = None
        answer = self._graph.post(
            self._account.node,
            "insights",
            time_range={"since": order.window.first.isoformat(), "until": order.window.last.isoformat()},
            **asked(order.report, tuple(fields), self._settings, chosen),
        )
        run_id = answer.get("report_run_id")
        if not run_id:
            raise incomplete_answer(f"POST {self._account.node}/insights", "report_run_id")
        return Job(order, self._runs.add(str(run_id), f"account {self._account.id}: {order}", self._graph), part)

    def _watch(self, job: Job) -> None:
        """Return when the job's rows are ready; raise when it has failed or takes too long."""
        run = job.run
        try:
            self._runs.wait_for(run, seconds=self._settings.job_timeout)
        finally:
            self._runs.forget(run)
        if run.status in FAILED:
            raise _job_failure(job, run.told)
        if run.status != COMPLETED:
            waited = f"the job is not done after {self._settings.job_timeout:.0f} s ({run.status})"
            raise TooMuchDataError(Kind.TRANSIENT, f"{job.order}: {waited}")

    def _again(self, order: Order, error: PipelineError) -> tuple[Order, ...]:
        """What to do instead of a failed order: the same, or its halves; raises `error` when nothing is left to try."""
        if isinstance(error, TooMuchDataError):
            return _halved(order, error)
        if not isinstance(error, LostRunError):
            raise error
        failures = order.failures + 1
        halving = failures > _RESTARTS_BEFORE_HALVING and order.is_divisible
        if failures >= self._settings.retry_attempts and not halving:
            raise error
        wait = self._settings.backoff.wait(failures)
        log.warning("%s; failure %d, trying again in %.1f s", error.message, failures, wait)
        self._sleep(wait)
        if halving:
            return _halved(order, error)
        return (replace(order, failures=failures, in_parts=False),)

    def _in_parts(self, order: Order, error: TooMuchDataError) -> Result:
        """A single day, campaign by campaign or finer: as many jobs at work as for whole windows."""
        log.info("account %s: %s; asking for %s in parts", self._account.id, error.message, order)
        # What is restricted or divided has no total to be held against.
        at_least = 0 if order.report.may_be_empty else self._totals.impressions(order.window)
        waiting = deque(_Pending(part) for part in self._divided(order, None, error))
        working = deque[tuple[_Pending, Job]]()
        run_ids: list[str] = []
        try:
            while waiting or working:
                if waiting and len(working) < self._settings.max_jobs_in_flight:
                    pending = waiting.popleft()
                    with self._mended(order, pending, waiting):
                        working.append((pending, self._start(order, pending.part)))
                    continue
                pending, job = working.popleft()
                with self._mended(order, pending, waiting):
                    self._watch(job)
                    run_ids.append(job.run.id)
        finally:
            for _, job in working:
                self._runs.forget(job.run)
        return Result(replace(order, in_parts=True), tuple(run_ids), at_least)

    @contextmanager
    def _mended(self, order: Order, pending: _Pending, waiting: deque[_Pending]) -> Iterator[None]:
        """Let a part that is too large wait for its halves, and one whose job was lost for another job."""
        try:
            yield
        except TooMuchDataError as error:
            waiting.extendleft(_Pending(part) for part in reversed(self._divided(order, pending.part, error)))
        except LostRunError:
            failures = pending.failures + 1
            if failures >= self._settings.retry_attempts:
                raise
            self._sleep(self._settings.backoff.wait(failures))
            waiting.appendleft(_Pending(pending.part, failures))

    def _divided(self, order: Order, part: Part | None, error: TooMuchDataError) -> list[Part]:
        return divided(self._graph, self._account, order.report.level, part, error)


def asked(
    report: Report, fields: tuple[str, ...], settings: Settings, chosen: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The parameters of a report for these fields, without its days; `chosen` are conditions beside its own."""
    own = [status_filter(report.level, STATUSES[report.level])] if report.level in STATUSES else []
    return {
        "level": report.level,
        "time_increment": "monthly" if report.grain is Grain.MONTH else 1,
        "fields": ",".join(fields),
        "action_attribution_windows": list(settings.attribution_windows),
        "use_unified_attribution_setting": True,
        "filtering": [*own, *chosen, *report.filtering],
        **({"breakdowns": list(report.breakdowns)} if report.breakdowns else {}),
    }


class _Pending(Struct, frozen=True):
    """A part to ask for, and how many jobs for it have failed."""

    part: Part
    failures: int = 0


def _halved(order: Order, error: PipelineError) -> tuple[Order, ...]:
    """The later and the earlier half of an order's days, as new orders."""
    if not order.is_divisible:
        raise error
    days = len(order.window)
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
