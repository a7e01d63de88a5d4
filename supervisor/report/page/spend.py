"""What was spent per platform and day. Currencies are never added or compared: each has its own row of charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from supervisor.record.spend import DailySpend
from supervisor.report.page.chart import BOTTOM, TOP, along, chart, levels, percent
from supervisor.report.page.markup import Markup, joined, tag
from supervisor.report.page.scale import decimal_ticks
from supervisor.report.page.table import folded, table
from supervisor.report.page.words import money

_PLOT = 90


def spend(rows: Sequence[DailySpend]) -> Markup:
    """All currencies, the one with the most platforms first; the charts of one currency share their axes."""
    by_currency: dict[str, dict[str, dict[dt.date, DailySpend]]] = {}
    for row in rows:
        by_currency.setdefault(row.currency, {}).setdefault(row.platform, {})[row.day] = row
    first, last = min(row.day for row in rows), max(row.day for row in rows)
    days = [first + dt.timedelta(n) for n in range((last - first).days + 1)]
    ordered = sorted(by_currency.items(), key=lambda item: (-len(item[1]), item[0]))
    return joined(*(_currency(f"spend{n}", name, platforms, days) for n, (name, platforms) in enumerate(ordered)))


def _currency(
    key: str, currency: str, platforms: Mapping[str, Mapping[dt.date, DailySpend]], days: Sequence[dt.date]
) -> Markup:
    highest = max(float(row.amount) for rows in platforms.values() for row in rows.values())
    panels = (
        _panel(f"{key}-{n}", (name, currency), rows, days, highest) for n, (name, rows) in enumerate(platforms.items())
    )
    cells = (
        [day.isoformat(), *(money(rows[day].amount) if day in rows else "" for rows in platforms.values())]
        for day in reversed(days)
    )
    return tag(
        "section",
        tag("h3", currency),
        tag("div", *panels, class_="panels small"),
        folded(f"{currency} by day", table(f"Spend in {currency} by day", ["day", *platforms], cells)),
    )


def _panel(
    key: str, name: tuple[str, str], rows: Mapping[dt.date, DailySpend], days: Sequence[dt.date], highest: float
) -> Markup:
    platform, currency = name
    total = sum((row.amount for row in rows.values()), Decimal(0))
    high = 1.15 * highest or 1.0
    slot = 1 / len(days)
    bars = [
        _bar(rows[day], n * slot, slot, float(rows[day].amount) / high) for n, day in enumerate(days) if day in rows
    ]
    height = TOP + _PLOT + BOTTOM
    marks = levels((TOP + _PLOT * (1 - tick / high), f"{tick:,.10g}") for tick in decimal_ticks(high))
    floor = tag("line", x1=0, x2="100%", y1=TOP + _PLOT, y2=TOP + _PLOT, class_="floor")
    dates = along([(0, days[0].isoformat()), (1, days[-1].isoformat())] if len(days) > 1 else [(0.5, str(days[0]))],
                  y=height - 6)  # fmt: skip
    said = f"{money(total)} {currency}"
    most = max(row.amount for row in rows.values())
    text = f"{said} from {min(rows)} to {max(rows)}; the most on one day was {money(most)}."
    return tag(
        "figure",
        tag("figcaption", tag("b", platform), " ", tag("span", said, class_="soft")),
        chart(key, *bars, *marks, floor, *dates, height=height, title=f"Spend of {platform} in {currency}", text=text),
    )


def _bar(row: DailySpend, x: float, slot: float, share: float) -> Markup:
    tall = max(_PLOT * share, 0.0)
    open_day = "" if row.final else ", the day was not over"
    return tag(
        "rect",
        tag("title", f"{row.day}: {money(row.amount)} {row.currency}{open_day}"),
        x=percent(x + 0.12 * slot), width=percent(0.76 * slot),
        y=round(TOP + _PLOT - tall, 1), height=round(tall, 1), class_="day" if row.final else "day open",
    )  # fmt: skip
