"""The second, independent question: has the account itself any numbers on days that a report has no rows for?

Where the account's own report is the one without rows, the report of its campaigns is asked.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.report_file import read_report
from microsoft_pipeline.report_requests import poll_once, submit_in_turn
from microsoft_pipeline.tables import ACCOUNT_DAILY, CAMPAIGN_DAILY, Report
from wire import Kind, PipelineError, Window

_METRICS = ("impressions", "clicks", "spend", "conversions_qualified")
_SLOWER = 1.5
_SLOWEST = 30.0


class AccountTotals:
    """Asks with another report, once per account and days; safe to share between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answers: dict[tuple[str, str, Window], bool] = {}
        self._lock = threading.Lock()

    def are_nothing(self, account: Account, report: Report, window: Window, today: dt.date) -> bool:
        """Whether all numbers of the days that a report has no rows for are zero or missing elsewhere too.

        Raises PipelineError where that cannot be told.
        """
        other = CAMPAIGN_DAILY if report is ACCOUNT_DAILY else ACCOUNT_DAILY
        key = account.id, other.kind, window
        with self._lock:
            if key in self._answers:
                return self._answers[key]
        answer = not self._any(account, other, window, today)
        with self._lock:
            self._answers[key] = answer
        return answer

    def _any(self, account: Account, report: Report, window: Window, today: dt.date) -> bool:
        request_id = submit_in_turn(self._client, account, report, window)
        return self._client.retried(
            lambda: self._read(self._address(account, report, request_id), account, report, window, today),
            f"account {account.id}",
        )

    def _address(self, account: Account, report: Report, request_id: str) -> str | None:
        settings = self._client.settings
        deadline, interval = time.monotonic() + settings.report_timeout, settings.poll_interval
        while True:
            progress = poll_once(self._client, account, report, request_id)
            if progress.status == "Success":
                return progress.url
            if progress.status != "Pending":
                raise PipelineError(Kind.DATA, f"{_asked(report)}: Microsoft failed to make it")
            if time.monotonic() >= deadline:
                raise PipelineError(Kind.DATA, f"{_asked(report)}: not made within the report_timeout")
            self._client.limiter.rest(interval)
            interval = min(interval * _SLOWER, _SLOWEST)

    def _read(self, url: str | None, account: Account, report: Report, window: Window, today: dt.date) -> bool:
        if url is None:
            return False
        own = {"account_id": account.id, "currency_code": account.currency}
        with self._client.downloads.fetch(url, f"{_asked(report)}: report download") as file:
            rows = read_report(file, report, own, window=window, today=today)
            return any(Decimal(str(getattr(row, name) or 0)) for row in rows for name in _METRICS)


def _asked(report: Report) -> str:
    return "account report" if report is ACCOUNT_DAILY else "campaign report"
