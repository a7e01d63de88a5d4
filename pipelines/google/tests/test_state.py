"""What a run loads depends on what earlier runs completed, and on nothing else."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re

import pytest

from sandbox.google.truth import truth
from sandbox.world import World

FIRST_DAY = dt.date(2026, 10, 1)
AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 12, 2, 10, 30, tzinfo=dt.UTC)
ONE_TABLE = {"tables": ["ad_daily"], "start_date": "2026-10-15", "lookback_days": 10}
FAR = dt.date(2027, 1, 1)
CONVERSIONS = {"tables": ["conversions"], "start_date": "2026-08-01"}
BY_ACTION = ("campaign_conversion_action_daily", "ad_group_conversion_action_daily")


def keyed(rows):
    names = ("account_id", "ad_group_id", "ad_id", "date")
    return {tuple(row[name] for name in names): row for row in rows}


@pytest.fixture(scope="module")
def sandbox(serving):
    with serving(first_day=FIRST_DAY) as server:
        yield server


@pytest.fixture(scope="module")
def first(sandbox):
    result = sandbox.run(ONE_TABLE)
    assert result.status == 0
    return result


def test_the_second_run_reloads_the_lookback_only(sandbox, first):
    account = sandbox.world.accounts("google")[0].id
    second = sandbox.run({**ONE_TABLE, "window_days": 30}, state=first.state)
    assert second.windows("ad_daily", account) == [("2026-11-12", "2026-11-22")]


def test_an_earlier_start_fills_in_the_missing_days_only(sandbox, first):
    account = sandbox.world.accounts("google")[0].id
    settings = {**ONE_TABLE, "start_date": "2026-10-05", "window_days": 30}
    second = sandbox.run(settings, state=first.state)
    older = [("2026-10-13", "2026-10-14"), ("2026-10-05", "2026-10-12")]  # the end of one round, and the next
    assert second.windows("ad_daily", account) == [("2026-11-12", "2026-11-22"), *older]


def test_today_is_never_complete(sandbox, first):
    for account in sandbox.world.accounts("google"):
        if not account.closed:
            complete = first.state["bookmarks"]["ad_daily"]["accounts"][account.id]["complete"]
            yesterday = sandbox.world.today(account) - dt.timedelta(days=1)
            assert complete == [["2026-10-15", yesterday.isoformat()]]


def test_since_and_until_name_the_days(sandbox, first):
    account = sandbox.world.accounts("google")[0].id
    arguments = ("--since", "2026-10-20", "--until", "2026-10-22")
    second = sandbox.run(ONE_TABLE, state=first.state, arguments=arguments)
    assert second.windows("ad_daily", account) == [("2026-10-20", "2026-10-22")]


def test_the_oldest_day_asked_for_is_the_oldest_that_google_keeps(sandbox):
    account = sandbox.world.accounts("google")[0].id
    settings = {"tables": ["ad_daily"], "start_date": "2015-01-01", "window_days": 1000, "accounts": [account]}
    assert sandbox.run(settings).windows("ad_daily", account)[-1][0] == "2023-10-24"


def test_ten_days_later_all_that_was_not_settled_is_as_the_platform_says_then(sandbox, first, serving):
    """Conversions have arrived and rows have gone; days that were older than the lookback already are as they were."""
    database = copy.deepcopy(first.database)
    before = keyed(database.rows["ad_daily"])
    with serving(as_of=LATER, first_day=FIRST_DAY) as later:
        result = later.run(ONE_TABLE, state=first.state, database=database)
        assert result.status == 0
        expected = truth(later.world, "ad_daily", FIRST_DAY, FAR)
    after = keyed(database.rows["ad_daily"])
    unsettled = dt.date(2026, 11, 13)
    fresh = {key: row for key, row in after.items() if row["date"] >= unsettled}
    assert fresh == {key: row for key, row in keyed(expected).items() if row["date"] >= unsettled}
    old = {key: row for key, row in after.items() if row["date"] < unsettled}
    assert old == {key: row for key, row in before.items() if row["date"] < unsettled}
    gone = {key for key in before if key[3] >= unsettled} - set(after)
    restated = {key for key in before if key in fresh and before[key]["conversions"] < fresh[key]["conversions"]}
    assert gone, "no row has vanished, so this proves nothing"
    assert restated


@pytest.fixture(scope="module")
def converted(sandbox):
    result = sandbox.run(CONVERSIONS)
    assert (result.status, result.errors) == (0, [])
    return result


def oldest(result, table, account):
    return min(first for first, _ in result.windows(table, account))


def test_conversions_by_action_are_loaded_again_for_as_long_as_the_accounts_own_actions_credit_a_day(
    sandbox, converted
):
    """45 days; the most, as an action has no window, or there is none; 7, which is less than usual. One query tells."""
    first, second, ended, empty, _ = (account.id for account in sandbox.world.accounts("google"))
    expected = {first: "2026-10-08", second: "2026-08-24", ended: "2026-10-23", empty: "2026-08-24"}
    asked = []
    for settings in (CONVERSIONS, {**CONVERSIONS, "tables": BY_ACTION}):
        again = sandbox.run(settings, state=converted.state, environment={"LOG_LEVEL": "DEBUG"})
        told = [line.partition("METRIC: ")[2] for line in again.log.splitlines() if "http_request_count" in line]
        asked.append(sum(json.loads(each)["value"] for each in told))
        for table in BY_ACTION:
            assert {account: oldest(again, table, account) for account in expected} == expected
        assert again.status == 0
    assert asked[0] == asked[1] + 1, "beside the queries, an empty list is counted a second way"


def test_days_beyond_an_accounts_windows_are_settled_unless_lookback_days_reaches_further(sandbox, converted):
    first = sandbox.world.accounts("google")[0].id
    known = converted.state["bookmarks"][BY_ACTION[0]]["accounts"]
    assert known[first]["settled"] == [["2026-08-01", "2026-10-08"]]
    longer = {**CONVERSIONS, "lookback_days": 60}
    assert oldest(sandbox.run(longer, state=converted.state), BY_ACTION[0], first) == "2026-09-23"


def test_a_table_that_google_refuses_to_an_account_is_told_and_all_else_is_loaded(serving, converted, monkeypatch):
    """Without the conversion actions their windows are not known, which costs days and nothing else."""
    tables = ["conversions", "asset_groups", "audience", "geo"]
    withheld = [(0, "conversion_action"), (1, "asset_group"), (1, "age_range_view"), (3, "geo_target_constant")]
    accounts = World.at(AS_OF, "tiny", first_day=FIRST_DAY).accounts("google")
    quirks = [f"withhold {accounts[place].id} {resource}" for place, resource in withheld]
    monkeypatch.setenv("SANDBOX_GOOGLE_QUIRKS", ";".join(quirks))
    with serving(first_day=FIRST_DAY) as sandbox:
        run = sandbox.run({"tables": tables, "start_date": "2026-08-01"}, state=converted.state)
        expected = {table: truth(sandbox.world, table, FIRST_DAY, FAR) for table in run.database.rows}
    assert run.status == 78
    told = sorted((str(error.account_id), re.split("[:,]", error.message)[0]) for error in run.errors)
    refused = {"conversion_action": 0, "asset_group": 1, "asset_group_daily": 1, "age_range_daily": 1}
    nobodys = ("None", "geo_target_constant")
    assert told == sorted([nobodys, *((accounts[place].id, table) for table, place in refused.items())])
    assert "conversions by action are loaded anew of 90 days" in run.log
    assert oldest(run, BY_ACTION[0], accounts[0].id) == "2026-08-24"
    for table, place in refused.items():
        loaded = {row["account_id"] for row in run.database.rows[table]}
        assert loaded == {row["account_id"] for row in expected[table]} - {accounts[place].id}
    for table in ("gender_daily", "geo_daily"):
        assert {row["account_id"] for row in run.database.rows[table]} >= {accounts[0].id, accounts[1].id}


def test_the_list_of_places_is_had_from_any_account_that_answers_and_replaced_as_a_whole(sandbox):
    *_, closed = (account.id for account in sandbox.world.accounts("google"))
    settings = {"tables": ["geo_target_constant"], "accounts": [closed, sandbox.world.accounts("google")[0].id]}
    first = sandbox.run(settings)
    assert (first.status, first.errors) == (0, [])
    assert "geo_target_constant: the account is not enabled" in first.log
    assert [(region.where, region.rows) for region in first.regions] == [({"language": "en"}, 5)]
    again = sandbox.run(settings, state=first.state, database=copy.deepcopy(first.database))
    assert again.database.rows == first.database.rows
    assert first.database.rows["geo_target_constant"] == truth(sandbox.world, "geo_target_constant", FIRST_DAY, FAR)
