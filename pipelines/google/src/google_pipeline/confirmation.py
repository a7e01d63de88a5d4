"""Whether an account has nothing, asked a second way: its own total of the days, or Google's count of the rows.

An empty answer is rare where there were rows before, and is not believed at once. The account's total comes from the
resource `customer`, which no report of a level uses, and one question serves all of them; a total that is itself empty
is held against the campaigns. What is divided, or restricted by a user, may have nothing where the account has
something: its rows are counted then.
"""

from __future__ import annotations

import datetime as dt
import logging

from google_pipeline.accounts import Account
from google_pipeline.client import Session
from google_pipeline.queries import Query
from google_pipeline.tables import ACCOUNT_DAILY, CAMPAIGNS_TOTAL
from wire import Window

log = logging.getLogger(__name__)

_NAMES = {ACCOUNT_DAILY.name: "the account's own total", CAMPAIGNS_TOTAL.name: CAMPAIGNS_TOTAL.name}


class Confirmation:
    """Second answers about one account. Failures are raised as any call's are: whoever asks is in a retry already."""

    def __init__(self, session: Session, account: Account) -> None:
        self._session = session
        self._account = account
        self._active: dict[str, tuple[Window, frozenset[dt.date]]] = {}

    def no_activity(self, query: Query, window: Window, span: Window) -> bool:
        """Whether a second answer, too, has nothing on these days.

        That is another resource than the query's, asked for all of a `span` at once; and where that has something, for
        what may be empty, the number of its rows.
        """
        other = CAMPAIGNS_TOTAL if query.resource == ACCOUNT_DAILY.resource else ACCOUNT_DAILY
        asked, days = self._active.get(other.name, (None, frozenset()))
        if asked is None or window.first < asked.first or window.last > asked.last:
            days = self._ask(other, Window(min(window.first, span.first), max(window.last, span.last)))
        active = sorted(day for day in days if window.first <= day <= window.last)
        if active and query.is_divided:
            return self.no_rows(query, window)
        if active:
            log.warning(
                "account %s: an answer without rows for %s, where %s has %d days, the last %s",
                *(self._account.id, window, _NAMES[other.name], len(active), active[-1]),
            )
        return not active

    def no_rows(self, query: Query, window: Window | None = None) -> bool:
        """Whether Google counts no rows of an entity table, or of a report of these days, either."""
        counted = self._session.count(query, self._account.target, window)
        if counted:
            log.warning(
                "account %s: an answer without rows for %s, of which Google counts %d",
                *(self._account.id, query.name, counted),
            )
        return not counted

    def _ask(self, query: Query, span: Window) -> frozenset[dt.date]:
        rows = self._session.rows(query, self._account.target, window=span)
        days = frozenset(dt.date.fromisoformat(row["date"]) for row in rows)
        self._active[query.name] = span, days
        return days
