"""The tables hold what the world says, to the last digit."""

from __future__ import annotations

import datetime as dt

import pytest

from google_pipeline.tables import TABLES as DECLARED
from sandbox.google.truth import FURTHER, TABLES, truth
from wire.groups import LOADED

START = dt.date(2026, 10, 1)


def comparable(rows):
    """Rows in an order of their own, as text that tells 1 from 1.0 and from Decimal(1)."""
    return sorted(repr(sorted(row.items())) for row in rows)


@pytest.fixture(scope="module")
def sandbox(serving):
    """A small world, because a tiny one has no removed campaign and no paused ad group."""
    with serving(size="small") as server:
        yield server


@pytest.fixture(scope="module")
def result(sandbox):
    return sandbox.run({"start_date": START.isoformat(), "tables": ["all"]})


def test_a_run_without_faults_succeeds_and_says_so(result):
    assert (result.status, result.errors) == (0, [])
    assert set(result.database.rows) == {*TABLES, *FURTHER} == {table.name for table in DECLARED}
    assert set(FURTHER) == {table.name for table in DECLARED if table.group not in LOADED}


@pytest.mark.parametrize(
    "table", ["campaign_device_network_daily", "campaign_hourly", "geo_daily", "age_range_daily", "gender_daily"]
)
def test_parts_add_up_to_the_campaigns(result, table):
    rows, whole = result.database.rows[table], result.database.rows["campaign_daily"]
    for column in ("impressions", "clicks", "cost"):
        assert sum(row[column] for row in rows) == sum(row[column] for row in whole)


@pytest.mark.parametrize("table", (*TABLES, *FURTHER))
def test_a_table_equals_the_truth(sandbox, result, table):
    rows = result.database.rows[table]
    expected = truth(sandbox.world, table, START, dt.date(2026, 12, 31))
    for row in (*rows, *expected):
        for name in ("cost", "amount", "cpc_bid"):
            if row.get(name) is not None:
                row[name] = row[name].normalize()
    assert comparable(rows) == comparable(expected)
    assert len(rows) > 3


def test_the_world_asks_for_every_subtlety(sandbox, result):
    """Without these, equality above would prove little."""
    daily = result.database.rows["campaign_daily"]
    assert any(row["video_trueview_views"] is None for row in daily)
    assert any(row["video_quartile_p25_rate"] for row in daily)
    assert any(row["conversions"] % 1 for row in daily)
    assert {row["is_final"] for row in daily} == {True, False}
    assert {row["status"] for row in result.database.rows["campaign"]} == {"ENABLED", "PAUSED", "REMOVED"}
    assert any(row["is_negative"] for row in result.database.rows["keyword"])
    assert {row["status"] for row in result.database.rows["customer"]} == {"ENABLED", "CANCELED"}


def test_windows_go_from_today_backwards_a_week_at_a_time(sandbox, result):
    account = sandbox.world.accounts("google")[0]
    windows = result.windows("campaign_daily", account.id)
    assert windows[0] == ("2026-11-16", "2026-11-22")
    assert windows == sorted(windows, reverse=True)
    assert windows[-1][0] == START.isoformat()


def test_an_empty_account_has_its_regions_too(sandbox, result):
    empty = sandbox.world.accounts("google")[-2]
    assert not empty.campaigns
    assert len(result.windows("ad_daily", empty.id)) == 9, "the lookback, and the days before it"


def test_a_closed_account_is_only_told(sandbox, result):
    closed = sandbox.world.accounts("google")[-1]
    assert {region.stream for region in result.regions if region.where.get("account_id") == closed.id} == {"customer"}
    assert f"account {closed.id}: only its customer row is loaded: campaign: the account is not enabled" in result.log


def test_an_account_that_ended_has_its_last_days(sandbox, result):
    """Its manager calls it canceled, and it answers nevertheless, as one was recorded to do."""
    ended = next(account for account in sandbox.world.accounts("google") if account.ended_on)
    row = next(row for row in result.database.rows["customer"] if row["account_id"] == ended.id)
    assert row["status"] == "CANCELED"
    days = {row["date"] for row in result.database.rows["ad_daily"] if row["account_id"] == ended.id}
    facts = sandbox.world.ad_facts(ended, START, dt.date(2026, 12, 31))
    assert days == {fact.day for fact in facts}
    assert len(days) > 20
    assert max(days) < ended.ended_on


def test_removed_ads_and_keywords_are_there_with_their_days(result):
    """Google leaves them out of an unfiltered query, so their spend would have no ad to belong to."""
    for entity, report, column in (("ad", "ad_daily", "ad_id"), ("keyword", "keyword_daily", "criterion_id")):
        rows = result.database.rows
        removed = {(row["ad_group_id"], row[column]) for row in rows[entity] if row["status"] == "REMOVED"}
        assert removed & {(row["ad_group_id"], row[column]) for row in rows[report]}
    assert {row["status"] for row in result.database.rows["ad_group"]} >= {"ENABLED", "REMOVED"}
