"""Reports of one's own, loaded by the real pipeline from the real sandbox: every value is the truth."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from sandbox.facebook.report_truth import report_truth
from sandbox.facebook.truth import FURTHER, truth
from sandbox.world import World

DEFINITIONS = {
    each["name"]: each
    for each in (
        {
            "name": "ad_placement",
            "of": "ad",
            "by": ["publisher_platform", "platform_position"],
            "metrics": ["impressions", "spend", "cpc", "actions", "action_values", "purchases"],
            "attributes": ["ad_name", "adset_name"],
        },
        {
            "name": "set_people",
            "of": "ad_set",
            "by": ["age", "gender"],
            "metrics": ["reach", "frequency", "cpp", "purchase_value", "leads", "conversions_value"],
            "attributes": ["attribution_setting", "optimization_goal"],
        },
        {"name": "campaign_hours", "of": "campaign", "metrics": ["impressions", "clicks", "actions"], "grain": "hour"},
        {"name": "account_hours", "of": "account", "metrics": ["spend"], "grain": "hour", "lookback_days": 2},
        {
            "name": "campaign_months",
            "of": "campaign",
            "metrics": ["reach", "frequency", "spend", "view_through_conversions", "outbound_clicks"],
            "attributes": ["campaign_name", "objective", "buying_type"],
            "grain": "month",
        },
        {
            "name": "account_months_by_country",
            "of": "account",
            "by": ["country"],
            "metrics": ["reach", "spend"],
            "attributes": ["account_name"],
            "grain": "month",
        },
        {"name": "regions", "of": "campaign", "by": ["region"], "metrics": ["impressions", "video_views", "actions"]},
        {"name": "products", "of": "ad", "by": ["product_id"], "metrics": ["clicks", "actions", "action_values"]},
        {"name": "bodies", "of": "ad", "by": ["body_asset"], "metrics": ["impressions", "clicks", "action_values"]},
        {"name": "results", "of": "ad", "metrics": ["results", "unique_clicks", "quality_ranking", "ctr", "cpm"]},
        {
            "name": "videos",
            "of": "campaign",
            "metrics": ["video_play_actions", "video_p50_watched_actions", "video_thruplay_watched_actions"],
        },
        {
            "name": "chosen",
            "of": "ad",
            "by": ["gender"],
            "metrics": ["impressions", "inline_link_clicks", "inline_post_engagement"],
            "where": [
                'gender EQUAL "female"',
                "impressions GREATER_THAN 100",
                'ad.name NOT_CONTAIN "\\"quoted\\" it\'s"',
            ],
        },
    )
}
FITS = {"chosen": lambda row: row["gender"] == "female" and row["impressions"] > 100}
OWN = {"start_date": "2026-10-28", "tables": ["account"], "reports": list(DEFINITIONS.values())}


def expected(world, name, first, last):
    definition = DEFINITIONS[name]
    if definition.get("grain") == "month":
        first = first.replace(day=1)
    return report_truth(world, definition, first, last, fits=FITS.get(name))


@pytest.fixture(scope="module")
def first_run(tiny, run):
    return run(tiny, config=OWN).read()


def test_every_report_equals_the_truth(first_run, as_of, same):
    assert (first_run.status, first_run.errors) == (0, []), first_run.stderr
    world = World.at(as_of, "tiny")
    for name in DEFINITIONS:
        for table, rows in expected(world, name, dt.date(2026, 10, 28), as_of.date()).items():
            assert rows, table
            same(first_run.rows(table), rows, first_run.tables[table].key)


def test_keys_and_columns_follow_from_the_definition(first_run):
    keys = {name: table.key for name, table in first_run.tables.items()}
    ids = ("account_id", "campaign_id", "ad_set_id", "ad_id")
    assert keys["ad_placement"] == (*ids, "publisher_platform", "platform_position", "date")
    own = ("metric", "action_type", "attribution_window")
    assert keys["ad_placement_actions"] == (*keys["ad_placement"], *own)
    assert keys["campaign_hours"] == ("account_id", "campaign_id", "date", "hour")
    assert keys["account_months_by_country"] == ("account_id", "country", "date")
    columns = [column.name for column in first_run.tables["set_people"].columns]
    assert columns[:8] == [*ids[:1], "date", *ids[1:3], "age", "gender", "attribution_setting", "optimization_goal"]
    assert columns[-2:] == ["account_currency", "is_final"]


def test_ten_days_later_restated_days_are_replaced(sandbox, first_run, run, store, as_of, same):
    first_day, later = World.at(as_of, "tiny").first_day, as_of + dt.timedelta(days=10)
    store.load(first_run)
    with sandbox("tiny", as_of=later, first_day=first_day) as environment:
        outcome = run(environment, config=OWN, state=first_run.state, as_of=later).read()
    assert (outcome.status, outcome.errors) == (0, [])
    store.load(outcome)
    world = World.at(later, "tiny", first_day=first_day)
    reloaded = (later - dt.timedelta(days=28)).date() + dt.timedelta(days=1)
    for name, definition in DEFINITIONS.items():
        since = as_of.date() - dt.timedelta(days=1) if name == "account_hours" else reloaded
        if definition.get("grain") == "month":
            since = since.replace(day=1)
        for table, rows in expected(world, name, since, later.date()).items():
            same([row for row in store[table] if row["date"] >= since], rows, outcome.tables[table].key)
    assert len(outcome.days("account_hours", "4001234567")) == 12


def test_after_faults_every_report_equals_the_truth(sandbox, run, as_of, same):
    faults = ("rate_limit@4", "server_error@9x2", "html@15", "broken_connection@21", "failed_job@3", "hang@40")
    world = World.at(as_of, "tiny")
    with sandbox("tiny", faults=faults) as environment:
        config = {**OWN, "tables": ["account", *FURTHER], "request_timeout": 2, "retry_attempts": 6}
        outcome = run(environment, config=config).read()
    assert (outcome.status, outcome.errors) == (0, []), outcome.stderr
    for name in DEFINITIONS:
        for table, rows in expected(world, name, dt.date(2026, 10, 28), as_of.date()).items():
            same(outcome.rows(table), rows, outcome.tables[table].key)
    for name in FURTHER:
        rows = truth(world, name, dt.date(2026, 10, 28), as_of.date())
        same(outcome.rows(name), rows, outcome.tables[name].key)


def test_a_report_that_facebook_refuses_keeps_nothing_else_from_being_loaded(tiny, run, as_of, same):
    refused = {"name": "shoes", "of": "ad", "metrics": ["clicks"], "where": ['campaign.shoe_size EQUAL "44"']}
    right = DEFINITIONS["account_hours"]
    outcome = run(tiny, config={**OWN, "reports": [refused, right]}).read()
    assert outcome.status == 78
    assert {error.account_id for error in outcome.errors} == {
        account.id for account in World.at(as_of, "tiny").accounts("facebook")
    }
    assert all("report shoes" in error.message and "shoe_size" in error.message for error in outcome.errors)
    assert "shoes" not in outcome.tables
    assert outcome.rows("account")
    days = dt.date(2026, 10, 28), as_of.date()
    same(
        outcome.rows("account_hours"),
        expected(World.at(as_of, "tiny"), "account_hours", *days)["account_hours"],
        outcome.tables["account_hours"].key,
    )


def test_an_empty_answer_over_loaded_days_is_believed_when_it_comes_twice(tiny, run):
    """The account has numbers; what fits the condition, it has not."""
    everything = {"name": "own", "of": "ad", "metrics": ["clicks"], "where": ["impressions GREATER_THAN 0"]}
    nothing = {**everything, "where": ["impressions GREATER_THAN 900000000"]}
    config = {"start_date": "2026-11-16", "tables": ["account"]}
    first = run(tiny, config={**config, "reports": [nothing]}).read()
    assert not first.rows("own")
    again = run(tiny, config={**config, "reports": [nothing]}, state=first.state).read()
    confirmed = [region.confirmed for region, rows in again.regions if region.stream == "own"]
    assert confirmed
    assert all(confirmed)


def calls(outcome):
    points = map(json.loads, re.findall(r"METRIC: (\{.*\})", outcome.stderr))
    return sum(point["value"] for point in points if point["metric"] == "http_request_count")


def test_ten_reports_cost_no_second_list_of_accounts(tiny, run):
    """A start and a page for each, and looks at several of them at once."""
    config = {
        "start_date": "2026-11-20",
        "tables": ["campaign_daily"],
        "accounts": ["4001234567"],
        "poll_interval": 0.5,
    }
    ten = [each for each in DEFINITIONS.values() if each.get("grain") != "month"][:10]
    none, with_ten = (calls(run(tiny, config={**config, "reports": reports})) for reports in ([], ten))
    assert 2 * len(ten) <= with_ten - none <= 2 * len(ten) + 4
