"""Reports of one's own hold what the platform shows, value by value: today, ten days later, and through faults."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from sandbox.google.report_truth import FURTHER as TABLES_OF_GROUPS
from sandbox.google.report_truth import report_truth, table_truth
from sandbox.google.truth import truth
from sandbox.world import World

START = dt.date(2026, 10, 1)
LAST = dt.date(2026, 12, 31)
FIRST_DAY = dt.date(2026, 10, 24)
AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 12, 2, 10, 30, tzinfo=dt.UTC)
CORE = ["impressions", "clicks", "cost_micros"]
FIRST = "2001234567"
QUOTED = 'Say "hello", she\'s back'

OWN = {
    "campaign_device_network": {
        "of": "campaign",
        "by": ["device", "segments.ad_network_type"],
        "metrics": [*CORE, "conversions", "average_cpc", "video_quartile_p25_rate"],
        "attributes": ["campaign.name", "campaign.status"],
    },
    "account_device": {"of": "customer", "by": ["device"], "metrics": [*CORE, "interactions"]},
    "campaign_by_hour": {"of": "campaign", "metrics": CORE, "grain": "hour"},
    "account_monthly": {"of": "customer", "metrics": [*CORE, "ctr"], "grain": "month"},
    "ad_group_device_monthly": {
        "of": "ad_group",
        "by": ["device"],
        "metrics": CORE,
        "attributes": ["ad_group.name", "campaign.name"],
        "grain": "month",
    },
    "ad_device": {"of": "ad_group_ad", "by": ["device"], "metrics": CORE},
    "keyword_network": {
        "of": "keyword_view",
        "by": ["ad_network_type"],
        "metrics": CORE,
        "attributes": ["ad_group_criterion.keyword.text", "day_of_week"],
    },
    "search_term": {"of": "search_term_view", "by": ["search_term_match_type", "device"], "metrics": CORE},
    "campaign_search_term": {"of": "campaign_search_term_view", "metrics": [*CORE, "conversions"]},
    "campaign_conversion_action": {
        "of": "campaign",
        "by": ["conversion_action"],
        "metrics": ["conversions", "conversions_value", "all_conversions"],
        "attributes": ["conversion_action_name"],
    },
    "geo": {"of": "geographic_view", "by": ["campaign", "geo_target_region"], "metrics": CORE},
    "country_monthly": {"of": "geographic_view", "metrics": CORE, "grain": "month"},
    "gender": {"of": "gender_view", "metrics": CORE, "attributes": ["ad_group_criterion.gender.type"]},
    "search_but_one": {
        "of": "campaign",
        "by": ["device"],
        "metrics": CORE,
        "where": [
            "campaign.advertising_channel_type = 'SEARCH'",
            "campaign.name != 'Say \"hello\", she\\'s back'",
        ],
    },
    "nothing": {"of": "campaign", "by": ["device"], "metrics": CORE, "where": ["campaign.name = 'no such'"]},
}
KEEPS = {
    "search_but_one": lambda fact: not fact.campaign.video and fact.campaign.name != QUOTED,
    "nothing": lambda fact: False,
}
DEFINITIONS = [{"name": name, **definition} for name, definition in OWN.items()]
GROUPS = ["conversions", "search_terms", "asset_groups", "geo", "placement", "hourly", "audience"]
ENTITIES_OF_GROUPS = ("conversion_action", "asset_group", "geo_target_constant")
SETTINGS = {"start_date": START.isoformat(), "tables": ["campaign_daily", *GROUPS]}


def comparable(rows):
    """Rows in an order of their own, as text that tells 1 from 1.0 and from Decimal(1)."""
    return sorted(
        repr(sorted((name, value.normalize() if isinstance(value, Decimal) else value) for name, value in row.items()))
        for row in rows
    )


def assert_true(database, world, first=START):
    for definition in DEFINITIONS:
        name = definition["name"]
        expected = report_truth(world, definition, first, LAST, KEEPS.get(name, lambda _: True))
        assert comparable(database.rows[name]) == comparable(expected), name
        assert bool(expected) == (name != "nothing"), name
    for name in TABLES_OF_GROUPS:
        assert comparable(database.rows[name]) == comparable(table_truth(world, name, first, LAST)), name
    for name in ENTITIES_OF_GROUPS:
        assert comparable(database.rows[name]) == comparable(truth(world, name, first, LAST)), name


@pytest.fixture(scope="module")
def sandbox(serving):
    with serving(first_day=FIRST_DAY) as server:
        yield server


@pytest.fixture(scope="module")
def loaded(sandbox):
    """One run with all of them."""
    run = sandbox.run({**SETTINGS, "reports": DEFINITIONS})
    assert (run.status, run.errors) == (0, [])
    return run


def test_every_report_holds_the_truth(sandbox, loaded):
    assert_true(loaded.database, sandbox.world)


def test_parts_add_up_to_the_whole(loaded):
    rows = loaded.database.rows

    def total(name, column):
        return sum(row[column] for row in rows[name])

    whole = {column: total("campaign_daily", column) for column in ("impressions", "clicks", "cost")}
    parts = set(OWN) - {"nothing", "search_but_one", "campaign_conversion_action"}
    # A keyword that was removed has no days any more, and its ad group has.
    parts -= {"keyword_network", "search_term", "campaign_search_term"}
    assert {name: {column: total(name, column) for column in whole} for name in parts} == dict.fromkeys(parts, whole)
    conversions = sum(Decimal(str(row["conversions"])) for row in rows["campaign_conversion_action"])
    assert conversions == sum(Decimal(str(row["conversions"])) for row in rows["campaign_daily"])


def test_the_key_has_all_that_divides_the_rows_and_nothing_of_it_is_null(loaded):
    geo = loaded.database.rows["geo"]
    assert {"", "geoTargetConstants/20227"} <= {row["geo_target_region"] for row in geo}
    assert {row["country_criterion_id"] for row in geo} == {"2276", "2840"}
    assert {row["hour"] for row in loaded.database.rows["campaign_by_hour"]} == set(range(24))
    assert {row["date"].day for row in loaded.database.rows["account_monthly"]} == {1}
    assert loaded.windows("account_monthly", FIRST) == [("2026-11-01", "2026-11-22"), ("2026-10-01", "2026-10-31")]


def test_ten_days_later_every_report_holds_the_truth_again(serving, loaded):
    """What is not among the rows any more is gone from the tables, too; a report has a lookback of its own."""
    with serving(first_day=FIRST_DAY, as_of=LATER) as sandbox:
        reports = [{**each, "lookback_days": 50} if each["name"] == "ad_device" else each for each in DEFINITIONS]
        run = sandbox.run({**SETTINGS, "reports": reports}, state=loaded.state, database=loaded.database)
        assert (run.status, run.errors) == (0, [])
        assert min(run.windows("ad_device", FIRST))[0] == "2026-10-13"
        assert_true(run.database, sandbox.world)


def test_faults_change_nothing(serving):
    with serving("rate_limit@9", "server_error@20x2", "expired_token@40", "broken_connection@60") as sandbox:
        settings = {**SETTINGS, "start_date": "2026-11-01", "tables": ["campaign", *GROUPS]}
        run = sandbox.run({**settings, "reports": DEFINITIONS})
        assert (run.status, run.errors) == (0, [])
        assert_true(run.database, sandbox.world, dt.date(2026, 11, 1))


def test_ten_reports_cost_no_second_login_and_no_second_list(sandbox):
    """Each costs a query an account and window, and nothing else."""
    ten = [each for each in DEFINITIONS if "month" not in each["name"]][:10]
    asked = []
    for reports in ([], ten):
        settings = {"tables": ["campaign_daily"], "start_date": "2026-11-21", "reports": reports}
        log = sandbox.run(settings, environment={"LOG_LEVEL": "DEBUG"}).log
        told = [line.partition("METRIC: ")[2] for line in log.splitlines() if "http_request_count" in line]
        asked.append(sum(json.loads(each)["value"] for each in told))
    accounts = len([each for each in sandbox.world.accounts("google") if not each.closed])
    assert asked[1] - asked[0] == len(ten) * accounts


def test_an_empty_report_is_believed_where_google_counts_nothing_either(serving, loaded, monkeypatch):
    """A stream without rows is held against the account's total, and then against Google's count of the same rows."""
    monkeypatch.setenv("SANDBOX_GOOGLE_QUIRKS", f"empty {FIRST} campaign")
    with serving(first_day=FIRST_DAY) as sandbox:
        reports = [each for each in DEFINITIONS if each["name"] in ("nothing", "account_device", "ad_device")]
        reports += [each for each in DEFINITIONS if each["name"] == "campaign_device_network"]
        run = sandbox.run({"tables": ["customer"], "reports": reports}, state=loaded.state)
    assert run.status == 0
    empty = {
        (region.stream, region.confirmed)
        for region in run.regions
        if region.where["account_id"] == FIRST and region.first and not region.rows
    }
    assert empty == {("nothing", True), ("campaign_device_network", False)}
    assert "an answer without rows for campaign_device_network, of which Google counts" in run.log


def test_what_google_refuses_is_said_by_check_online_and_keeps_nothing_else_from_being_loaded(serving):
    """The sandbox makes no clicks by type: the report fails with Google's words, the others are loaded."""
    refused = {"name": "clicks_by_type", "of": "campaign", "by": ["click_type"], "metrics": ["clicks"]}
    others = [each for each in DEFINITIONS if each["name"] in ("account_device", "account_monthly")]
    with serving() as sandbox:
        found = sandbox.start({"reports": [refused, *others]}, arguments=("--probe",)).communicate(timeout=120)[0]
        run = sandbox.run({"start_date": "2026-11-18", "tables": ["customer"], "reports": [refused, *others]})
        live = {each.id for each in World.at(AS_OF, "tiny").accounts("google") if not each.closed}
    (error,) = json.loads(found)["errors"]
    assert error.startswith("reports.clicks_by_type: Google does not accept the query (query_error.PROHIBITED_SEGMENT")
    assert run.status == 78
    assert {error.account_id for error in run.errors} == live
    assert len(run.errors) == len(live)
    assert all(error.message.startswith("clicks_by_type, ") for error in run.errors)
    assert "clicks_by_type" not in run.database.rows
    assert run.database.rows["account_device"]
    assert run.database.rows["account_monthly"]
