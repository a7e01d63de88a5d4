"""The lines of the live view fit every terminal, whatever a platform is called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.record.progress import AttemptProgress
from supervisor.record.run_record import PlatformRecord, Status
from supervisor.report.live_view import Limits, Rates, view

names = st.text(min_size=1, max_size=60)
records = st.builds(
    PlatformRecord,
    platform_name=names,
    status=st.sampled_from(Status),
    rows_processed=st.integers(0, 10**12),
    retry_count=st.integers(0, 99),
    error_message=st.none() | names,
    progress=st.none()
    | st.builds(
        AttemptProgress, platform=names, number=st.just(1), seconds=st.floats(0, 1e6), rows=st.integers(0, 10**12),
        memory_bytes=st.integers(0, 2**50), last_commit=names | st.just(""), throttled_seconds=st.floats(0, 1e6),
        requests_in_flight=st.integers(0, 99), accounts=st.none() | st.integers(0, 9999),
        backfill_days_total=st.none() | st.integers(0, 10**9), backfill_days_left=st.none() | st.integers(0, 10**9),
        seconds_left=st.none() | st.floats(0, 1e6),
    ),
)  # fmt: skip


@given(st.lists(records, min_size=1, max_size=12), st.integers(-5, 200), st.integers(-2, 40), st.booleans())
def test_no_line_is_too_wide_too_many_or_more_than_text(
    platforms: list[PlatformRecord], width: int, height: int, plain: bool
) -> None:
    limits = {p.platform_name: Limits(timeout=1800, memory=2**30, attempts=3) for p in platforms}
    lines = view(platforms, limits, {}, width=width, height=height, plain=plain)
    assert 1 <= len(lines) <= max(1, height)
    assert all(len(line.text) <= max(20, width) for line in lines)
    assert all(line.text.isprintable() or not set(line.text) & set("\x1b\n\r\t\x9b\u202e") for line in lines)


def test_an_operator_sees_how_far_it_is_how_long_it_takes_and_whether_it_is_held_up() -> None:
    progress = AttemptProgress(
        platform="google", number=1, seconds=60, accounts=200, accounts_done=31, backfill_days_total=1000,
        backfill_days_left=627, backfill_days_done=10, requests_in_flight=16, throttled_seconds=75, seconds_left=754.0,
    )  # fmt: skip
    record = PlatformRecord(platform_name="google", status=Status.RUNNING, progress=progress)
    (line,) = view([record], {}, {}, width=200, height=10)
    assert "accounts 31/200  backfill 37 %  about 12m34s left  16 requests at once  throttled 1m15s" in line.text


def look(number: int, seconds: float, rows: int) -> AttemptProgress:
    return AttemptProgress(platform="p", number=number, seconds=seconds, rows=rows)


def test_the_rate_is_that_of_the_last_seconds_of_this_attempt() -> None:
    rates = Rates()
    assert rates.of(look(1, 0, 0)) == 0
    assert rates.of(look(1, 2, 200)) == 100
    assert rates.of(look(1, 2, 200)) == 100
    for seconds in range(3, 14):
        slow = rates.of(look(1, seconds, 200))
    assert slow == 0, "what was committed eleven seconds ago is no speed of now"
    assert rates.of(look(2, 1, 50)) == 50
