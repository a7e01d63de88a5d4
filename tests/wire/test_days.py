"""Which days are due: each missing day and each recent day exactly once, newest first."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.days import Window, due_days, first_whole_month, in_months, in_windows, merged, today_in, without
from wire.failures import PipelineError

DAY_0 = dt.date(2026, 1, 1)
DAYS = st.integers(0, 120).map(lambda n: DAY_0 + dt.timedelta(days=n))
WINDOWS = st.tuples(DAYS, DAYS).map(lambda pair: Window(min(pair), max(pair)))


def days(windows: tuple[Window, ...]) -> list[dt.date]:
    return [day for window in windows for day in window.days()]


@given(st.lists(WINDOWS, max_size=6))
def test_merged_windows_hold_the_same_days_apart_from_each_other(windows: list[Window]) -> None:
    out = merged(windows)
    assert set(days(out)) == set(days(tuple(windows)))
    assert all(a.last + dt.timedelta(days=1) < b.first for a, b in itertools.pairwise(out))


@given(WINDOWS, st.lists(WINDOWS, max_size=5))
def test_what_is_left_is_what_was_not_done(window: Window, done: list[Window]) -> None:
    left = without(window, done)
    assert set(days(left)) == set(window.days()) - set(days(tuple(done)))


@given(
    start=DAYS,
    today=DAYS,
    settled=st.lists(WINDOWS, max_size=4),
    lookback=st.integers(0, 40),
    length=st.integers(1, 31),
)
def test_every_due_day_comes_once_and_the_newest_first(
    start: dt.date, today: dt.date, settled: list[Window], lookback: int, length: int
) -> None:
    windows = in_windows(due_days(start=start, today=today, settled=settled, lookback_days=lookback), length)
    got = days(windows)
    span = [] if start > today else list(Window(start, today).days())
    recent = today - dt.timedelta(days=lookback)
    wanted = {day for day in span if day >= recent} | (set(span) - set(days(tuple(settled))))
    assert sorted(got) == sorted(wanted)
    assert all(len(window) <= length for window in windows)
    assert all(a.first > b.last for a, b in itertools.pairwise(windows))


def test_since_and_until_load_exactly_those_days_and_never_the_future() -> None:
    due = due_days(
        start=DAY_0,
        today=dt.date(2026, 3, 1),
        settled=[Window(DAY_0, dt.date(2026, 3, 1))],
        lookback_days=30,
        since=dt.date(2026, 1, 5),
        until=dt.date(2026, 9, 9),
    )
    assert due == (Window(dt.date(2026, 1, 5), dt.date(2026, 3, 1)),)


def test_today_is_the_accounts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_NOW", "2026-11-20T12:00:00+00:00")
    assert today_in("Pacific/Auckland") == dt.date(2026, 11, 21)
    assert today_in("America/Los_Angeles") == dt.date(2026, 11, 20)
    with pytest.raises(PipelineError, match="Mars/Olympus"):
        today_in("Mars/Olympus")


def test_months_are_whole_newest_first_and_the_running_one_ends_today() -> None:
    day = dt.date.fromisoformat
    days = (Window(day("2025-12-31"), day("2026-01-01")), Window(day("2026-02-27"), day("2026-03-02")))
    assert in_months(days, today=day("2026-03-20")) == (
        Window(day("2026-03-01"), day("2026-03-20")), Window(day("2026-02-01"), day("2026-02-28")),
        Window(day("2026-01-01"), day("2026-01-31")), Window(day("2025-12-01"), day("2025-12-31")),
    )  # fmt: skip
    assert in_months((), today=day("2026-03-20")) == ()
    assert [first_whole_month(day(text)) for text in ("2026-02-01", "2026-02-02", "2025-12-31")] == [
        day("2026-02-01"), day("2026-03-01"), day("2026-01-01"),
    ]  # fmt: skip
