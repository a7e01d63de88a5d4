"""Control totals compared, asked of a sink that can answer: the days that a run has loaded, or the last ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from supervisor.record.reconciliation import METRICS, Difference, LevelShare, Reconciliation
from supervisor.sinks import Sink
from supervisor.sinks.quoting import text
from supervisor.sinks.reconciliation import BELOW, CAMPAIGN, CONTROL, PROMISES, compared, table_of
from supervisor.sinks.unified import SOURCES

MOST_DIFFERENCES = 1000
"""Days whose numbers are kept; that there are more is counted."""

Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Carries a query out; its rows."""
Columns = Mapping[str, set[str]]
"""The columns of each `platform.table` that there is."""


@runtime_checkable
class KnowsTotals(Protocol):
    """A sink that can compare what it holds."""

    def reconcile_run(
        self, platform: str, run_id: str, without: Collection[str], instead: str | None = None
    ) -> Reconciliation | None:
        """The days that a run has loaded of a platform, but for some accounts; None where it has no totals.

        A table that stands `instead` of the campaigns' is held against the accounts.
        """


def read_totals(
    sink: Sink, platform: str, run_id: str, *, without: Collection[str], instead: str | None = None
) -> Reconciliation | None:
    """What the sink says, or None where it cannot say."""
    return sink.reconcile_run(platform, run_id, without, instead) if isinstance(sink, KnowsTotals) else None


def compared_tables(platform: str) -> frozenset[str]:
    """The two tables that a run must have loaded to be compared; none where the platform has no totals."""
    source = SOURCES.get(platform)
    return frozenset(f"{source.levels[level]}_daily" for level in (CONTROL, CAMPAIGN)) if source else frozenset()


def of_run(
    ask: Ask, columns: Columns, platform: str, run_id: str, without: Collection[str], *, instead: str | None = None
) -> Reconciliation | None:
    """The days of which account and campaigns were both loaded by this run, if either has rows at all.

    With a table `instead` of the campaigns, the days of which that has rows. Raises what `ask` raises. Only these days
    are read, however many the tables hold.
    """
    mine = f"_run_id = {text(run_id)}"
    spans = [_span(ask, f"{table} WHERE {mine}") for table in _tables(columns, platform, instead)]
    days = [day for span in spans if span for day in span]
    if not days:
        return None
    left_out = f" AND d.account_id NOT IN ({', '.join(map(text, sorted(without)))})" if without else ""
    query = compared(
        platform,
        columns,
        levels=(CAMPAIGN,),
        where=f"d.date BETWEEN DATE '{min(days)}' AND DATE '{max(days)}'{left_out}",
        having=f"min(run_id) = {text(run_id)} AND max(run_id) = {text(run_id)}",
        must_have_total=instead is None,
        instead=instead,
    )
    return _answer(ask, query, "campaigns" if instead is None else "rows") if query else None


def of_last_days(
    ask: Ask, columns: Columns, platform: str, days: int
) -> tuple[Reconciliation, list[LevelShare]] | None:
    """The last days that the account's totals reach, and each level below the campaigns; None without totals."""
    span = next((_span(ask, table) for table in _tables(columns, platform)), None)
    if span is None:
        return None
    query = compared(platform, columns, where=f"d.date > DATE '{span[1] - dt.timedelta(days=days)}'")
    return (_answer(ask, query), list(_shares(ask, platform, columns, query))) if query else None


def _shares(ask: Ask, platform: str, columns: Columns, query: str) -> Iterator[LevelShare]:
    for level in BELOW[1:]:
        if table_of(platform, level) not in columns:
            continue
        ((whole, part, differing),) = ask(
            f"SELECT sum(account_impressions), sum({level}_impressions), "
            f"sum(CASE WHEN {level}_impressions_difference = 0 AND {level}_clicks_difference = 0 THEN 0 ELSE 1 END) "
            f"FROM ({query}) q WHERE adds_up IS NOT NULL"
        )
        yield LevelShare(
            level=level,
            name=SOURCES[platform].levels[level],
            ratio=float(part or 0) / float(whole) if whole else None,
            differing=int(differing or 0),
            lacks=PROMISES[platform].lacks.get(level),
        )


def _tables(columns: Columns, platform: str, instead: str | None = None) -> list[str]:
    """The two tables that are compared, the account's first; none where one is missing or has not what it takes."""
    query = compared(platform, columns, levels=(CAMPAIGN,), instead=instead)
    below = table_of(platform, CAMPAIGN) if instead is None else f"{platform}.{instead}"
    return [] if query is None else [table_of(platform, CONTROL), below]


def _span(ask: Ask, rows: str) -> tuple[dt.date, dt.date] | None:
    ((first, last),) = ask(f"SELECT min(date), max(date) FROM {rows}")
    return (first, last) if first is not None else None


def _answer(ask: Ask, query: str, what: str = "campaigns") -> Reconciliation:
    ((count, differing),) = ask(
        f"SELECT count(*), sum(CASE WHEN adds_up THEN 0 ELSE 1 END) FROM ({query}) q WHERE adds_up IS NOT NULL"
    )
    if not differing:
        return Reconciliation(compared=int(count))
    numbers = ", ".join(f"{level}_{metric}" for level in (CONTROL, CAMPAIGN) for metric in METRICS)
    rows = ask(
        f"SELECT account_id, date, {numbers} FROM ({query}) q WHERE adds_up = false "
        f"ORDER BY abs({CAMPAIGN}_impressions_difference) DESC, date DESC, account_id LIMIT {MOST_DIFFERENCES}"
    )
    return Reconciliation(
        compared=int(count), differing=int(differing), differences=tuple(_difference(row, what) for row in rows)
    )


def _difference(row: Sequence[Any], what: str) -> Difference:
    account_id, day, *numbers = row
    amounts: Iterable[Decimal] = (Decimal(number or 0) for number in numbers)
    told = [dict(zip(METRICS, part, strict=True)) for part in zip(*[iter(amounts)] * len(METRICS), strict=True)]
    return Difference(account_id=account_id, day=day, account=told[0], campaigns=told[1], what=what)
