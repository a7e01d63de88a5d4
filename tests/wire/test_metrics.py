"""A pipeline counts its calls, and says so in Singer's METRIC lines: what is new, not too often, and all of it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from wire import Backoff, PipelineError, call_with_retries, metrics
from wire.exits import Kind
from wire.metrics import Meter


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def points(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, float, dict[str, str]]]:
    found = [json.loads(record.message.removeprefix("METRIC: ")) for record in caplog.records]
    caplog.clear()
    return [(point["type"], point["metric"], point["value"], point["tags"]) for point in found]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="wire.metrics")
    return caplog


def test_counts_are_told_every_five_seconds_at_most_and_add_up(heard: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    meter = Meter(clock)
    for second in range(17):
        clock.now = second
        meter.count_calls()
    told = points(heard)
    assert [(kind, metric) for kind, metric, _, _ in told] == [("counter", "http_request_count")] * 3
    meter.report()
    assert sum(value for _, _, value, _ in [*told, *points(heard)]) == 17
    meter.report()
    assert points(heard) == [], "nothing new, nothing said"


def test_a_retry_has_a_reason_and_only_what_the_platform_asked_for_is_throttling(
    heard: pytest.LogCaptureFixture,
) -> None:
    meter = Meter(Clock())
    meter.count_retry(Kind.TRANSIENT, 7.0)
    meter.count_retry(Kind.RATE_LIMIT, 2.5)
    meter.count_retry(Kind.RATE_LIMIT, 2.5)
    meter.count_pause(1.0)
    meter.report()
    assert points(heard) == [
        ("counter", "http_retry_count", 2, {"reason": "rate_limit"}),
        ("counter", "http_retry_count", 1, {"reason": "transient"}),
        ("timer", "throttled_duration", 6.0, {}),
    ]


def test_the_most_requests_at_once_since_the_line_before_are_told(heard: pytest.LogCaptureFixture) -> None:
    meter = Meter(Clock())
    told = []
    for changes in ((1, 1, 1, -1, -1), (1, -1), (-1,), ()):
        for change in changes:
            meter.count_in_flight(change)
        meter.report()
        told.append([(kind, metric, value) for kind, metric, value, _ in points(heard)])
    name = "http_requests_in_flight"
    assert told == [[("gauge", name, 3)], [("gauge", name, 2)], [("gauge", name, 1)], [("gauge", name, 0)]]


def test_a_call_that_is_repeated_counts_by_itself(
    heard: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(Clock())
    monkeypatch.setattr(metrics, "count_retry", meter.count_retry)
    answers: list[Any] = [PipelineError(Kind.RATE_LIMIT, "slow", retry_after=3.0), "done"]

    def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, PipelineError):
            raise answer
        return str(answer)

    slept: list[float] = []
    done = call_with_retries(call, mendable=lambda _: True, backoff=Backoff(), what="it", sleep=slept.append)
    heard.clear()
    meter.report()
    assert (done, slept) == ("done", [3.0])
    assert points(heard) == [
        ("counter", "http_retry_count", 1, {"reason": "rate_limit"}),
        ("timer", "throttled_duration", 3.0, {}),
    ]


@pytest.mark.parametrize("ending", ["return", "raise ValueError", "raise PipelineError(Kind.AUTH, 'no')"])
def test_the_last_counts_are_told_however_a_pipeline_ends_and_whatever_the_log_level(ending: str) -> None:
    program = f"""
from wire import PipelineError, Kind, count_calls, run_pipeline
def extract(invocation, extraction):
    count_calls(3)
    {ending}
run_pipeline("p", (), extract)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"LOG_LEVEL": "ERROR"}
    )
    assert '| METRIC: {"type": "counter", "metric": "http_request_count", "value": 3, "tags": {}}' in done.stderr
    assert "METRIC" not in done.stdout
