"""`freshness`: the newest whole day of each account's tables, and an exit status that a monitor can read."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from supervisor.record.freshness import Freshness, freshness
from supervisor.record.history import StoredState
from supervisor.report.freshness_text import freshness_lines

TODAY = dt.date(2026, 11, 23)


def state(platform: str, **tables: dict[str, list[list[str]]]) -> StoredState:
    bookmarks = {
        table: {"accounts": {account: ({"complete": days} if days else {}) for account, days in accounts.items()}}
        for table, accounts in tables.items()
    }
    return StoredState(platform=platform, value=json.dumps({"bookmarks": bookmarks}))


def found(*states: StoredState, expected: tuple[str, ...] = (), ignored: tuple[str, ...] = ()) -> Any:
    return freshness(states, expected=expected, ignored=ignored)


def test_the_last_day_is_that_of_the_newest_range_and_gaps_are_counted() -> None:
    days = [["2026-11-10", "2026-11-21"], ["2026-10-01", "2026-10-31"], ["2026-10-20", "2026-11-02"]]
    (entry,) = found(state("google", campaign_daily={"1": days})).entries
    assert entry == Freshness(
        platform="google", account="1", table="campaign_daily", last=dt.date(2026, 11, 21), missing=7
    )
    assert entry.age(TODAY) == 2
    assert not entry.is_older(TODAY, 2)
    assert entry.is_older(TODAY, 1)


def test_tables_of_entities_have_no_days_but_an_account_without_any_is_told() -> None:
    daily = {"1": [["2026-11-01", "2026-11-22"]], "2": []}
    entries = found(state("google", campaign={"1": [], "2": []}, campaign_daily=daily)).entries
    assert [(entry.account, entry.last) for entry in entries] == [("1", dt.date(2026, 11, 22)), ("2", None)]
    assert entries[1].is_older(TODAY, 10000)


def test_an_account_ahead_of_utc_is_not_older_than_today() -> None:
    (entry,) = found(state("google", t={"1": [["2026-11-01", "2026-11-23"]]})).entries
    assert entry.age(dt.date(2026, 11, 22)) == 0


def test_a_closed_account_can_be_left_out() -> None:
    states = state("google", t={"1": [["2026-11-01", "2026-11-22"]], "2": [["2020-01-01", "2020-01-02"]]})
    assert [entry.account for entry in found(states, ignored=("2",)).entries] == ["1"]


@pytest.mark.parametrize(
    "value",
    ['{"seen": 3}', "[]", "null", "7", '{"bookmarks": {"t": {"2026": "x"}}}', '{"bookmarks": []}',
     '{"bookmarks": {"t": {"accounts": {"1": {"complete": [["x", "y"]]}}}}}', "no json"],
)  # fmt: skip
def test_a_state_of_another_shape_is_told_and_not_judged(value: str) -> None:
    findings = found(StoredState(platform="tap", value=value), expected=("tap",))
    assert (findings.entries, findings.unknown) == ((), ("tap",))
    text = "\n".join(freshness_lines(findings, today=TODAY, limit=1))
    assert "tap: its pipeline keeps no days in its state, so nothing can be told" in text


def test_the_command_tells_by_its_exit_status(house: Any, configured: Any) -> None:
    complete = {"bookmarks": {"campaign_daily": {"accounts": {"123": {"complete": [["2026-11-01", "2026-11-20"]]}}}}}
    house.tap("one", f"schema(); row(id='1', n=1); state({complete!r})")
    assert configured().returncode == 0
    house.environment["PIPELINE_NOW"] = "2026-11-22T12:00:00Z"
    fresh = house.run("freshness")
    assert fresh.returncode == 0, fresh
    assert fresh.stdout.splitlines()[1].split() == ["one", "123", "campaign_daily", "2026-11-20", "2", "days"]
    old = house.run("freshness", "--max-age", "1")
    assert old.returncode == 2
    assert "2 days  older than the limit" in old.stdout
    assert old.stdout.endswith("1 of 1 older than 1 day\n")
    assert house.run("freshness", "--max-age", "1", "--ignore-account", "123").returncode == 0


def test_a_platform_that_never_committed_anything_is_old(house: Any, configured: Any) -> None:
    house.tap("one", "sys.exit(1)")
    assert configured().returncode == 3
    done = house.run("freshness")
    assert done.returncode == 2
    assert done.stdout.splitlines()[1].split()[:4] == ["one", "-", "-", "never"]


def test_without_a_database_nothing_can_be_told(house: Any, configured: Any) -> None:
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    house.environment["STORAGE_TYPE"] = "none"
    assert configured().returncode == 0
    done = house.run("freshness")
    assert (done.returncode, done.stdout) == (1, "")
    assert "STORAGE_TYPE=none keeps no rows and no state" in done.stderr


def test_the_documentation_lists_the_exit_codes_of_the_help() -> None:
    from pathlib import Path

    from supervisor.cli.exit_codes import FRESHNESS

    page = (Path(__file__).resolve().parents[2] / "docs" / "observing.md").read_text()
    for code, meaning in FRESHNESS.items():
        assert f"| {code} | {meaning} |" in page
