"""What an account had on which days: the second opinion on a report that came back empty, or in parts.

The account's own total is made apart from the reports of campaigns, ad sets and ads, and counts what was deleted too.
Where the account's report is the one that is empty, its campaigns are asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from facebook_pipeline import values
from facebook_pipeline.insights import ACCOUNT_LEVEL
from facebook_pipeline.objects import STATUSES, status_filter
from wire import Window

if TYPE_CHECKING:
    from facebook_pipeline.accounts import Account
    from facebook_pipeline.client import Graph

LONGEST = 92
"""Days that one question may span."""
_METRICS = ("impressions", "clicks", "spend")


class Totals:
    """An account's own numbers of its days, asked for only when somebody doubts.

    `windows` are those that will be loaded: where they are not too long together, one question serves them all.
    """

    def __init__(self, graph: Graph, account: Account, windows: Iterable[Window]) -> None:
        self._graph = graph
        self._account = account
        self._windows = tuple(windows)
        self._known: list[tuple[str, Window, frozenset[dt.date]]] = []

    def are_empty(self, level: str, window: Window) -> bool:
        """Whether the account has nothing on any day of a window, for which a report of this level has no rows.

        Raises PipelineError where it cannot be told.
        """
        other = "campaign" if level == ACCOUNT_LEVEL else ACCOUNT_LEVEL
        for asked_of, asked, days in self._known:
            if asked_of == other and asked.first <= window.first and window.last <= asked.last:
                return not any(window.first <= day <= window.last for day in days)
        self._ask(other, self._span(window))
        return self.are_empty(level, window)

    def impressions(self, window: Window) -> int:
        """How many the account has on the days of a window, asked for anew each time, because today's still grow."""
        pages = self._pages(ACCOUNT_LEVEL, window)
        return sum(int(values.integer(raw.get("impressions")) or 0) for page in pages for raw in page)

    def _span(self, window: Window) -> Window:
        whole = Window(
            min(window.first, *(each.first for each in self._windows)),
            max(window.last, *(each.last for each in self._windows)),
        )
        return whole if len(whole) <= LONGEST else window

    def _ask(self, level: str, span: Window) -> None:
        pages = self._pages(level, span)
        days = {dt.date.fromisoformat(str(raw["date_start"])) for page in pages for raw in page if _has_any(raw)}
        self._known.append((level, span, frozenset(days)))

    def _pages(self, level: str, span: Window) -> Iterator[list[dict[str, Any]]]:
        chosen = {"filtering": [status_filter(level, STATUSES[level])]} if level in STATUSES else {}
        return self._graph.pages(
            self._account.node,
            "insights",
            level=level,
            time_range={"since": span.first.isoformat(), "until": span.last.isoformat()},
            time_increment=1,
            fields=",".join(_METRICS),
            **chosen,
        )


def _has_any(raw: dict[str, Any]) -> bool:
    return any(values.number(raw.get(name)) for name in _METRICS)
