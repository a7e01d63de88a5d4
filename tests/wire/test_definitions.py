"""Reports of one's own as far as they are the same everywhere: all findings at once, and what may change."""

from __future__ import annotations

from typing import Any

import pytest

from wire import Definition, Grain, did_you_mean, read_definitions

GOOD: dict[str, Any] = {"name": "device_daily", "of": "campaign", "by": ["device"], "metrics": ["clicks"]}


def told(*reports: Any) -> list[str]:
    return [finding.message for finding in read_definitions({"reports": list(reports)}, {"campaign_daily"})[1]]


def test_a_report_is_read_with_its_defaults() -> None:
    read, findings = read_definitions({"reports": [GOOD | {"grain": "month", "where": None}]}, ())
    assert (findings, read) == (
        (),
        (Definition(name="device_daily", of="campaign", by=("device",), metrics=("clicks",), grain=Grain.MONTH),),
    )
    assert read_definitions({}, ()) == ((), ())


def test_everything_that_is_wrong_is_told_at_once_and_where() -> None:
    assert told(
        {"name": "Device", "of": "", "metric": ["clicks"], "grain": "week", "lookback_days": -1},
        GOOD | {"metrics": "clicks", "by": ["device", "Device"], "where": ["a = 'x'\nOR b"]},
        "SELECT *",
        GOOD | {"name": "campaign_daily"},
        GOOD,
        GOOD,
    ) == [
        "reports[0].metric: there is no such key; did you mean 'metrics'?",
        "reports[0].of: is missing, and no report is without it",
        "reports[0].metrics: is missing, and no report is without it",
        "reports[0].name: expected at most 63 small letters, digits and _ that begin with a letter, got 'Device'",
        "reports[0].grain: invalid enum value 'week'",
        "reports[0].lookback_days: expected 0 to 400 days, got -1",
        "reports.device_daily.metrics: expected `array`, got `str`",
        "reports.device_daily.by: 'Device' is already in by",
        "reports.device_daily.where: expected a text in one line, got \"a = 'x'\\nOR b\"",
        "reports[2]: expected a mapping of keys to values, got 'SELECT *'",
        "reports.campaign_daily.name: there is a table campaign_daily already; choose another name",
        "reports.device_daily.name: 2 reports have this name",
    ]


@pytest.mark.parametrize("given", ["device_daily", {"name": "x"}, 7])
def test_reports_that_are_no_list_are_told(given: Any) -> None:
    assert "reports: expected a list of reports" in read_definitions({"reports": given}, ())[1][0].message


def test_columns_come_and_go_and_what_a_row_is_stays() -> None:
    def fingerprint(**changed: Any) -> str:
        return read_definitions({"reports": [GOOD | changed]}, ())[0][0].fingerprint

    same = fingerprint()
    assert same == fingerprint(metrics=["impressions", "clicks"], attributes=["name"], lookback_days=3)
    assert fingerprint(by=["device", "network"]) == fingerprint(by=["network", "device"])
    others = [fingerprint(of="ad"), fingerprint(by=[]), fingerprint(grain="hour"), fingerprint(where=["a = 1"])]
    assert len({same, *others}) == len(others) + 1


def test_what_was_meant_is_found_whatever_the_case() -> None:
    assert did_you_mean("CLICK", ["clicks", "impressions"]) == "did you mean 'clicks'?"
    assert did_you_mean("xyz", ["b", "a"]) == "there are a, b"
    assert did_you_mean("xyz", [f"field{n:02}" for n in range(15)]).endswith("field11 and 3 more")
