"""Reports in the making: a few at a time, of whichever accounts, each loaded as soon as it is ready."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from microsoft_pipeline.account_totals import AccountTotals
from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.downloads import BrokenFileError
from microsoft_pipeline.errors import LostReportError, TooManyReportsError
from microsoft_pipeline.report_file import MissingRowsError, read_report
from microsoft_pipeline.report_requests import Progress, poll, poll_once, submit
from microsoft_pipeline.tables import Report
from microsoft_pipeline.time_zones import iana_zone
from wire import Extraction, Kind, PipelineError, Window, count_pause, today_in

log = logging.getLogger(__name__)

# Microsoft keeps three years of daily data.
_KEPT = dt.timedelta(days=3 * 365)
_REMAKES = 2
_SLOWER = 1.5
_SLOWEST = 30.0
_SECONDS_OF_SILENCE = 60.0


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
    deadline: float
    poll_at: float
    interval: float


def load_reports(
    client: Client, extraction: Extraction, accounts: Sequence[Account], reports: Sequence[Report]
) -> None:
    """Load the days that are due of every report and account; a failed account's other reports are dropped."""
    tasks: list[Task] = []
    for account in accounts:
        with extraction.account(account.id):
            tasks += _due(client, extraction, account, reports)
    if tasks:
        _Queue(client, extraction, tasks).run()


def _due(client: Client, extraction: Extraction, account: Account, reports: Sequence[Report]) -> Iterator[Task]:
    today = today_in(iana_zone(account.id, account.time_zone))
    for report in reports:
        windows = extraction.due(
            report.table.name,
            account.id,
            today=today,
            lookback_days=client.settings.lookback_days,
            window_days=client.settings.window_days,
            earliest=today - _KEPT,
        )
        yield from (Task(account, report, window, today) for window in windows)


class _Queue:
    """The tasks that wait, in order, and the jobs that are in the making."""

    def __init__(self, client: Client, extraction: Extraction, tasks: Sequence[Task]) -> None:
        self._client = client
        self._extraction = extraction
        self._waiting = deque(tasks)
        self._jobs: list[Job] = []
        self._totals = AccountTotals(client)
        self._limit = client.settings.max_reports_in_flight
        self._alone = 0
        self._speak_at = 0.0
        self._loaded: Counter[str] = Counter()
        self._left = Counter(task.account.id for task in tasks)

    def run(self) -> None:
        while self._waiting or self._jobs:
            while self._waiting and len(self._jobs) < self._limit:
                if not self._start(self._waiting.popleft()):
                    break
            self._sleep()
            for job in [job for job in self._jobs if job.poll_at <= time.monotonic()]:
                if job in self._jobs:
                    self._look(job)

    def _sleep(self) -> None:
        """Wait for the next poll; a word now and then tells whoever watches that this is no standstill."""
        if not self._jobs:
            return
        now = time.monotonic()
        if now >= self._speak_at:
            self._speak_at = now + _SECONDS_OF_SILENCE
            log.info("%d reports are being made, %d wait for their turn", len(self._jobs), len(self._waiting))
        time.sleep(max(0.0, min(job.poll_at for job in self._jobs) - now))

    def _start(self, task: Task) -> bool:
        """Have a report made; False if Microsoft makes no more of them now."""
        full = False

        def step() -> None:
            nonlocal full
            try:
                self._jobs.append(self._submitted(task))
                self._alone = 0
            except TooManyReportsError as error:
                full = True
                self._wait_for_room(task, error)

        self._guarded(task, step)
        return not full

    def _wait_for_room(self, task: Task, error: TooManyReportsError) -> None:
        """Put the task back, behind the jobs that we have ourselves; with none of our own, wait as told."""
        if self._jobs:
            self._limit = len(self._jobs)
            log.info("Microsoft makes no more than %d reports at once; the others wait", self._limit)
        else:
            self._alone += 1
            if self._alone >= self._client.settings.retry_attempts:
                raise error
            count_pause(error.retry_after or 0)
            time.sleep(error.retry_after or 0)
        self._waiting.appendleft(task)

    def _submitted(self, task: Task) -> Job:
        request_id = submit(self._client, task.account, task.report, task.window)
        settings, now = self._client.settings, time.monotonic()
        return Job(
            task=task,
            request_id=request_id,
            deadline=now + settings.report_timeout,
            poll_at=now + settings.poll_interval,
            interval=settings.poll_interval,
        )

    def _look(self, job: Job) -> None:
        """Poll a job, and load it when it is ready."""

        def step() -> None:
            try:
                progress = poll(self._client, job.task.account, job.task.report, job.request_id)
            except LostReportError as error:
                self._jobs.remove(job)
                self._make_again(job.task, error)
                return
            if progress.status == "Success":
                self._jobs.remove(job)
                self._load(job, progress)
            elif progress.status == "Pending":
                self._keep_waiting(job)
            else:
                self._jobs.remove(job)
                status = "" if progress.status == "Error" else f" (status {progress.status[:40]!r})"
                failure = f"{job.task.report.table.name}: Microsoft failed to make it{status}"
                self._make_again(job.task, PipelineError(Kind.TRANSIENT, failure))

        self._guarded(job.task, step)

    def _keep_waiting(self, job: Job) -> None:
        now = time.monotonic()
        if now >= job.deadline:
            raise PipelineError(
                Kind.TRANSIENT,
                f"{job.task.report.table.name} {job.task.window}: not made within the report_timeout of "
                f"{self._client.settings.report_timeout:g} s",
            )
        job.interval = min(job.interval * _SLOWER, _SLOWEST)
        job.poll_at = min(now + job.interval, job.deadline)

    def _make_again(self, task: Task, error: PipelineError) -> None:
        """Let the task be the next to start; after a few failures raise the last one."""
        if task.tries >= _REMAKES:
            raise error
        log.warning("%s: %s; it is asked for again", task, error.message)
        self._waiting.appendleft(msgspec.structs.replace(task, tries=task.tries + 1))

    def _load(self, job: Job, progress: Progress) -> None:
        task, fresh = job.task, [progress]

        def load() -> int:
            # The address is good for five minutes and perhaps for one download: each attempt asks for a new one.
            current = fresh.pop() if fresh else poll_once(self._client, task.account, task.report, job.request_id)
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
        self._finish(task, count)

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
        """Whether the account's own report is without numbers too; if not, the report is made anew, once.

        Microsoft answers "success, without an address" for no data and for a report whose id it has lost.
        """
        if self._totals.are_nothing(task.account, task.window, task.today):
            return True
        if not task.made_anew:
            raise EmptyReportError(
                Kind.DATA,
                f"{task.report.table.name}: a report without rows, although the account's own has numbers; "
                "it is made anew",
            )
        return False

    def _finish(self, task: Task, count: int) -> None:
        account_id = task.account.id
        self._loaded[account_id] += count
        self._left[account_id] -= 1
        if not self._left[account_id]:
            log.info("account %s: %d rows of reports", account_id, self._loaded[account_id])

    def _guarded(self, task: Task, step: Callable[[], None]) -> None:
        """Take a step for an account; if it fails, report that and drop whatever else the account has here."""
        done = False
        with self._extraction.account(task.account.id):
            step()
            done = True
        if not done:
            self._waiting = deque(each for each in self._waiting if each.account.id != task.account.id)
            self._jobs = [each for each in self._jobs if each.task.account.id != task.account.id]
