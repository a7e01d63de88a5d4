"""Loads an account's daily reports: which days are due, the jobs for them, and their rows into the tables."""

from __future__ import annotations

import calendar
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

from facebook_pipeline.accounts import Account
from facebook_pipeline.client import Graph
from facebook_pipeline.errors import UNREADABLE, TooMuchDataError, unreadable
from facebook_pipeline.insights import MONTHS_KEPT, REPORTS, Report, ReportTable
from facebook_pipeline.jobs import Jobs, Order, Result
from facebook_pipeline.run_rows import RunRows
from facebook_pipeline.runs import Runs
from facebook_pipeline.settings import Settings
from facebook_pipeline.totals import Totals
from wire import Extraction, Grain, Kind, PipelineError, Round, Window, today_in

log = logging.getLogger(__name__)


def load_reports(
    graph: Graph,
    settings: Settings,
    extraction: Extraction,
    account: Account,
    wanted: frozenset[str],
    *,
    own: tuple[Report, ...] = (),
    runs: Runs,
    within: Round,
) -> None:
    """Replace the account's due windows of a round in every wanted table of reports, newest first.

    `own` are the reports that the settings define; one that cannot be had is told, and keeps nothing else from being
    loaded. Raises PipelineError that names every other report that could not be loaded, after all others were.
    """
    today = today_in(account.timezone)
    if within.is_first and settings.start_date:
        _tell_of_days_that_are_gone(settings.start_date, account, today, own)
    orders = [
        order
        for report in (*REPORTS, *own)
        for order in _orders(
            report,
            settings=settings,
            extraction=extraction,
            account=account,
            wanted=wanted,
            today=today,
            within=within,
        )
    ]
    orders.sort(key=lambda order: order.window.last, reverse=True)
    totals = Totals(graph, account, [order.window for order in orders])
    jobs = Jobs(graph, settings, account, runs=runs, totals=totals)
    load = _Load(graph, extraction, account, today, totals)
    for result in jobs.finished(orders):
        load.replace(result, jobs)
    if load.counts:
        log.info("account %s: %s", account.id, ", ".join(f"{name} {count}" for name, count in load.counts.items()))
    for report, error in jobs.given_up:
        extraction.give_up([each.table.name for each in report.tables], account.id, error)
    if jobs.failure:
        raise jobs.failure


class _Load:
    """Finished jobs becoming regions of one account's tables; `counts` are the rows of each table."""

    def __init__(self, graph: Graph, extraction: Extraction, account: Account, today: dt.date, totals: Totals) -> None:
        self._graph = graph
        self._extraction = extraction
        self._account = account
        self._today = today
        self._totals = totals
        self.counts: dict[str, int] = {}

    def replace(self, result: Result, jobs: Jobs) -> None:
        """Replace the result's window in each of its tables; rows that cannot be had are asked for anew."""
        try:
            with RunRows(
                self._graph, result.run_ids, times=len(result.order.tables), accounts=self._graph.limiter.most
            ) as rows:
                for each in result.order.tables:
                    self._replace_one(each, result, rows, jobs)
        except PipelineError as error:
            for instead in jobs.cannot_be_read(result.order, error):
                self.replace(instead, jobs)

    def _replace_one(self, each: ReportTable, result: Result, raws: RunRows, jobs: Jobs) -> None:
        name, window = each.table.name, result.order.window
        count = self._extraction.replace_window(
            name,
            self._account.id,
            window,
            _rows(self._whole(raws, result), each, self._account, self._today),
            today=self._today,
            confirm_empty=lambda: self._is_empty(result.order, jobs),
        )
        log.debug("%s %s %s: %d rows", name, self._account.id, window, count)
        self.counts[name] = self.counts.get(name, 0) + count

    def _is_empty(self, order: Order, jobs: Jobs) -> bool:
        """Whether a second question says too that there is nothing.

        An account without numbers has no report. One with numbers may have nothing that fits a condition or that a
        breakdown divides, so such a report is asked for once more.
        """
        if self._totals.are_empty(order.report.level, order.window):
            return True
        return order.report.may_be_empty and jobs.is_empty_again(order)

    def _whole(self, raws: RunRows, result: Result) -> Iterator[Any]:
        """The rows of a result; raises TooMuchDataError where those of parts are less than the account itself has.

        Parts are made of lists of objects, and rows of an object that is in no list would be lost.
        """
        found = 0
        for raw in raws:
            if result.at_least:
                found += _impressions(raw)
            yield raw
        # An account's numbers shrink too, when Facebook takes invalid ones back.
        if found < result.at_least and found < (now := self._totals.impressions(result.order.window)):
            raise TooMuchDataError(
                Kind.DATA,
                f"{result.order}: its parts have {found} impressions and the account has {now}: Facebook lists not all "
                "of its objects; the day stays as it was, ask again later",
            )


def _tell_of_days_that_are_gone(start: str, account: Account, today: dt.date, own: tuple[Report, ...]) -> None:
    if start < (earliest := earliest_day(today)).isoformat():
        log.warning("account %s: Facebook serves insights from %s on only", account.id, earliest)
    for report in own:
        earliest = earliest_day(today, report.months_kept)
        if report.months_kept < MONTHS_KEPT and start < earliest.isoformat():
            log.warning("account %s: Facebook serves what %s asks for from %s on only", account.id, report, earliest)


def _impressions(raw: object) -> int:
    told = raw.get("impressions") if isinstance(raw, dict) else None
    return int(told) if isinstance(told, str | int) and str(told).isdigit() else 0


def _orders(
    report: Report,
    *,
    settings: Settings,
    extraction: Extraction,
    account: Account,
    wanted: frozenset[str],
    today: dt.date,
    within: Round,
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
            lookback_days=settings.lookback_days if report.lookback_days is None else report.lookback_days,
            window_days=max(settings.window_days, report.least_days),
            earliest=earliest_day(today, report.months_kept),
            within_round=within,
            by_month=report.grain is Grain.MONTH,
        )
        for window in windows:
            due.setdefault(window, []).append(each)
    for window, tables in due.items():
        yield Order(report, tuple(tables), window)


def _rows(rows: Iterator[Any], each: ReportTable, account: Account, today: dt.date) -> Iterator[dict[str, Any]]:
    for raw in rows:
        try:
            yield from each.rows(raw, account.id, today)
        except UNREADABLE as cause:
            day = raw.get("date_start") if isinstance(raw, dict) else "an unknown day"
            raise unreadable(each.table.name, f"a row of {day}", cause) from cause


def earliest_day(today: dt.date, months: int = MONTHS_KEPT) -> dt.date:
    """The oldest day that insights still serve: the day after the one so many months ago."""
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(today.day, last)) + dt.timedelta(days=1)
