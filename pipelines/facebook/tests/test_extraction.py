"""The whole pipeline against the whole sandbox: every table equals the truth, now and after days have passed."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from sandbox.facebook.truth import FURTHER, TABLES, truth
from sandbox.world import World

EVERY_DAY = {"start_date": "2026-10-13"}
ALL = {**EVERY_DAY, "tables": ["all"]}


@pytest.fixture
def check_all(same):
    def check_all(outcome, store, world, first, last, tables=TABLES):
        for name in tables:
            expected = truth(world, name, first, last)
            assert expected or name == "creative"
            same(store[name], expected, outcome.tables[name].key)

    return check_all


@pytest.fixture(scope="module")
def first_run(tiny, run):
    return run(tiny, config=ALL).read()


def test_every_table_equals_the_truth(first_run, store, as_of, check_all):
    assert first_run.status == 0
    assert not first_run.errors
    world = World.at(as_of, "tiny")
    check_all(first_run, store.load(first_run), world, world.first_day, as_of.date(), (*TABLES, *FURTHER))


def test_parts_add_up_to_the_whole(first_run):
    def total(table, column):
        return sum(row[column] or 0 for row in first_run.rows(table))

    for table in (name for name in FURTHER if name.startswith("ad_daily_") and not name.endswith("_costs")):
        for column in ("impressions", "clicks", "spend"):
            assert total(table, column) == total("ad_daily", column) > 0, (table, column)
    assert total("campaign_hourly", "spend") == total("campaign_daily", "spend")
    assert total("ad_daily_country", "conversions") == total("ad_daily", "conversions")


def test_a_cost_is_the_spend_by_the_count_of_the_same_action(first_run):
    """It could be computed, but for what Meta cuts after six digits."""
    of = {"cost_per_action_type": "actions", "cost_per_outbound_click": "outbound_clicks"}
    names = ("account_id", "ad_id", "date")
    spend = {tuple(row[name] for name in names): row["spend"] for row in first_run.rows("ad_daily")}
    names = (*names, "metric", "action_type", "attribution_window")
    counts = {tuple(row[name] for name in names): row["value"] for row in first_run.rows("ad_daily_actions")}
    costs = [row for row in first_run.rows("ad_daily_action_costs") if row["metric"] in of]
    for row in costs:
        *place, metric, action_type, window = (row[name] for name in names)
        exact = spend[tuple(place)] / counts[(*place, of[metric], action_type, window)]
        assert 0 <= exact - row["value"] < Decimal("0.000001")
    assert {row["metric"] for row in costs} == set(of)


def test_actions_of_custom_conversions_have_names(first_run):
    named = {(row["account_id"], row["action_type"]): row["is_archived"] for row in first_run.rows("custom_conversion")}
    for table in ("ad_daily_actions", "ad_set_daily_actions"):
        counted = {(row["account_id"], row["action_type"]) for row in first_run.rows(table)}
        custom = {each for each in counted if each[1].startswith("offsite_conversion.custom.")}
        assert custom == {each for each, is_archived in named.items() if not is_archived}


def test_groups_that_are_not_asked_for_are_not_loaded(tiny, run):
    outcome = run(tiny, config={"start_date": "2026-11-20"}).read()
    assert set(outcome.tables) == set(TABLES)


def test_archived_and_deleted_campaigns_are_there_with_their_numbers(sandbox, run, store, as_of, check_all):
    with sandbox("small") as environment:
        outcome = run(environment, config={"page_size": 40, "start_date": "2026-11-08"}).read()
    assert outcome.status == 0
    store.load(outcome)
    assert {row["effective_status"] for row in store["campaign"]} == {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED"}
    gone = {row["campaign_id"] for row in store["campaign"] if row["effective_status"] in ("ARCHIVED", "DELETED")}
    assert gone <= {row["campaign_id"] for row in store["campaign_daily"]}
    check_all(outcome, store, World.at(as_of, "small"), dt.date(2026, 11, 8), as_of.date() + dt.timedelta(days=1))


def test_an_empty_page_in_the_middle_ends_nothing(tiny, first_run, run, same):
    paged = run(tiny, config={**EVERY_DAY, "page_size": 2, "window_days": 30, "tables": ["ad", "ad_daily"]}).read()
    assert paged.status == 0
    for name in ("ad", "ad_daily"):
        key = paged.tables[name].key
        assert len(paged.rows(name)) > 4
        same(paged.rows(name), first_run.rows(name), key)


def test_only_the_lookback_is_loaded_again(tiny, first_run, run, same):
    again = run(tiny, config=EVERY_DAY, state=first_run.state).read()
    assert again.status == 0
    for name in ("campaign_daily", "ad_daily_actions"):
        days = again.days(name, "4001234567")
        assert (min(days), max(days), len(days)) == ("2026-10-25", "2026-11-22", 29)
    same(again.rows("campaign"), first_run.rows("campaign"), again.tables["campaign"].key)


def test_an_earlier_start_adds_only_the_missing_days(tiny, run, store, as_of, same):
    config = {"lookback_days": 0, "tables": ["ad_set_daily"]}
    late = run(tiny, config={**config, "start_date": "2026-11-10"}).read()
    early = run(tiny, config={**config, "start_date": "2026-11-01"}, state=late.state).read()
    assert early.days("ad_set_daily", "4001234567") == {f"2026-11-{day:02}" for day in (*range(1, 10), 22)}
    store.load(late).load(early)
    same(
        store["ad_set_daily"],
        truth(World.at(as_of, "tiny"), "ad_set_daily", dt.date(2026, 11, 1), dt.date(2026, 11, 30)),
        early.tables["ad_set_daily"].key,
    )


def test_ten_days_later_restated_days_are_replaced_and_vanished_rows_gone(sandbox, first_run, run, store, as_of, same):
    first_day, later = World.at(as_of, "tiny").first_day, as_of + dt.timedelta(days=10)
    store.load(first_run)
    before = {(row["date"], row["ad_id"]) for row in store["ad_daily"]}
    with sandbox("tiny", as_of=later, first_day=first_day) as environment:
        outcome = run(environment, config=ALL, state=first_run.state, as_of=later).read()
    assert outcome.status == 0
    store.load(outcome)
    after = {(row["date"], row["ad_id"]) for row in store["ad_daily"]}
    reloaded = (later - dt.timedelta(days=28)).date()
    assert before - after, "the world took no row back, so this test proves nothing"
    world = World.at(later, "tiny", first_day=first_day)
    for name in (*TABLES, *FURTHER):
        rows = [row for row in store[name] if "date" not in row or row["date"] > reloaded]
        same(rows, truth(world, name, reloaded + dt.timedelta(days=1), later.date()), outcome.tables[name].key)


def test_since_and_until_name_the_days(tiny, run):
    outcome = run(tiny, "--since", "2026-11-01", "--until", "2026-11-03", config={"tables": ["ad_daily"]}).read()
    assert outcome.days("ad_daily", "4001234567") == {"2026-11-01", "2026-11-02", "2026-11-03"}


def test_days_beyond_37_months_are_not_asked_for(tiny, run):
    config = {"start_date": "2020-01-01", "tables": ["campaign_daily"], "window_days": 200, "accounts": ["4001234567"]}
    outcome = run(tiny, config=config).read()
    assert outcome.status == 0
    assert min(outcome.days("campaign_daily", "4001234567")) == "2023-10-23"
    assert "2023-10-23" in outcome.stderr


def test_a_report_that_is_too_large_is_asked_for_in_halves(tiny, run, as_of, same):
    config = {"window_days": 400, "tables": ["ad_daily"]}
    outcome = run(tiny, "--since", "2026-01-01", "--until", as_of.date().isoformat(), config=config).read()
    assert outcome.status == 0
    assert "asking for" in outcome.stderr
    assert len(outcome.days("ad_daily", "4001234567")) == (as_of.date() - dt.date(2026, 1, 1)).days + 1
    expected = truth(World.at(as_of, "tiny"), "ad_daily", dt.date(2026, 1, 1), as_of.date())
    same(outcome.rows("ad_daily"), expected, outcome.tables["ad_daily"].key)


def test_where_deleted_objects_are_refused_the_others_are_loaded(sandbox, run):
    with sandbox("small") as environment:
        outcome = run(environment, config={"api_version": "v22.0", "tables": ["campaign"]}).read()
    assert outcome.status == 0
    assert {row["effective_status"] for row in outcome.rows("campaign")} == {"ACTIVE", "PAUSED", "ARCHIVED"}
    assert "loading the campaigns that are not deleted" in outcome.stderr


def test_today_is_not_final_and_never_complete(first_run):
    today = [row for row in first_run.rows("campaign_daily") if row["date"] == dt.date(2026, 11, 22)]
    assert today
    assert not any(row["is_final"] for row in today)
    accounts = first_run.state["bookmarks"]["campaign_daily"]["accounts"]
    assert accounts["4001234567"]["complete"] == [["2026-10-13", "2026-11-21"]]


def test_one_purchase_is_counted_once(first_run):
    counted = {(r["ad_id"], r["date"]): r["purchases"] for r in first_run.rows("ad_daily") if r["purchases"]}
    listed = [
        row
        for row in first_run.rows("ad_daily_actions")
        if row["attribution_window"] == "default" and row["metric"] == "actions" and "purchase" in row["action_type"]
    ]
    assert {row["action_type"] for row in listed} == {
        "omni_purchase",
        "purchase",
        "offsite_conversion.fb_pixel_purchase",
    }
    assert sum(row["value"] for row in listed) == 3 * sum(counted.values()) > 0


def test_actions_alone_load_without_their_sibling(tiny, first_run, run, same):
    config = {"tables": ["ad_daily_actions"], "start_date": "2026-11-20", "lookback_days": 2}
    outcome = run(tiny, config=config).read()
    assert {region.stream for region, _ in outcome.regions} == {"ad_daily_actions"}
    wanted = [row for row in first_run.rows("ad_daily_actions") if row["date"] >= dt.date(2026, 11, 20)]
    same(outcome.rows("ad_daily_actions"), wanted, outcome.tables["ad_daily_actions"].key)


def test_discover_prints_every_table_without_credentials(run):
    outcome = run({}, "--discover")
    assert outcome.status == 0
    streams = [stream["tap_stream_id"] for stream in json.loads(outcome.stdout)["streams"]]
    assert sorted(streams) == sorted((*TABLES, *FURTHER))
