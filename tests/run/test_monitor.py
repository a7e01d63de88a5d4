"""The record of a run: each platform's status, and numbers that count what was committed."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path

import pytest

from supervisor.config.errors import ReportError
from supervisor.record.outcome import AttemptResult, Outcome
from supervisor.record.run_record import ExecutionSummary, Status
from supervisor.run.monitor import ExecutionMonitor

START = dt.datetime(2026, 1, 22, 10, 0, tzinfo=dt.UTC)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.seconds - 100)

    def clock(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def monitor(clock: Clock) -> ExecutionMonitor:
    return ExecutionMonitor(["google", "linkedin"], now=clock.now, clock=clock.clock)


def attempt(number: int, **given: object) -> AttemptResult:
    values: dict[str, object] = {
        "platform": "google",
        "number": number,
        "outcome": Outcome.FAILED,
        "started": START,
        "duration_seconds": 1.0,
    }
    return AttemptResult(**{**values, **given})  # type: ignore[arg-type]  # keywords of many types in one mapping


def test_platforms_wait_in_the_order_in_which_they_were_named(monitor: ExecutionMonitor) -> None:
    assert [(each.platform_name, each.status) for each in monitor.platforms] == [
        ("google", "pending"),
        ("linkedin", "pending"),
    ]


def test_a_platform_runs_retries_and_completes(monitor: ExecutionMonitor, clock: Clock) -> None:
    monitor.start_platform("google")
    assert monitor.platform("google").status is Status.RUNNING
    clock.seconds += 10
    monitor.record_attempt(attempt(1, rows=100, rows_by_table={"campaigns": 60, "ads": 40}))
    monitor.retry_platform("google")
    assert monitor.platform("google").status is Status.RETRYING
    clock.seconds += 60
    monitor.start_platform("google")
    clock.seconds += 5
    assert monitor.platform("google").duration_seconds == 75
    monitor.record_attempt(attempt(2, outcome=Outcome.COMPLETED, rows=11, rows_by_table={"ads": 11}))
    monitor.complete_platform("google")
    clock.seconds += 1000
    done = monitor.platform("google")
    assert (done.status, done.retry_count, done.error_message) == ("completed", 1, None)
    assert (done.rows_processed, done.tables_processed, done.duration_seconds) == (111, 2, 75)
    assert (done.started, done.ended) == (START, START + dt.timedelta(seconds=75))
    assert [each.number for each in done.attempts] == [1, 2]


def test_numbers_that_are_given_win_over_those_of_attempts(monitor: ExecutionMonitor) -> None:
    monitor.record_attempt(attempt(1, rows=1, rows_by_table={"ads": 1}))
    monitor.complete_platform("google", rows_processed=5000, tables_processed=4)
    assert (monitor.platform("google").rows_processed, monitor.platform("google").tables_processed) == (5000, 4)


def test_rows_of_a_failed_platform_count_because_they_are_committed(monitor: ExecutionMonitor) -> None:
    monitor.start_platform("google")
    monitor.record_attempt(attempt(1, rows=7, rows_by_table={"ads": 7}))
    monitor.fail_platform("google", "the token is expired")
    assert monitor.platform("google").error_message == "the token is expired"
    assert monitor.get_summary().total_rows_processed == 7


def test_a_skipped_platform_has_a_reason_and_no_duration(monitor: ExecutionMonitor) -> None:
    monitor.skip_platform("google", "its dependency 'rates' failed")
    skipped = monitor.platform("google")
    assert (skipped.status, skipped.error_message) == ("skipped", "its dependency 'rates' failed")
    assert (skipped.started, skipped.duration_seconds) == (None, 0)


def test_the_summary_counts_every_platform(monitor: ExecutionMonitor, clock: Clock) -> None:
    monitor.start_platform("google")
    clock.seconds += 2.5
    monitor.complete_platform("google", rows_processed=5)
    monitor.fail_platform("linkedin", "no")
    monitor.skip_platform("facebook", "late")
    assert monitor.get_summary() == ExecutionSummary(
        total_platforms=3,
        completed=1,
        failed=1,
        skipped=1,
        success_rate=33.33,
        total_rows_processed=5,
        total_duration_seconds=2.5,
    )


def test_a_run_of_nothing_has_no_success() -> None:
    assert ExecutionMonitor().get_summary().success_rate == 0


def test_time_stops_when_the_run_is_finished(monitor: ExecutionMonitor, clock: Clock) -> None:
    assert (monitor.record().finished, monitor.record().exit_code) == (None, None)
    clock.seconds += 3
    monitor.finish(exit_code=2)
    clock.seconds += 3
    record = monitor.record()
    assert (record.started, record.finished, record.exit_code) == (START, START + dt.timedelta(seconds=3), 2)
    assert record.summary.total_duration_seconds == 3


def test_a_run_has_an_id_that_sorts_by_time(monitor: ExecutionMonitor) -> None:
    assert monitor.run_id.startswith("20260122T100000Z-")
    assert ExecutionMonitor(run_id="mine").record().run_id == "mine"


def test_the_report_can_be_exported_while_the_run_lasts(monitor: ExecutionMonitor, tmp_path: Path) -> None:
    monitor.start_platform("google")
    monitor.export_report("json", tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["platforms"][0]["status"] == "running"
    with pytest.raises(ReportError, match="a report is written as json, csv, html, not as 'xml'"):
        monitor.export_report("xml", tmp_path / "report.xml")


def test_threads_do_not_lose_each_others_words() -> None:
    names = [f"p{number}" for number in range(8)]
    monitor = ExecutionMonitor(names)

    def work(name: str) -> None:
        for number in range(1, 101):
            monitor.start_platform(name)
            monitor.record_attempt(attempt(number, platform=name, rows=1, rows_by_table={"ads": 1}))
            monitor.retry_platform(name)
            monitor.get_summary()
        monitor.complete_platform(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor.get_summary().total_rows_processed == 800
    assert all(each.retry_count == 100 and each.status == "completed" for each in monitor.platforms)
