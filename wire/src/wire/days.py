"""Days that are complete, days that are due, and the windows they are loaded in."""

from __future__ import annotations

import calendar
import datetime as dt
import os
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from wire.exits import Kind
from wire.failures import PipelineError

_DAY = dt.timedelta(days=1)


class Window(Struct, frozen=True, order=True):
    """A run of days, both ends included."""

    first: dt.date
    last: dt.date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def days(self) -> Iterable[dt.date]:
        return (self.first + _DAY * n for n in range(len(self)))

    def __str__(self) -> str:
        return f"{self.first}..{self.last}" if self.first != self.last else str(self.first)


def now() -> dt.datetime:
    """The instant taken for now: the clock's, or PIPELINE_NOW (ISO 8601 with an offset) for a replay or a test."""
    given = os.environ.get("PIPELINE_NOW")
    if not given:
        return dt.datetime.now(dt.UTC)
    try:
        instant = dt.datetime.fromisoformat(given)
    except ValueError as cause:
        raise PipelineError(Kind.CONFIG, f"PIPELINE_NOW: {given!r} is not an ISO 8601 instant") from cause
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)


def today_in(timezone: str) -> dt.date:
    """The date it is now in an account's time zone, an IANA name such as Europe/Berlin."""
    try:
        return now().astimezone(ZoneInfo(timezone)).date()
    except (ZoneInfoNotFoundError, ValueError) as cause:
        raise PipelineError(Kind.DATA, f"the time zone {timezone!r} of an account is not known here") from cause


def merged(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same days as few windows, oldest first."""
    out: list[Window] = []
    for window in sorted(windows):
        if out and window.first <= out[-1].last + _DAY:
            out[-1] = Window(out[-1].first, max(out[-1].last, window.last))
        else:
            out.append(window)
    return tuple(out)


def without(window: Window, done: Sequence[Window]) -> tuple[Window, ...]:
    """The days of `window` that are in none of `done`, oldest first."""
    left: list[Window] = []
    first = window.first
    for each in merged(done):
        if each.last < first or each.first > window.last:
            continue
        if each.first > first:
            left.append(Window(first, each.first - _DAY))
        first = max(first, each.last + _DAY)
    if first <= window.last:
        left.append(Window(first, window.last))
    return tuple(left)


def due_days(
    *,
    start: dt.date,
    today: dt.date,
    settled: Sequence[Window],
    lookback_days: int,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> tuple[Window, ...]:
    """The days to load, oldest first.

    Without `since` and `until`: the days from `start` to `today` that are not settled, and the trailing `lookback_days`
    before today, because platforms restate them. With either, exactly the days they name.
    """
    if since or until:
        first, last = since or start, min(until or today, today)
        return (Window(first, last),) if first <= last else ()
    if start > today:
        return ()
    recent = Window(max(start, today - _DAY * lookback_days), today)
    return merged([*without(Window(start, today), settled), recent])


def in_windows(days: Sequence[Window], window_days: int) -> tuple[Window, ...]:
    """The same days, newest first, in windows of at most `window_days`."""
    return tuple(piece for window in reversed(days) for piece in _cut(window, window_days))


def month_of(day: dt.date) -> Window:
    """The calendar month of a day."""
    return Window(day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1]))


def first_whole_month(day: dt.date) -> dt.date:
    """The first day of the first month that lies from `day` on wholly."""
    month = month_of(day)
    return day if day == month.first else month.last + _DAY


def in_months(days: Sequence[Window], today: dt.date) -> tuple[Window, ...]:
    """The months that have any of the days, newest first; the one that is not over yet ends today."""
    firsts = {month_of(day).first for window in days for day in (*_firsts(window), window.last)}
    return tuple(Window(first, min(month_of(first).last, today)) for first in sorted(firsts, reverse=True))


def _firsts(window: Window) -> Iterable[dt.date]:
    """A day of each month of a window but perhaps the last."""
    day = window.first
    while day <= window.last:
        yield day
        day = month_of(day).last + _DAY


def before(day: dt.date) -> dt.date:
    """The day before, or the first of all days, which has none."""
    return day if day == dt.date.min else day - _DAY


def within(days: Sequence[Window], first: dt.date, last: dt.date) -> tuple[Window, ...]:
    """Those of the days that lie from `first` to `last`, both included."""
    return tuple(
        Window(max(each.first, first), min(each.last, last))
        for each in days
        if each.first <= last and first <= each.last
    )


def _cut(window: Window, window_days: int) -> Iterable[Window]:
    last = window.last
    while last >= window.first:
        first = max(window.first, last - _DAY * (window_days - 1))
        yield Window(first, last)
        last = first - _DAY
