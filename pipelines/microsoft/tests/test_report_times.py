"""When reports in the making are looked at: seldom in vain, and soon after they are ready."""

from __future__ import annotations

import pytest

from microsoft_pipeline.report_times import ReportTimes


def looks(times: ReportTimes, seconds: float, table: str = "ad_daily") -> list[float]:
    """The ages at which a report is looked at that takes so many seconds; the last one finds it ready."""
    ages = [times.first_look(table)]
    while ages[-1] < seconds:
        ages.append(times.next_look(table, ages[-1]))
    times.ready(table, ages[-1], ages[-2] if len(ages) > 1 else 0.0)
    return ages


@pytest.mark.parametrize("seconds", [1.0, 3.7, 10.0, 60.0, 400.0])
def test_after_the_first_ones_few_looks_come_too_early_and_none_much_too_late(seconds: float) -> None:
    times = ReportTimes(0.2)
    first, *others = [looks(times, seconds) for _ in range(30)]
    assert first[0] == 0.2
    assert max(map(len, others)) <= 8
    assert len(others[-1]) <= 5
    assert sum(ages[-1] for ages in others) <= 1.15 * seconds * len(others)


def test_one_slow_report_does_not_hold_the_quick_ones_up() -> None:
    times = ReportTimes(0.2)
    looks(times, 3.0)
    looks(times, 600.0)
    assert looks(times, 3.0)[-1] <= 1.5 * 3.0


def test_reports_that_become_quick_are_soon_looked_at_sooner() -> None:
    times = ReportTimes(0.2)
    for _ in range(10):
        looks(times, 100.0)
    late = [looks(times, 1.0)[-1] for _ in range(8)]
    assert late == sorted(late, reverse=True)
    assert late[-1] < 3.0


def test_reports_that_become_slow_are_looked_at_later_after_a_few() -> None:
    times = ReportTimes(0.2)
    for _ in range(10):
        looks(times, 1.0)
    counts = [len(looks(times, 100.0)) for _ in range(20)]
    assert counts[-1] <= 5 < counts[0] <= 25


def test_each_table_has_its_own_times() -> None:
    times = ReportTimes(0.2)
    looks(times, 50.0, "search_query_daily")
    assert times.first_look("ad_daily") == 0.2


def test_a_report_that_is_ready_at_once_is_looked_at_at_once() -> None:
    times = ReportTimes(0.2)
    assert [looks(times, 0.0) for _ in range(5)] == [[0.2]] * 5
