"""What a run loads depends on what earlier runs completed, and on nothing else."""

from __future__ import annotations

import copy
import datetime as dt

import pytest

from sandbox.google.truth import truth

FIRST_DAY = dt.date(2026, 10, 1)
LATER = dt.datetime(2026, 12, 2, 10, 30, tzinfo=dt.UTC)
ONE_TABLE = {"tables": ["ad_daily"], "start_date": "2026-10-15", "lookback_days": 10}
FAR = dt.date(2027, 1, 1)


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
