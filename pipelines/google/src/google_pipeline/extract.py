"""One run: find the accounts, then for each its entities, then its reports by window, newest first."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

from google_pipeline.accounts import Account, discovered, selected
from google_pipeline.client import Session
from google_pipeline.errors import AccountClosedError, TimeLimitError
from google_pipeline.queries import Query
from google_pipeline.settings import Access, Settings, arrange_proxies
from google_pipeline.tables import CUSTOMER
from wire import Extraction, Kind, PipelineError, Window, today_in

log = logging.getLogger(__name__)

_DAY = dt.timedelta(days=1)
KEPT = dt.timedelta(days=37 * 365 // 12)
"""Google keeps daily numbers for 37 months."""


def extract_accounts(
    extraction: Extraction, settings: Settings, access: Access, wanted: Sequence[str], queries: Sequence[Query]
) -> None:
    """Load what is due of the `queries`, for the `wanted` accounts or, if none are named, for all."""
    arrange_proxies(access)
    session = Session(access, settings)
    accounts = discovered(session, extraction, access.manager_customer_id)
    for account_id, account in selected(accounts, wanted):
        if session.exhausted:
            # Asking for the other accounts would only be refused, one by one.
            message = f"account {account_id} and those after it were left out: {session.exhausted.message}"
            raise PipelineError(Kind.QUOTA, message, retry_after=session.exhausted.retry_after)
        with extraction.account(account_id):
            if isinstance(account, PipelineError):
                raise account
            _Load(session, settings, extraction, account).everything(queries)


class _Load:
    """The load of one account."""

    def __init__(self, session: Session, settings: Settings, extraction: Extraction, account: Account) -> None:
        self._session = session
        self._settings = settings
        self._extraction = extraction
        self._account = account

    def everything(self, queries: Sequence[Query]) -> None:
        """Each table in its turn; a closed account has its own row and nothing else."""
        account = self._account
        if account.serves:
            log.info("account %s: loading", account.id)
        else:
            log.info("account %s is %s: only its customer row is loaded", account.id, account.row["status"])
            queries = [query for query in queries if query is CUSTOMER]
        count = 0
        try:
            for query in queries:
                count += self._table(query)
        except AccountClosedError as closed:
            log.info("account %s: only its customer row is loaded: %s", account.id, closed.message)
        log.info("account %s: %d rows", account.id, count)

    def _table(self, query: Query) -> int:
        if query is CUSTOMER:
            # Its row came with the list of accounts.
            return self._extraction.replace_account(query.name, self._account.id, [self._account.row])
        return self._report(query) if query.daily else self._entities(query)

    def _entities(self, query: Query) -> int:
        account = self._account
        return self._session.persistently(
            lambda: self._extraction.replace_account(query.name, account.id, self._session.rows(query, account.target)),
            f"account {account.id}",
        )

    def _report(self, query: Query) -> int:
        today = today_in(self._account.timezone)
        windows = self._extraction.due(
            query.name,
            self._account.id,
            today=today,
            lookback_days=self._settings.lookback_days,
            window_days=self._settings.window_days,
            earliest=today - KEPT,
        )
        return sum(self._window(query, window) for window in windows)

    def _window(self, query: Query, window: Window) -> int:
        account = self._account

        def load() -> int:
            # Asked anew for each attempt: a retry may be on the next day.
            today = today_in(account.timezone)
            rows = self._session.rows(query, account.target, window=window, today=today.isoformat())
            return self._extraction.replace_window(query.name, account.id, window, rows, today=today)

        try:
            count = self._session.persistently(load, f"account {account.id}", divisible=len(window) > 1)
        except TimeLimitError as late:
            if len(window) == 1:
                raise
            log.warning("account %s: %s; asking for fewer days at a time", account.id, late.message)
            middle = window.first + (window.last - window.first) // 2
            later, earlier = Window(middle + _DAY, window.last), Window(window.first, middle)
            return self._window(query, later) + self._window(query, earlier)
        log.debug("%s %s %s: %d rows", account.id, query.name, window, count)
        return count
