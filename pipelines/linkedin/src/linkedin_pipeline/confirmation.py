"""The second question about an answer without rows: nothing to tell, or nothing that this token may read?

LinkedIn documents that adAnalytics answers with an empty list in both cases, so asking again proves nothing. What
does: the account's own total of those days must be empty too, and its total of all years must not be. Who may not read
the account sees neither, and an account that had rows has a total. Where the account's own days are what is empty, its
campaign groups are asked.

A report with conditions, without impressions, or split by something else than campaigns, may be empty where the account
is not: devices and members are told only where LinkedIn knows them, and what is rare has days without it. There a total
that has numbers shows that the account may be read, and the report is believed when it is empty once more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from linkedin_pipeline import levels
from linkedin_pipeline.client import Client
from linkedin_pipeline.report_table import OLDEST, Report
from linkedin_pipeline.restli import Projection, Value, urn
from linkedin_pipeline.tables import Entity
from wire import Window

_ASKED = ("impressions", "clicks", "costInLocalCurrency", "externalWebsiteConversions")


class Confirmation:
    """What one account says when it is asked a second way; each question is sent once."""

    def __init__(self, client: Client, account_id: str, today: dt.date) -> None:
        self._client = client
        self._account_id = account_id
        self._always = Window(today - OLDEST, today)
        self._answers: dict[tuple[str, Window], bool] = {}

    def nothing_in(self, report: Report, window: Window, once_more: Callable[[], bool]) -> bool:
        """Whether a total that is not the report's says that there was nothing in these days, and can be believed.

        `once_more` asks for the report again, and says whether it is empty again.
        """
        is_total = report.level is levels.ACCOUNT and not report.by
        pivot = levels.CAMPAIGN_GROUP.pivot if is_total else levels.ACCOUNT.pivot
        if self._has(pivot, window):
            return report.is_partial and once_more()
        return self._has(pivot, self._always)

    def nothing_of(self, entity: Entity) -> bool:
        """Whether no day ever had numbers of such a thing; a list with a filter must be empty without it as well."""
        if not entity.statuses:
            return not self._has(entity.pivot, self._always)
        unfiltered: dict[str, Value | Projection] = {"q": entity.finder}
        path = entity.resource(self._account_id)
        listed = self._client.pages(path, unfiltered, page_size=1, account_id=self._account_id)
        return next(listed, None) is None and not self._has(entity.pivot, self._always)

    def _has(self, pivot: str, window: Window) -> bool:
        known = self._answers.get((pivot, window))
        if known is None:
            known = self._answers[pivot, window] = bool(self._totals(pivot, window))
        return known

    def _totals(self, pivot: str, window: Window) -> list[dict[str, Any]]:
        return self._client.elements(
            "/adAnalytics",
            {
                "q": "analytics",
                "pivot": {"value": pivot},
                "timeGranularity": {"value": "ALL"},
                "dateRange": {"start": window.first, "end": window.last},
                "accounts": [urn("sponsoredAccount", self._account_id)],
                "fields": Projection(("dateRange", "pivotValues", *_ASKED)),
            },
            account_id=self._account_id,
        )
