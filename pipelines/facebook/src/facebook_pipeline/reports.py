"""Loads an account's daily reports: which days are due, the jobs for them, and their rows into the tables."""

from __future__ import annotations

import calendar
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

from facebook_pipeline.accounts import Account
from facebook_pipeline.client import Graph
from facebook_pipeline.errors import UNREADABLE, unreadable
from facebook_pipeline.insights import REPORTS, Report, ReportTable
from facebook_pipeline.jobs import Jobs, Order
from facebook_pipeline.settings import Settings
from wire import Extraction, Window, today_in

log = logging.getLogger(__name__)

MONTHS_KEPT = 37
"""Insights reach this far back; an earlier day is refused with code 3018."""


def load_reports(
    graph: Graph, settings: Settings, extraction: Extraction, account: Account, wanted: frozenset[str]
) -> None:
    """Replace the account's due windows in every wanted daily table, newest first.

    A job's rows are read once for each of its tables instead of being held in between: the result of a finished job
    stands still, so both passes agree, memory stays at one page, and a retried pass begins at a clean start.
    """
    today = today_in(account.timezone)
    if settings.start_date and settings.start_date < earliest_day(today).isoformat():
        log.warning("account %s: Facebook serves insights from %s on only", account.id, earliest_day(today))
    orders = [
        order
        for report in REPORTS
        for order in _orders(
            report, settings=settings, extraction=extraction, account=account, wanted=wanted, today=today
        )
    ]
    orders.sort(key=lambda order: order.window.last, reverse=True)
    counts: dict[str, int] = {}
    for order, run_id in Jobs(graph, settings, account).finished(orders):
        for each in order.tables:
            name = each.table.name
            rows = _rows(graph, run_id, each, account, today)
            count = extraction.replace_window(name, account.id, order.window, rows, today=today)
            log.debug("%s %s %s: %d rows", name, account.id, order.window, count)
            counts[name] = counts.get(name, 0) + count
    if counts:
        log.info("account %s: %s", account.id, ", ".join(f"{name} {count}" for name, count in counts.items()))


def _orders(
    report: Report,
    *,
    settings: Settings,
    extraction: Extraction,
    account: Account,
    wanted: frozenset[str],
    today: dt.date,
) -> Iterator[Order]:
    """One order for each window; tables of the report that are due for the same window share it."""
    due: dict[Window, list[ReportTable]] = {}
    for each in report.tables:
        if each.table.name not in wanted:
            continue
        windows = extraction.due(
            each.table.name,
            account.id,
            today=today,
            lookback_days=settings.lookback_days,
            window_days=settings.window_days,
            earliest=earliest_day(today),
        )
        for window in windows:
            due.setdefault(window, []).append(each)
    for window, tables in due.items():
        yield Order(report, tuple(tables), window)


def _rows(graph: Graph, run_id: str, each: ReportTable, account: Account, today: dt.date) -> Iterator[dict[str, Any]]:
    for page in graph.pages(run_id, "insights"):
        for raw in page:
            try:
                yield from each.rows(raw, account.id, today)
            except UNREADABLE as cause:
                raise unreadable(each.table.name, f"a row of {raw.get('date_start')}", cause) from cause


def earliest_day(today: dt.date) -> dt.date:
    """The oldest day that insights still serve: the day after the one `MONTHS_KEPT` months ago."""
    year, month = divmod(today.year * 12 + today.month - 1 - MONTHS_KEPT, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(today.day, last)) + dt.timedelta(days=1)
