"""What the pipeline loads is, value by value, what the platform's own user interface would show, run after run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from microsoft_runs import AS_OF, Outcome, Run, Sandbox, Serve

from microsoft_pipeline.tables import REPORTS, TABLES
from sandbox.microsoft import truth as shown
from sandbox.world import World
from wire import Window
from wire.groups import LOADED

DAY = dt.timedelta(days=1)
FIRST_DAY = "2026-10-11"
LIVE = "3001234567"
CLOSED = "3000000099"
SOME = ["account", "campaign_daily", "search_query_daily"]


def expected(world: World, table: str, windows: dict[str, Window] | None = None) -> list[dict[str, Any]]:
    """The truth of a table, of the days that each account's window holds."""
    rows = shown.truth(world, table, world.first_day, world.as_of.date() + 2 * DAY)
    if windows is None or "date" not in rows[0]:
        return rows
    return [row for row in rows if windows[row["account_id"]].first <= row["date"] <= windows[row["account_id"]].last]


def last_days(world: World, days: int) -> dict[str, Window]:
    """The last days of each account, and its today."""
    accounts = world.accounts("microsoft")
    return {each.id: Window(world.today(each) - days * DAY, world.today(each)) for each in accounts}


def ordered(rows: list[dict[str, Any]], key: tuple[str, ...]) -> list[dict[str, Any]]:
    keys = [tuple(row[name] for name in key) for row in rows]
    assert len(set(keys)) == len(keys), "a key stands for two rows"
    return sorted(rows, key=lambda row: tuple(row[name] for name in key))


def assert_holds(outcome: Outcome, table: str, rows: list[dict[str, Any]]) -> None:
    key = next(each.key for each in TABLES if each.name == table)
    got = outcome.tables[table]
    assert len(got) == len(rows), table
    for mine, theirs in zip(ordered(got, key), ordered(rows, key), strict=True):
        assert mine == theirs, table


def test_every_table_holds_the_truth(shared: Sandbox, run: Run) -> None:
    outcome = run(shared, settings={"tables": ["all"]})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    every = (*shown.TABLES, *shown.FURTHER)
    assert set(outcome.tables) == set(every) == {table.name for table in TABLES}
    assert {table.name for table in TABLES if table.group not in LOADED} == set(shown.FURTHER)
    world = World.at(AS_OF, "tiny")
    for table in every:
        assert_holds(outcome, table, expected(world, table, last_days(world, 30)))
    assert f"account {CLOSED} is closed" in outcome.log
    assert CLOSED in {row["account_id"] for row in outcome.tables["account"]}


def test_breakdowns_that_have_everything_add_up_to_the_campaigns(shared: Sandbox, run: Run) -> None:
    tables = ["campaign_daily", "campaign_device_daily", "campaign_hourly", "campaign_goal_daily"]
    outcome = run(shared, settings={"tables": tables, "start_date": "2026-11-10", "lookback_days": 9})

    def total(table: str, column: str) -> Any:
        return sum(row[column] for row in outcome.tables[table])

    for table in ("campaign_device_daily", "campaign_hourly"):
        for column in ("impressions", "clicks", "spend", "revenue"):
            assert total(table, column) == total("campaign_daily", column) > 0, (table, column)
    assert total("campaign_goal_daily", "revenue") == total("campaign_daily", "revenue")


def test_asset_groups_add_up_to_the_campaigns_of_performance_max(shared: Sandbox, run: Run) -> None:
    tables = ["campaign", "asset_groups", "campaign_daily"]
    outcome = run(shared, settings={"tables": tables, "start_date": "2026-11-10", "lookback_days": 9})
    of_performance_max = [row for row in outcome.tables["campaign_daily"] if row["campaign_type"] == "PerformanceMax"]
    for mine, theirs in (("spend", "spend"), ("revenue", "revenue"), ("conversions", "conversions_qualified")):
        total = sum(row[theirs] for row in of_performance_max)
        assert sum(row[mine] for row in outcome.tables["asset_group_daily"]) == pytest.approx(total) and total > 0
    named = {(row["campaign_id"], row["asset_group_id"]) for row in outcome.tables["asset_group"]}
    assert {(row["campaign_id"], row["asset_group_id"]) for row in outcome.tables["asset_group_daily"]} == named


def test_names_of_all_scripts_deleted_campaigns_and_unknown_numbers_are_kept(serve: Serve, run: Run) -> None:
    outcome = run(serve(size="small"), settings={"tables": ["campaign", "campaign_daily", "keyword_daily"]})
    world = World.at(AS_OF, "small")
    for table in ("campaign", "campaign_daily", "keyword_daily"):
        assert_holds(outcome, table, expected(world, table, last_days(world, 30)))
    daily = outcome.tables["campaign_daily"]
    assert {"Total Brand", "Total", "=SUM(A1:A9)", "NULL"} - {row["campaign_name"] for row in daily} <= {"NULL"}
    assert {row["campaign_status"] for row in daily} == {"Active", "Paused", "Deleted"}
    assert {row["status"] for row in outcome.tables["campaign"]} == {"Active", "Paused"}
    assert any(row["video_views"] is None for row in daily) and any(row["video_views"] for row in daily)
    assert any(row["impressions"] > 999 for row in daily)


def test_a_second_run_loads_the_lookback_alone(shared: Sandbox, run: Run) -> None:
    settings = {"tables": SOME, "lookback_days": 3}
    first = run(shared, settings=settings)
    second = run(shared, settings=settings, state=first.state, before=first.tables)
    today = World.at(AS_OF, "tiny").today(World.at(AS_OF, "tiny").account("microsoft", LIVE))
    days = [region[2:4] for region in second.regions if region[:2] == ("campaign_daily", LIVE)]
    assert days == [((today - 3 * DAY).isoformat(), today.isoformat())]
    for table in SOME:
        key = first.schemas[table].key
        assert ordered(second.tables[table], key) == ordered(first.tables[table], key)


def test_an_earlier_start_loads_what_is_missing_alone(shared: Sandbox, run: Run) -> None:
    settings = {"tables": ["campaign_daily"], "start_date": "2026-11-01", "window_days": 10, "lookback_days": 0}
    first = run(shared, settings=settings)
    settings["start_date"] = "2026-10-20"
    second = run(shared, settings=settings, state=first.state, before=first.tables)
    days = sorted(region[2:4] for region in second.regions if region[:2] == ("campaign_daily", LIVE))
    # The backfill of 30 days ends on 21 October, and what is older is the next round's.
    assert days == [
        ("2026-10-20", "2026-10-20"),
        ("2026-10-21", "2026-10-21"),
        ("2026-10-22", "2026-10-31"),
        ("2026-11-20", "2026-11-20"),
    ]
    world = World.at(AS_OF, "tiny")
    since = {each.id: Window(dt.date(2026, 10, 20), world.today(each)) for each in world.accounts("microsoft")}
    assert_holds(second, "campaign_daily", expected(world, "campaign_daily", since))


def test_days_can_be_named_and_a_report_is_fetched_without_credentials(
    shared: Sandbox, run: Run, tmp_path: Path
) -> None:
    # The sandbox refuses a download with credentials, which requests would take from this file.
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    options = "--since", "2026-10-25", "--until", "2026-10-26"
    outcome = run(shared, *options, settings={"tables": ["campaign_daily"], "accounts": [LIVE]})
    assert [region[:4] for region in outcome.regions] == [("campaign_daily", LIVE, "2026-10-25", "2026-10-26")]
    assert {row["date"].day for row in outcome.tables["campaign_daily"]} <= {25, 26}


def test_ten_days_later_what_was_taken_back_is_gone(serve: Serve, run: Run) -> None:
    later = AS_OF + 10 * DAY
    settings = {"tables": ["ad_daily"], "start_date": FIRST_DAY, "lookback_days": 25}
    first = run(serve(first_day=FIRST_DAY), settings=settings)
    second = run(serve(first_day=FIRST_DAY, as_of=later), settings=settings, state=first.state, before=first.tables)
    then = World.at(AS_OF, "tiny", first_day=dt.date.fromisoformat(FIRST_DAY))
    now = World.at(later, "tiny", first_day=dt.date.fromisoformat(FIRST_DAY))
    reloaded: dict[str, dt.date] = {}
    for _, account_id, since, _, _ in second.regions:
        day = dt.date.fromisoformat(str(since))
        reloaded[account_id] = min(day, reloaded.get(account_id, day))
    assert all(
        reloaded[account_id] <= window.first
        for account_id, window in last_days(now, 25).items()
        if account_id != CLOSED
    )
    kept = [row for row in expected(then, "ad_daily") if row["date"] < reloaded[row["account_id"]]]
    fresh = [row for row in expected(now, "ad_daily") if row["date"] >= reloaded[row["account_id"]]]
    assert kept and fresh
    assert_holds(second, "ad_daily", [*kept, *fresh])
    vanished = keys(first.tables["ad_daily"]) - keys(second.tables["ad_daily"])
    assert vanished and keys(fresh) - keys(first.tables["ad_daily"])


def keys(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {(row["account_id"], row["ad_id"], row["date"]) for row in rows}


def test_more_reports_than_microsoft_makes_at_once_wait_their_turn(serve: Serve, run: Run) -> None:
    settings = {"tables": [each.table.name for each in REPORTS], "window_days": 10}
    outcome = run(serve(options=("--job-seconds", "0.5")), settings=settings)
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    assert "Microsoft makes no more than" in outcome.log
    world = World.at(AS_OF, "tiny")
    assert_holds(outcome, "keyword_daily", expected(world, "keyword_daily", last_days(world, 30)))
