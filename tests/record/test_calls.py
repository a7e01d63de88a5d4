"""METRIC lines of our pipelines and of other people's taps are understood; everything else stays a line of the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supervisor.record.calls import Calls


def metric(kind: str, metric: str, value: Any, **tags: Any) -> str:
    return f"METRIC: {json.dumps({'type': kind, 'metric': metric, 'value': value, 'tags': tags})}"


def test_points_add_up() -> None:
    calls = Calls()
    for line in (
        "INFO     | " + metric("counter", "http_request_count", 12),
        "INFO     | " + metric("counter", "http_request_count", 3),
        "INFO     | " + metric("counter", "http_retry_count", 2, reason="transient"),
        "INFO     | " + metric("timer", "throttled_duration", 1.5),
        "INFO     | " + metric("timer", "throttled_duration", 2),
    ):
        assert calls.take(line)
    assert (calls.calls, calls.retries, calls.throttled_seconds) == (15, 2, 3.5)


def test_gauges_stand_for_themselves_and_an_estimate_runs_down() -> None:
    seconds = 100.0
    calls = Calls(clock=lambda: seconds)
    assert (calls.seconds_left, calls.told()["accounts"], calls.told()["backfill_days_left"]) == (None, None, None)
    for name, values in {
        "accounts_total": (50, 50), "accounts_done": (3, 7), "http_requests_in_flight": (16, 4),
        "estimated_seconds_left": (90, 60), "backfill_days_left": (500, 400),
    }.items():  # fmt: skip
        assert all(calls.take(metric("gauge", name, value)) for value in values)
    seconds += 25
    assert (calls.seconds_left, calls.requests_in_flight) == (35.0, 4)
    seconds += 100
    assert calls.seconds_left == 0
    told = calls.told()
    assert (told["accounts"], told["accounts_done"], told["backfill_days_left"]) == (50, 7, 400)
    assert told["peak_requests_in_flight"] == 16


def test_requests_that_a_tap_both_counts_and_times_are_counted_once() -> None:
    calls = Calls()
    head = "2026-01-22 10:00:00,123 | INFO     | singer_sdk.metrics   | "
    for code in (200, 200, 500):
        assert calls.take("INFO " + metric("timer", "http_request_duration", 0.31, http_status_code=code))
    assert calls.calls == 3, "singer-python only times"
    assert calls.take(head + metric("counter", "http_request_count", 3, stream="users", endpoint="/users"))
    assert calls.take(head + metric("counter", "record_count", 900, stream="users"))
    assert calls.calls == 3


@pytest.mark.parametrize(
    "line",
    [
        "INFO | hello",
        "METRIC: not JSON at all",
        "METRIC: {broken}",
        'METRIC: {"type": "counter", "metric": "http_request_count"}',
        'METRIC: {"type": "counter", "metric": "http_request_count", "value": "12"}',
        'METRIC: {"type": "counter", "metric": "http_request_count", "value": true}',
        'METRIC: {"type": "counter", "metric": "http_request_count", "value": -1}',
        'METRIC: {"type": "counter", "metric": "http_request_count", "value": NaN}',
        'METRIC: {"type": "counter", "metric": "http_request_count", "value": Infinity}',
        'METRIC: {"type": "counter", "metric": ["http_request_count"], "value": 1}',
        'METRIC: {"type": "counter", "metric": "http_request_count", "value": 1, "tags": {"x": "' + "y" * 4096 + '"}}',
        "METRIC: {" * 1_000_000 + "}",
        "METRIC: " + '{"a":' * 100_000 + "1" + "}" * 100_000,
    ],
)
def test_what_is_no_metric_is_a_line_of_the_log(line: str) -> None:
    calls = Calls()
    assert not calls.take(line)
    assert (calls.calls, calls.retries, calls.throttled_seconds) == (0, 0, 0.0)
