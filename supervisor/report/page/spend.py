"""What was spent per platform and day. Currencies are never added or compared: each has its own row of charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from attrs import frozen

from supervisor.record.run_record import RunRecord
from supervisor.record.spend import DailySpend
from supervisor.report.page.chart import BOTTOM, TOP, Bar, Level, Mark, along, levels, percent
from supervisor.report.page.scale import decimal_ticks
from supervisor.report.page.words import money

PLOT = 90


@frozen(kw_only=True)
class SpendPanel:
    """One platform's chart in one currency; heights in pixels."""

    platform: str
    said: str
    text: str
    bars: tuple[Bar, ...]
    levels: tuple[Level, ...]
    dates: tuple[Mark, ...]
    floor: int = TOP + PLOT
    height: int = TOP + PLOT + BOTTOM


@frozen(kw_only=True)
class Currency:
    """All platforms that spent in a currency, on common axes; `lines` are the days with each platform's amount."""

    name: str
    panels: tuple[SpendPanel, ...]
    lines: tuple[tuple[str, ...], ...]


def spend(record: RunRecord) -> tuple[Currency, ...]:
    """The spend of the run's platforms, the currency with the most platforms first."""
    spent = [row for platform in record.platforms for row in record.spend if row.platform == platform.platform_name]
    if not spent:
        return ()
    by_currency: dict[str, dict[str, dict[dt.date, DailySpend]]] = {}
    for row in spent:
        by_currency.setdefault(row.currency, {}).setdefault(row.platform, {})[row.day] = row
    first, last = min(row.day for row in spent), max(row.day for row in spent)
    days = [first + dt.timedelta(n) for n in range((last - first).days + 1)]
    ordered = sorted(by_currency.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(_currency(name, platforms, days) for name, platforms in ordered)


def _currency(name: str, platforms: Mapping[str, Mapping[dt.date, DailySpend]], days: Sequence[dt.date]) -> Currency:
    highest = max(float(row.amount) for rows in platforms.values() for row in rows.values())
    return Currency(
        name=name,
        panels=tuple(_panel(platform, name, rows, days, highest) for platform, rows in platforms.items()),
        lines=tuple(
            (day.isoformat(), *(money(rows[day].amount) if day in rows else "" for rows in platforms.values()))
            for day in reversed(days)
        ),
    )


def _panel(
    platform: str, currency: str, rows: Mapping[dt.date, DailySpend], days: Sequence[dt.date], highest: float
) -> SpendPanel:
    total = sum((row.amount for row in rows.values()), Decimal(0))
    most = max(row.amount for row in rows.values())
    high = 1.15 * highest or 1.0
    slot = 1 / len(days)
    said = f"{money(total)} {currency}"
    ends = [(0.0, days[0].isoformat()), (1.0, days[-1].isoformat())]
    return SpendPanel(
        platform=platform,
        said=said,
        text=f"{said} from {min(rows)} to {max(rows)}; the most on one day was {money(most)}.",
        bars=tuple(
            _bar(rows[day], n * slot, slot, float(rows[day].amount) / high) for n, day in enumerate(days) if day in rows
        ),
        levels=levels((TOP + PLOT * (1 - tick / high), f"{tick:,.10g}") for tick in decimal_ticks(high)),
        dates=along(ends if len(days) > 1 else [(0.5, days[0].isoformat())]),
    )


def _bar(row: DailySpend, x: float, slot: float, share: float) -> Bar:
    tall = max(PLOT * share, 0.0)
    open_day = "" if row.final else ", the day was not over"
    return Bar(
        x=percent(x + 0.12 * slot),
        width=percent(0.76 * slot),
        y=round(TOP + PLOT - tall, 1),
        height=round(tall, 1),
        kind="day" if row.final else "day open",
        text=f"{row.day}: {money(row.amount)} {row.currency}{open_day}",
    )
