"""Values as a reader wants to see them: thousands separators, units, UTC."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from supervisor.record.backfill import backfill_of
from supervisor.record.outcome import AttemptResult, Outcome
from supervisor.record.reconciliation import Difference
from supervisor.record.run_record import Status

_SIGNS = {Status.COMPLETED: "✓", Status.FAILED: "✕", Status.SKIPPED: "–"}
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def sign(status: Status) -> str:
    """One character for how a platform ended."""
    return _SIGNS.get(status, "…")


def number(value: int) -> str:
    return f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def seconds(value: float) -> str:
    """`0.42 s`, `12.3 s`, `3 min 12 s`, `2 h 05 min`."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min"


def backfill(attempt: AttemptResult) -> str:
    """`37 %, 4 nights left`; empty where there is none."""
    found = backfill_of((attempt,))
    if found is None or not found.total:
        return ""
    return f"{found.percent} %" + (f", {counted(found.nights, 'night')} left" if found.left and found.nights else "")


def size(value: float) -> str:
    """`512 B`, `84.2 MiB`, `1 GiB`."""
    unit = 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    shown = f"{value:.0f}" if value >= 100 or unit == 0 else f"{value:.1f}".removesuffix(".0")
    return f"{shown} {UNITS[unit]}"


def money(value: Decimal) -> str:
    return f"{value:,.2f}"


def difference(day: Difference) -> tuple[str, ...]:
    """The account, the day, and of each metric what the campaigns have and what the account has."""
    return (day.account_id, day.day.isoformat(), *day.sides)


def moment(value: dt.datetime | None) -> str:
    return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if value else "not yet"


def outcome(value: Outcome) -> str:
    return value.value.replace("_", " ")
