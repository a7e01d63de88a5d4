"""Reports loaded: the days that an account still needs, window by window, newest first."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from linkedin_pipeline.analytics import Analytics
from linkedin_pipeline.client import Client
from linkedin_pipeline.confirmation import Confirmation
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.names import Names
from linkedin_pipeline.report_table import Report
from linkedin_pipeline.room import Room
from linkedin_pipeline.settings import Settings
from wire import Extraction, Round, Window

log = logging.getLogger(__name__)


class ReportLoad:
    """What one run loads of one account's reports."""

    def __init__(
        self,
        client: Client,
        extraction: Extraction,
        settings: Settings,
        *,
        account: dict[str, Any],
        directory: Directory,
        confirmation: Confirmation,
        today: dt.date,
        room: Room,
        names: Names,
    ) -> None:
        self._room = room
        self._extraction = extraction
        self._confirmation = confirmation
        self._settings = settings
        self._account_id = str(account["account_id"])
        self._today = today
        self._analytics = Analytics(
            client,
            directory,
            account_id=self._account_id,
            currency=account["currency"],
            element_limit=settings.element_limit,
            names=names,
        )

    def run(self, report: Report, days: Round) -> int:
        """Load all windows of a round that are due; the number of rows."""
        lookback = self._settings.lookback_days if report.lookback_days is None else report.lookback_days
        windows = self._extraction.due(
            report.name,
            self._account_id,
            today=self._today,
            lookback_days=lookback,
            window_days=self._settings.window_days or self._analytics.window_days(report),
            earliest=self._today - report.oldest,
            within_round=days,
            by_month=report.is_monthly,
        )
        return sum(self._window(report, window) for window in windows)

    def _window(self, report: Report, window: Window) -> int:
        with self._room.taken(self._analytics.expected(report, window)):
            count = self._extraction.replace_window(
                report.name,
                self._account_id,
                window,
                self._analytics.named_rows(report, window, self._today),
                today=self._today,
                confirm_empty=lambda: self._confirmation.nothing_in(
                    report, window, lambda: self._is_empty(report, window)
                ),
            )
        log.debug("account %s, %s %s: %d rows", self._account_id, report.name, window, count)
        return count

    def _is_empty(self, report: Report, window: Window) -> bool:
        return next(self._analytics.rows(report, window, self._today), None) is None
