"""The reports of one account: each loaded as soon as it is ready; how many are made at once all accounts share."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from microsoft_pipeline.account_totals import AccountTotals
from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.downloads import BrokenFileError
from microsoft_pipeline.errors import LostReportError, TooManyReportsError
from microsoft_pipeline.refused_reports import NotMadeError, RefusedReports
from microsoft_pipeline.report_file import MissingRowsError, read_report
from microsoft_pipeline.report_requests import Progress, poll, poll_once, submit
from microsoft_pipeline.report_room import ReportRoom
from microsoft_pipeline.report_times import ReportTimes
from microsoft_pipeline.settings import Settings
from microsoft_pipeline.tables import Report
from microsoft_pipeline.time_zones import iana_zone
from wire import Extraction, Kind, PipelineError, Round, Window, today_in

log = logging.getLogger(__name__)

_REMAKES = 2


class Task(Struct, frozen=True):
    """What is to be loaded: one report of one account, some days.

    `tries` counts the times that Microsoft failed; `made_anew` says that the report came without rows before.
    """

    account: Account
    report: Report
    window: Window
    today: dt.date
    tries: int = 0
    made_anew: bool = False

    def __str__(self) -> str:
        return f"account {self.account.id}, {self.report.table.name} {self.window}"


class EmptyReportError(PipelineError):
    """A report without rows where rows may be expected: it is made anew before that is believed."""


class Job(Struct):
    """A report that Microsoft is making. Instants are those of `time.monotonic`."""

    task: Task
    request_id: str
    since: float
    poll_at: float
    pending_at: float = 0.0

    @property
    def age(self) -> float:
        """Seconds since it was asked for."""
        return time.monotonic() - self.since


def due_reports(
    settings: Settings, extraction: Extraction, account: Account, reports: Sequence[Report], within: Round
) -> tuple[Task, ...]:
    """The days of an account that are due and belong to a round, of every report, in the order of their loading."""
    today = today_in(iana_zone(account.id, account.time_zone))
    return tuple(
        Task(account, report, window, today)
        for report in reports
        for window in extraction.due(
            report.table.name,
            account.id,
            today=today,
            lookback_days=settings.lookback_days if report.lookback_days is None else report.lookback_days,
            window_days=settings.window_days,
            earliest=today - dt.timedelta(days=report.kept_days),
            within_round=within,
            by_month=report.is_monthly,
        )
    )


class AccountReports:
    """An account's tasks that wait, in order, and its jobs that are in the making."""

    def __init__(
        self,
        client: Client,
        extraction: Extraction,
        account: Account,
        tasks: Sequence[Task],
        *,
        room: ReportRoom,
        times: ReportTimes,
        totals: AccountTotals,
        refused: RefusedReports,
    ) -> None:
        self._client = client
        self._extraction = extraction
        self._room = room
        self._times = times
        self._totals = totals
        self._refused = refused
        self._account = account
        self._waiting = deque(tasks)
        self._jobs: list[Job] = []
        self._loaded = 0

    def load(self) -> None:
        """Have all made and load them.

        Raises PipelineError at the first that cannot be had, dropping the others; one that is not core, or of one's
        own, is told and left out instead.
        """
        try:
            while self._waiting or self._jobs:
                self._start_some()
                self._sleep()
                for job in [job for job in self._jobs if job.poll_at <= time.monotonic()]:
                    self._have(job)
        finally:
            while self._jobs:
                self._end(self._jobs[-1])
        log.info("account %s: %d rows of reports", self._account.id, self._loaded)

    def _start_some(self) -> None:
        """Ask for reports while there is room; with none in the making wait for it."""
        while self._waiting:
            if self._waiting[0].report.table.name in self._refused:
                self._waiting.popleft()
                continue
            if not self._room.try_take():
                if self._jobs:
                    return
                self._room.take()
            task = self._waiting.popleft()
            try:
                with self._room.asking():
                    job = self._submitted(task)
            except TooManyReportsError as error:
                self._waiting.appendleft(task)
                if self._jobs:
                    return
                self._room.wait_for_room(error)
            except PipelineError as error:
                self._leave_out(task.report, error)
            else:
                self._jobs.append(job)

    def _have(self, job: Job) -> None:
        """Look at a job, unless its report was left out since it was started."""
        if job not in self._jobs:
            return
        try:
            self._look(job)
        except PipelineError as error:
            self._leave_out(job.task.report, error)

    def _leave_out(self, report: Report, error: PipelineError) -> None:
        """Go on without a report that cannot be had and that others do without; any other failure is raised again."""
        self._refused.take(report, self._account.id, error)
        self._waiting = deque(task for task in self._waiting if task.report is not report)
        for job in [job for job in self._jobs if job.task.report is report]:
            self._end(job)

    def _end(self, job: Job) -> None:
        """A job that is not asked about any more."""
        self._jobs.remove(job)
        self._room.leave()

    def _sleep(self) -> None:
        """Wait for the next poll; another account may use the turn meanwhile."""
        self._room.speak()
        if self._jobs:
            self._client.limiter.rest(max(0.0, min(job.poll_at for job in self._jobs) - time.monotonic()))

    def _submitted(self, task: Task) -> Job:
        request_id = submit(self._client, task.account, task.report, task.window)
        now = time.monotonic()
        return Job(task, request_id, since=now, poll_at=now + self._times.first_look(task.report.table.name))

    def _look(self, job: Job) -> None:
        """Poll a job, and load it when it is ready."""
        try:
            progress = poll(self._client, job.task.account, job.task.report, job.request_id)
        except LostReportError as error:
            self._end(job)
            self._make_again(job.task, error)
            return
        if progress.status == "Pending":
            self._keep_waiting(job)
            return
        self._end(job)
        if progress.status == "Success":
            self._times.ready(job.task.report.table.name, job.age, job.pending_at)
            self._load(job, progress)
        else:
            self._make_again(job.task, _failed(job.task.report, progress))

    def _keep_waiting(self, job: Job) -> None:
        timeout, table = self._client.settings.report_timeout, job.task.report.table.name
        job.pending_at = job.age
        if job.pending_at >= timeout:
            raise NotMadeError(
                Kind.TRANSIENT, f"{table} {job.task.window}: not made within the report_timeout of {timeout:g} s"
            )
        job.poll_at = job.since + min(self._times.next_look(table, job.pending_at), timeout)

    def _make_again(self, task: Task, error: PipelineError) -> None:
        """Let the task be the next to start; after a few failures raise the last one."""
        if task.tries >= _REMAKES:
            raise NotMadeError(error.kind, error.message, account_id=error.account_id) from error
        log.warning("%s: %s; it is asked for again", task, error.message)
        self._waiting.appendleft(msgspec.structs.replace(task, tries=task.tries + 1))

    def _load(self, job: Job, progress: Progress) -> None:
        task, fresh = job.task, [progress]

        def load() -> int:
            # The address is good for five minutes and perhaps for one download: each attempt asks for a new one.
            current = fresh.pop() if fresh else poll_once(self._client, task.account, task.report, job.request_id)
            if current.status != "Success":
                # Without an address, too: it must not pass for a report without rows.
                raise _failed(task.report, current)
            if progress.url and not current.url:
                raise LostReportError(Kind.TRANSIENT, f"{task.report.table.name}: its address is gone")
            return self._replace(task, current)

        try:
            count = self._client.retried(load, str(task))
        except EmptyReportError as error:
            log.info("%s: %s", task, error.message)
            self._waiting.appendleft(msgspec.structs.replace(task, made_anew=True))
            return
        except (MissingRowsError, BrokenFileError, LostReportError) as error:
            self._make_again(task, error)
            return
        log.debug("%s: %d rows", task, count)
        self._loaded += count

    def _replace(self, task: Task, progress: Progress) -> int:
        if progress.url is None:
            return self._replace_by(task, [])
        own = {"account_id": task.account.id, "currency_code": task.account.currency}
        what = f"{task.report.table.name}: report download"
        with self._client.downloads.fetch(progress.url, what) as file:
            return self._replace_by(task, read_report(file, task.report, own, window=task.window, today=task.today))

    def _replace_by(self, task: Task, rows: Iterable[Struct]) -> int:
        return self._extraction.replace_window(
            task.report.table.name,
            task.account.id,
            task.window,
            rows,
            today=task.today,
            confirm_empty=lambda: self._is_empty(task),
        )

    def _is_empty(self, task: Task) -> bool:
        """Whether another report, usually the account's own, is without numbers too; if not, it is made anew, once.

        Microsoft answers "success, without an address" for no data and for a report whose id it has lost. One that
        `may_be_empty` is believed the second time: its filter or its breakdown can leave nothing of an account's
        numbers, and a report made anew has an id of its own.
        """
        if self._totals.are_nothing(task.account, task.report, task.window, task.today):
            return True
        if not task.made_anew:
            raise EmptyReportError(
                Kind.DATA,
                f"{task.report.table.name}: a report without rows, although another of the account has numbers; "
                "it is made anew",
            )
        return task.report.may_be_empty


def _failed(report: Report, progress: Progress) -> LostReportError:
    """A report that Microsoft says it has not made."""
    status = "" if progress.status == "Error" else f" (status {progress.status[:40]!r})"
    return LostReportError(Kind.TRANSIENT, f"{report.table.name}: Microsoft failed to make it{status}")
