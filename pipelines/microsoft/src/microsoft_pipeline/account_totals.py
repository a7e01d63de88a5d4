"""The second, independent question: has the account itself any numbers on days that a report has no rows for?"""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.errors import TooManyReportsError
from microsoft_pipeline.report_file import read_report
from microsoft_pipeline.report_requests import poll_once, submit
from microsoft_pipeline.tables import ACCOUNT_TOTAL
from wire import Kind, PipelineError, Window, count_pause

_METRICS = ("impressions", "clicks", "spend", "conversions_qualified")
_SLOWER = 1.5
_SLOWEST = 30.0


class AccountTotals:
    """Asks with a report of the account, once per account and days; safe to share between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answers: dict[tuple[str, Window], bool] = {}
        self._lock = threading.Lock()

    def are_nothing(self, account: Account, window: Window, today: dt.date) -> bool:
        """Whether all numbers of these days are zero or missing; raises PipelineError where that cannot be told."""
        key = account.id, window
        with self._lock:
            if key in self._answers:
                return self._answers[key]
        answer = not self._any(account, window, today)
        with self._lock:
            self._answers[key] = answer
        return answer

    def _any(self, account: Account, window: Window, today: dt.date) -> bool:
        request_id = self._submitted(account, window)
        return self._client.retried(
            lambda: self._read(self._address(account, request_id), account, window, today), f"account {account.id}"
        )

    def _submitted(self, account: Account, window: Window) -> str:
        attempts = self._client.settings.retry_attempts
        for left in reversed(range(attempts)):
            try:
                return submit(self._client, account, ACCOUNT_TOTAL, window)
            except TooManyReportsError as error:
                if not left:
                    raise
                # The reports that are in the making get made, whether or not they are asked for.
                count_pause(error.retry_after or 0)
                self._client.limiter.rest(error.retry_after or 0)
        raise AssertionError("the last failure is raised")

    def _address(self, account: Account, request_id: str) -> str | None:
        settings = self._client.settings
        deadline, interval = time.monotonic() + settings.report_timeout, settings.poll_interval
        while True:
            progress = poll_once(self._client, account, ACCOUNT_TOTAL, request_id)
            if progress.status == "Success":
                return progress.url
            if progress.status != "Pending":
                raise PipelineError(Kind.DATA, "account report: Microsoft failed to make it")
            if time.monotonic() >= deadline:
                raise PipelineError(Kind.DATA, "account report: not made within the report_timeout")
            self._client.limiter.rest(interval)
            interval = min(interval * _SLOWER, _SLOWEST)

    def _read(self, url: str | None, account: Account, window: Window, today: dt.date) -> bool:
        if url is None:
            return False
        own = {"account_id": account.id, "currency_code": account.currency}
        with self._client.downloads.fetch(url, "account report: report download") as file:
            rows = read_report(file, ACCOUNT_TOTAL, own, window=window, today=today)
            return any(Decimal(str(getattr(row, name) or 0)) for row in rows for name in _METRICS)
