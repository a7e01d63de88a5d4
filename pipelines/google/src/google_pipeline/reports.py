"""The daily tables of one account: its due windows, newest first; a window that takes too long is asked in halves."""

from __future__ import annotations

import datetime as dt
import logging

from google_pipeline.accounts import Account
from google_pipeline.client import Session
from google_pipeline.confirmation import Confirmation
from google_pipeline.conversion_windows import ConversionWindows
from google_pipeline.errors import TimeLimitError
from google_pipeline.queries import Query
from google_pipeline.settings import Settings
from wire import EVERYTHING, Extraction, Round, Window, today_in
from wire.settings import start_date

log = logging.getLogger(__name__)

_DAY = dt.timedelta(days=1)
KEPT = dt.timedelta(days=37 * 365 // 12)
"""Google keeps numbers by hour and day for 37 months; what it keeps by month only is not asked for."""


class Reports:
    """The daily tables of one account, loaded one by one."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        extraction: Extraction,
        account: Account,
        confirmation: Confirmation,
        *,
        conversion_windows: ConversionWindows,
    ) -> None:
        self._session = session
        self._settings = settings
        self._extraction = extraction
        self._account = account
        self._confirmation = confirmation
        self._conversion_windows = conversion_windows

    def load(self, query: Query, within: Round) -> int:
        """Load the windows of a daily table that are due in a round; returns the number of rows."""
        windows = self._due(query, within, self._lookback(query))
        if not windows:
            return 0
        span = self._span(windows)
        return sum(self._window(query, window, span) for window in windows)

    def leave_out(self, query: Query) -> None:
        """Leave no days of a table to later rounds."""
        self._due(query, EVERYTHING, self._settings.lookback_days)

    def _lookback(self, query: Query) -> int:
        usual = self._settings.lookback_days
        if query.by_conversion_windows:
            return max(usual, self._conversion_windows.days())
        return usual if query.lookback_days is None else query.lookback_days

    def _due(self, query: Query, within: Round, lookback_days: int) -> tuple[Window, ...]:
        today = today_in(self._account.timezone)
        return self._extraction.due(
            query.name,
            self._account.id,
            today=today,
            lookback_days=lookback_days,
            window_days=query.window_days or self._settings.window_days,
            earliest=today - KEPT,
            within_round=within,
            by_month=query.is_monthly,
        )

    def _span(self, windows: tuple[Window, ...]) -> Window:
        """All days that a run may load, in whatever round."""
        today = today_in(self._account.timezone)
        oldest = max(start_date({"start_date": self._settings.start_date}, today), today - KEPT)
        return Window(min(oldest, windows[-1].first), max(today, windows[0].last))

    def _window(self, query: Query, window: Window, span: Window) -> int:
        account = self._account

        def load() -> int:
            # Asked anew for each attempt: a retry may be on the next day.
            today = today_in(account.timezone)
            rows = self._session.rows(query, account.target, window=window, today=today.isoformat())
            return self._extraction.replace_window(
                query.name,
                account.id,
                window,
                rows,
                today=today,
                confirm_empty=lambda: self._confirmation.no_activity(query, window, span),
            )

        # Half a month has no row of its own.
        divisible = len(window) > 1 and not query.is_monthly
        try:
            count = self._session.persistently(load, f"account {account.id}", divisible=divisible)
        except TimeLimitError as late:
            if not divisible:
                raise
            log.warning("account %s: %s; asking for fewer days at a time", account.id, late.message)
            middle = window.first + (window.last - window.first) // 2
            later, earlier = Window(middle + _DAY, window.last), Window(window.first, middle)
            return self._window(query, later, span) + self._window(query, earlier, span)
        log.debug("account %s: %s %s: %d rows", account.id, query.name, window, count)
        return count
