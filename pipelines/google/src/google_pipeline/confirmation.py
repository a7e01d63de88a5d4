"""Whether an account has nothing, asked a second way: its own total of the days, or Google's count of the rows.

An empty answer is rare where there were rows before, and is not believed at once. The account's total comes from the
resource `customer`, which no report uses, and one question serves all reports of the account.
"""

from __future__ import annotations

import datetime as dt
import logging

from google_pipeline.accounts import Account
from google_pipeline.client import Session
from google_pipeline.queries import Query
from google_pipeline.tables import ACTIVITY
from wire import Window

log = logging.getLogger(__name__)


class Confirmation:
    """Second answers about one account. Failures are raised as any call's are: whoever asks is in a retry already."""

    def __init__(self, session: Session, account: Account) -> None:
        self._session = session
        self._account = account
        self._asked: Window | None = None
        self._active: frozenset[dt.date] = frozenset()

    def no_activity(self, window: Window, span: Window) -> bool:
        """Whether the account's own total has nothing on these days; it is asked for all of a `span` at once."""
        if self._asked is None or window.first < self._asked.first or window.last > self._asked.last:
            self._ask(Window(min(window.first, span.first), max(window.last, span.last)))
        active = sorted(day for day in self._active if window.first <= day <= window.last)
        if active:
            log.warning(
                "account %s: an answer without rows for %s, where the account's own total has %d days, the last %s",
                *(self._account.id, window, len(active), active[-1]),
            )
        return not active

    def no_rows(self, query: Query) -> bool:
        """Whether Google counts no rows of an entity table either."""
        counted = self._session.count(query, self._account.target)
        if counted:
            log.warning(
                "account %s: an answer without rows for %s, of which Google counts %d",
                *(self._account.id, query.name, counted),
            )
        return not counted

    def _ask(self, span: Window) -> None:
        rows = self._session.rows(ACTIVITY, self._account.target, window=span)
        self._active = frozenset(dt.date.fromisoformat(row["date"]) for row in rows)
        self._asked = span
