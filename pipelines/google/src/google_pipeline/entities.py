"""The entity tables of one account: full snapshots, one query each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google_pipeline.accounts import Account
from google_pipeline.breakdowns import CONVERSION_ACTION
from google_pipeline.client import Session
from google_pipeline.confirmation import Confirmation
from google_pipeline.conversion_windows import ConversionWindows
from google_pipeline.queries import Query
from google_pipeline.tables import CUSTOMER
from wire import Extraction, Kind, PipelineError

log = logging.getLogger(__name__)


class Entities:
    """The entity tables of one account, loaded one by one."""

    def __init__(
        self,
        session: Session,
        extraction: Extraction,
        account: Account,
        confirmation: Confirmation,
        conversion_windows: ConversionWindows,
    ) -> None:
        self._session = session
        self._extraction = extraction
        self._account = account
        self._confirmation = confirmation
        self._conversion_windows = conversion_windows

    def load(self, query: Query) -> int:
        """Load an account's rows of an entity table; returns their number."""
        account = self._account
        if query is CUSTOMER:
            # Its row came with the list of accounts.
            return self._extraction.replace_account(query.name, account.id, [account.row])
        if self._extraction.is_loaded(query.name, account.id):
            return 0

        def replaced(rows: Iterable[Mapping[str, Any]]) -> int:
            return self._extraction.replace_account(
                query.name, account.id, rows, confirm_empty=lambda: self._confirmation.no_rows(query)
            )

        def load() -> int:
            try:
                return replaced(distinct(query, self._rows(query)))
            except RepeatedError:
                log.info("account %s: %s lists something twice; asking again to compare", account.id, query.name)
                return replaced(compared(query, self._rows(query)))

        return self._session.persistently(load, f"account {account.id}")

    def _rows(self, query: Query) -> Iterator[Mapping[str, Any]]:
        rows = self._session.rows(query, self._account.target)
        return self._conversion_windows.noting(rows) if query is CONVERSION_ACTION else rows


class RepeatedError(Exception):
    """A list seems to name something twice."""


def distinct(query: Query, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows, while no two have one key; raises RepeatedError. Remembers 64 bits a row, not the rows."""
    seen: set[int] = set()
    for row in rows:
        mark = hash(tuple([row[column] for column in query.key]))
        if mark in seen:
            raise RepeatedError
        seen.add(mark)
        yield row


def compared(query: Query, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Each row once, although a list that changes while it is sent may name it twice.

    Raises PipelineError (data) for two different rows of one key: which of them is right is not known here.
    """
    seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        known = seen.setdefault(tuple([row[column] for column in query.key]), row)
        if known is row:
            yield row
        elif known != row:
            name = ", ".join(f"{column} {row[column]}" for column in query.key)
            raise PipelineError(Kind.DATA, f"{query.name}: Google lists {name} twice, with different values")
