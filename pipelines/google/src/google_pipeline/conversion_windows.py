"""How long an account's conversion actions credit a day: https://support.google.com/google-ads/answer/3123169.

A conversion counts on the day of its click, so a day changes for as long after it as the longest window of the actions.
Google takes no conversion whose click is older than its action's window (`EXPIRED_EVENT`, however it is sent).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from google_pipeline.accounts import Account
from google_pipeline.breakdowns import CONVERSION_ACTION
from google_pipeline.client import Session
from google_pipeline.errors import AccountClosedError
from wire import PipelineError

log = logging.getLogger(__name__)

LONGEST = 90
"""Days, the most that an action can be set to."""
_COLUMNS = ("click_through_lookback_window_days", "view_through_lookback_window_days")

WINDOWS = msgspec.structs.replace(
    CONVERSION_ACTION,
    name="the windows of the conversion actions",
    fields=tuple(field for field in CONVERSION_ACTION.fields if field.column in (*CONVERSION_ACTION.key, *_COLUMNS)),
)


class ConversionWindows:
    """The longest window of one account, asked for once a run, and not at all where the actions were just read."""

    def __init__(self, session: Session, account: Account) -> None:
        self._session = session
        self._account = account
        self._days: int | None = None

    def noting(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The account's conversion actions as they are, with their windows noted when all have gone by."""
        windows = []
        for row in rows:
            windows.append(_window(row))
            yield row
        self._days = _longest(windows)

    def days(self) -> int:
        """The longest window, in days. `LONGEST` where Google does not tell it, which is said in the log.

        Raises AccountClosedError, and PipelineError for what is not the account's failure alone.
        """
        if self._days is None:
            self._days = self._asked()
        return self._days

    def _asked(self) -> int:
        account = self._account
        try:
            return self._session.persistently(
                lambda: _longest([_window(row) for row in self._session.rows(WINDOWS, account.target)]),
                f"account {account.id}",
            )
        except AccountClosedError:
            raise
        except PipelineError as error:
            if error.account_id is None:
                raise
            log.warning(
                "account %s: %s; conversions by action are loaded anew of %d days",
                *(account.id, error.message, LONGEST),
            )
            return LONGEST


def _longest(windows: list[int]) -> int:
    # Without an action of its own, an account may have those of a manager that are not listed.
    return min(LONGEST, max(windows, default=LONGEST))


def _window(row: Mapping[str, Any]) -> int:
    click, view = (row[column] for column in _COLUMNS)
    return LONGEST if click is None else max(click, view or 0)
