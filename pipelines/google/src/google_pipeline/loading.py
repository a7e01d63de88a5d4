"""One account, round by round: its entities in the first, then its days; what a round learns, the next ones know."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from google_pipeline.accounts import Account
from google_pipeline.client import Session
from google_pipeline.confirmation import Confirmation
from google_pipeline.conversion_windows import ConversionWindows
from google_pipeline.entities import Entities
from google_pipeline.errors import AccountClosedError, QueryRefusedError
from google_pipeline.queries import Query
from google_pipeline.reports import Reports
from google_pipeline.settings import Settings
from wire import Extraction, Round

log = logging.getLogger(__name__)


class Loading:
    """The tables of one account. One that answers nothing because it is closed has its own row and nothing else."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        extraction: Extraction,
        account: Account,
        queries: Sequence[Query],
    ) -> None:
        self._extraction = extraction
        self._account = account
        self._queries = queries
        # An account's total of the days and its conversion windows are asked for once, so they must outlive a round.
        confirmation, windows = Confirmation(session, account), ConversionWindows(session, account)
        self._entities = Entities(session, extraction, account, confirmation, windows)
        self._reports = Reports(session, settings, extraction, account, confirmation, conversion_windows=windows)

    def load(self, within: Round) -> None:
        """Each table in its turn, as far as it belongs to the round."""
        account, closed = self._account, self._account.is_closed and within.is_first
        log.info(
            "account %s: loading %s%s", account.id, _days(within), f", although it is {account.row['status']}" * closed
        )
        count = 0
        try:
            for query in self._queries:
                count += self._alone(query, within) if query.stands_alone else self._table(query, within)
        except AccountClosedError as refused:
            log.info("account %s: only its customer row is loaded: %s", account.id, refused.message)
            for query in self._queries:
                if query.daily:
                    self._reports.leave_out(query)
        log.info("account %s: %d rows", account.id, count)

    def _table(self, query: Query, within: Round) -> int:
        if query.daily:
            return self._reports.load(query, within)
        return self._entities.load(query) if within.is_first else 0

    def _alone(self, query: Query, within: Round) -> int:
        """A table that Google may refuse to an account that it gives everything else."""
        try:
            return self._table(query, within)
        except QueryRefusedError as refused:
            self._extraction.give_up([query.name], self._account.id, refused)
            if query.daily:
                self._reports.leave_out(query)
            return 0


def _days(within: Round) -> str:
    if within.is_first:
        return "what is due first"
    oldest = "the first day" if within.oldest is None else f"{within.oldest} days ago"
    return f"its days from {within.newest} days ago back to {oldest}"
