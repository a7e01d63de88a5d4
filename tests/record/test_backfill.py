"""How far a backfill is: every command says the same, from what the pipeline told in the last run that told anything."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.record.backfill import Backfill, backfill_of
from supervisor.report.backfill_text import backfill_text

TELLS = """
import pathlib
def gauge(name, value): print("INFO     | METRIC: " + json.dumps(
    {"type": "gauge", "metric": name, "value": value, "tags": {}}), file=sys.stderr, flush=True)
schema(); row(id="1", n=1); state({"bookmarks": {"t": {"accounts": {"1": {"complete": [["2026-11-01", "2026-11-21"]]}}}}})
if pathlib.Path("silent").exists(): sys.exit(1)
for name, value in {"accounts_total": 9, "accounts_done": 9, "http_requests_in_flight": 8, "backfill_days_total": 1000,
                    "backfill_days_left": 627, "backfill_days_done": 157}.items(): gauge(name, value)
print('INFO     | METRIC: {"type": "counter", "metric": "http_request_count", "value": 12, "tags": {}}', file=sys.stderr)
"""
SAYS = "backfill 37 %, 627 account days left, about 4 nights"


def test_every_command_says_how_far_it_is(house: Any) -> None:
    house.tap("one", TELLS, dates=True)
    house.write()
    house.environment["PIPELINE_NOW"] = "2026-11-22T12:00:00Z"
    assert house.run("run", REPORT_FORMAT="html").returncode == 0
    assert "37 %, 4 nights left" in (house.directory / "execution_report.html").read_text()
    shown = house.run("show", "2026").stdout
    assert f"  {SAYS}" in shown.splitlines()
    assert "12 API calls, up to 8 at once, 0.0 s throttled, 9 of 9 accounts" in shown
    (house.directory / "silent").touch()
    assert house.run("run").returncode == 3
    assert f"one: {SAYS}" in house.run("freshness").stdout.splitlines()
    assert f"  {SAYS}, as its last run told" in house.run("plan").stdout.splitlines()


@pytest.mark.parametrize(
    ("backfill", "says"),
    [
        (Backfill(1000, 0, 300), "backfill 100 %"),
        (Backfill(100_000, 1, 0), "backfill 99 %, 1 account day left"),
        (Backfill(1000, 1000, 0), "backfill 0 %, 1,000 account days left"),
        (Backfill(1000, 300, 300), "backfill 70 %, 300 account days left, about 1 night"),
        (Backfill(0, 0, 0), "backfill 100 %"),
    ],
)
def test_it_is_whole_only_when_nothing_is_left(backfill: Backfill, says: str) -> None:
    assert backfill_text(backfill) == says


def test_a_night_of_two_attempts_loaded_what_both_did() -> None:
    first = {"backfill_days_total": 100, "backfill_days_left": 60, "backfill_days_done": 40}
    assert backfill_of([first, first | {"backfill_days_left": 40, "backfill_days_done": 20}]) == Backfill(100, 40, 60)
    assert backfill_of([{}, {"backfill_days_left": 5}]) is None, "kept by a former version"
