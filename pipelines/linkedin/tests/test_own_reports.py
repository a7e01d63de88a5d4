"""Reports of one's own hold what the platform shows, value by value: today, ten days later, and through faults."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from linkedin_pipeline.metrics import METRICS
from sandbox.linkedin.report_truth import Breakdown, report_truth

FIRST_DAY = dt.date(2026, 10, 11)
"""Of the tiny world, in the middle of a month."""
LATER = "2026-11-30T15:30:00+00:00"
CORE = ["impressions", "clicks", "costInLocalCurrency"]
CORE_COLUMNS = ("impressions", "clicks", "cost_in_local_currency")
FIRST, SECOND = "5001234567", "5002469134"
THREE = ("5001234567000", "5001234567010", "5002469134000")

OWN: dict[str, tuple[dict[str, Any], Breakdown]] = {
    "account_objective": (
        {"of": "account", "by": ["OBJECTIVE_TYPE"], "metrics": CORE},
        Breakdown("account", CORE_COLUMNS, ["objective_type"]),
    ),
    "account_monthly": (
        {"of": "account", "metrics": [*CORE, "approximateMemberReach", "costInUsd"], "grain": "month"},
        Breakdown("account", (*CORE_COLUMNS, "approximate_member_reach", "cost_in_usd"), monthly=True),
    ),
    "group_device": (
        {
            "of": "campaign_group",
            "by": ["IMPRESSION_DEVICE_TYPE"],
            "metrics": CORE,
            "attributes": ["campaign_group_name"],
        },
        Breakdown("campaign_group", CORE_COLUMNS, ["impression_device_type"], ["campaign_group_name"]),
    ),
    "campaign_places": (
        {
            "of": "campaign",
            "by": ["SERVING_LOCATION", "placement_name"],
            "metrics": [*CORE, "viralShares", "videoViews"],
        },
        Breakdown("campaign", (*CORE_COLUMNS, "viral_shares", "video_views"), ["serving_location", "placement_name"]),
    ),
    "campaign_all": (
        {"of": "campaign", "metrics": [metric.source for metric in METRICS]},
        Breakdown("campaign", [metric.name for metric in METRICS]),
    ),
    "creative_conversion": (
        {
            "of": "CREATIVE",
            "by": ["CONVERSION"],
            "metrics": ["external_website_conversions", "conversionValueInLocalCurrency"],
            "attributes": ["creative_name", "campaign_id", "campaign_group_name"],
        },
        Breakdown(
            "creative",
            ("external_website_conversions", "conversion_value_in_local_currency"),
            ["conversion"],
            ["creative_name", "campaign_id", "campaign_group_name"],
        ),
    ),
    "account_creative": (
        {"of": "account", "by": ["CREATIVE", "SHARE"], "metrics": ["impressions"], "attributes": ["campaign_name"]},
        Breakdown("account", ["impressions"], ["creative_id", "share"], ["campaign_name"]),
    ),
    "company_daily": (
        {"of": "account", "by": ["MEMBER_COMPANY"], "metrics": CORE},
        Breakdown("account", CORE_COLUMNS, ["member_company"]),
    ),
    "company_monthly": (
        {
            "of": "campaign",
            "by": ["MEMBER_COMPANY"],
            "metrics": CORE,
            "grain": "month",
            "attributes": ["campaign_name"],
        },
        Breakdown("campaign", CORE_COLUMNS, ["member_company"], ["campaign_name"], monthly=True),
    ),
    "seniority_creative": (
        {"of": "creative", "by": ["member_seniority"], "metrics": ["impressions", "oneClickLeads"], "grain": "month"},
        Breakdown("creative", ["impressions", "one_click_leads"], ["member_seniority"], monthly=True),
    ),
    "three_campaigns": (
        {
            "of": "campaign",
            "by": ["IMPRESSION_DEVICE_TYPE"],
            "metrics": CORE,
            "where": [f"campaigns IN ({THREE[0]}, 'urn:li:sponsoredCampaign:{THREE[1]}', \"{THREE[2]}\")"],
        },
        Breakdown(
            "campaign",
            CORE_COLUMNS,
            ["impression_device_type"],
            keep=lambda _, fact: fact.group is not None and str(fact.group.id) in THREE,
        ),
    ),
    "text_ads": (
        {"of": "account", "metrics": CORE, "where": ["campaignType = 'TEXT_AD'"]},
        Breakdown("account", CORE_COLUMNS, keep=lambda _account, _fact: False),
    ),
}
DEFINITIONS = [{"name": name, **definition} for name, (definition, _) in OWN.items()]


def assert_true(store: Any, world: Any) -> None:
    for name, (_, breakdown) in OWN.items():
        table = store.tables[name]
        rows = report_truth(world, breakdown, FIRST_DAY, world.as_of.date())
        expected = {tuple(row[column] for column in table.key): row for row in rows}
        assert len(expected) == len(rows), name
        assert bool(rows) == (name != "text_ads"), name
        assert (store.keyed(name) if rows else {}) == expected, name


@pytest.fixture(scope="module")
def loaded(sandbox: Any) -> Any:
    """One run with all of them, over the whole story, which begins in the middle of a month."""
    run = sandbox.run(start_date=FIRST_DAY.isoformat(), tables=["campaign_daily"], reports=DEFINITIONS)
    assert (run.status, run.errors) == (0, [])
    return run


def test_every_report_holds_the_truth(sandbox: Any, loaded: Any) -> None:
    assert_true(loaded.store(), sandbox.world)


def test_ten_days_later_every_report_holds_the_truth_again(start: Any, loaded: Any) -> None:
    with start(now=LATER, first_day=FIRST_DAY) as sandbox:
        store = loaded.store()
        run = sandbox.run(start_date=FIRST_DAY.isoformat(), reports=DEFINITIONS, state=store.state)
        assert (run.status, run.errors) == (0, [])
        store.load(run)
        assert_true(store, sandbox.world)


def test_faults_and_answers_that_are_cut_change_nothing(start: Any) -> None:
    """Nine places of three campaigns do not fit into 20 elements, nor six creatives of four days."""
    faults = ("rate_limit@7", "server_error@19", "expired_token@31", "broken_connection@43")
    with start(*faults, environment={"SANDBOX_LINKEDIN_CUT": "20"}) as sandbox:
        run = sandbox.run(start_date=FIRST_DAY.isoformat(), tables=["campaign"], reports=DEFINITIONS, element_limit=20)
        assert (run.status, run.errors) == (0, [])
        assert "account_creative 2026-11-20" in run.log or "in slices of the 3 campaigns" in run.log
        assert_true(run.store(), sandbox.world)


def test_pieces_add_up_to_what_is_not_split_but_for_members(loaded: Any) -> None:
    rows = loaded.store().rows

    def spend(name: str) -> Decimal:
        return sum((row["cost_in_local_currency"] for row in rows[name] if row["account_id"] == FIRST), Decimal())

    whole = spend("campaign_daily")
    split = ("group_device", "campaign_places", "account_objective", "account_monthly")
    assert whole > 0
    assert {name: spend(name) for name in split} == dict.fromkeys(split, whole)
    assert spend("company_daily") < whole
    assert "" in {row["impression_device_type"] for row in rows["group_device"]}, "a device that LinkedIn does not know"


def test_the_key_has_all_that_splits_the_rows(loaded: Any) -> None:
    keys = {name: table.key for name, table in loaded.store().tables.items()}
    assert keys["account_monthly"] == ("account_id", "date")
    assert keys["campaign_places"] == ("account_id", "campaign_id", "serving_location", "placement_name", "date")
    assert keys["company_monthly"] == ("account_id", "campaign_id", "member_company", "date")
    assert keys["account_creative"] == ("account_id", "creative_id", "share", "date")


def test_regions_are_whole_months(loaded: Any) -> None:
    assert loaded.days("company_monthly", FIRST) == [("2026-11-01", "2026-11-20"), ("2026-10-01", "2026-10-31")]


def test_what_linkedin_keeps_of_members_is_asked_for_and_nothing_older(sandbox: Any) -> None:
    """Two years, of which the first month is not whole; an account's own numbers are kept for ten."""
    reports = [each for each in DEFINITIONS if each["name"] in ("company_monthly", "account_monthly")]
    run = sandbox.run(start_date="2024-09-01", tables=["account"], reports=reports, accounts=[FIRST])
    assert (run.status, run.errors) == (0, [])
    assert min(run.days("company_monthly", FIRST)) == ("2024-12-01", "2024-12-31")
    assert min(run.days("account_monthly", FIRST)) == ("2024-09-01", "2024-09-30")


def test_a_report_may_have_a_lookback_of_its_own(sandbox: Any, loaded: Any) -> None:
    own = [{**each, "lookback_days": 5} for each in DEFINITIONS if each["name"] == "group_device"]
    state = _settled(loaded.store().state)
    run = sandbox.run(start_date=FIRST_DAY.isoformat(), tables=["campaign"], reports=own, state=state)
    assert run.days("group_device", FIRST) == [("2026-11-15", "2026-11-20")]


def test_ten_reports_cost_no_second_login_and_no_second_list(sandbox: Any) -> None:
    none, ten = (
        sandbox.run(
            start_date="2026-11-18",
            tables=["campaign_group", "campaign", "creative"],
            reports=[each for each in DEFINITIONS if "monthly" not in each["name"]][:count],
            environment={"LOG_LEVEL": "DEBUG"},
        ).log
        for count in (0, 10)
    )
    for path in ("accessToken", "/rest/adAccounts?", "/adCampaignGroups?", "/adCampaigns?", "/creatives?"):
        assert ten.count(path) == none.count(path) > 0, path
    assert "/adAnalytics?" in ten
    assert "/adAnalytics?" not in none


def test_what_is_empty_is_believed_only_where_the_account_can_be_read(start: Any, loaded: Any) -> None:
    """Text ads are asked for once more, and the account's own total shows that it can be read; or that it cannot."""
    reports = [each for each in DEFINITIONS if each["name"] in ("text_ads", "group_device")]
    with start(environment={"SANDBOX_LINKEDIN_UNREADABLE": FIRST}) as sandbox:
        run = sandbox.run(tables=["account"], reports=reports, state=loaded.store().state)
    assert run.status == 0
    emptied = {
        (region.stream, region.where["account_id"]): region.confirmed
        for region in run.regions
        if not region.rows and region.where["account_id"] in (FIRST, SECOND)
    }
    assert emptied == {("text_ads", FIRST): False, ("group_device", FIRST): False, ("text_ads", SECOND): True}


def test_what_linkedin_refuses_is_said_by_check_online_and_keeps_nothing_else_from_being_loaded(start: Any) -> None:
    """A metric that LinkedIn takes back: the report fails with LinkedIn's words, the others are loaded."""
    reports = [each for each in DEFINITIONS if each["name"] in ("campaign_places", "group_device", "company_daily")]
    with start(environment={"SANDBOX_LINKEDIN_UNKNOWN": "viralShares"}) as sandbox:
        found = json.loads(sandbox.run("--probe", reports=reports).output)
        run = sandbox.run(start_date="2026-11-18", tables=["account"], reports=reports)
        live = {account.id for account in sandbox.world.accounts("linkedin") if account.campaigns}
    (error,) = found["errors"]
    assert error.startswith(
        "reports.campaign_places: /adAnalytics of ad account 5001234567: LinkedIn refused the request"
    )
    assert "Unknown projection field viralShares" in error
    assert run.status == 70
    assert {error.account_id for error in run.errors} >= live
    assert all(error.message.startswith("reports.campaign_places: ") for error in run.errors)
    rows = run.store().rows
    assert (rows["group_device"] and rows["company_daily"], "campaign_places" in rows) == (rows["company_daily"], False)


def _settled(state: dict[str, Any]) -> dict[str, Any]:
    """The state as it is when all days but the lookback are settled."""
    found = json.loads(json.dumps(state))
    for table in found["bookmarks"].values():
        for account in table["accounts"].values():
            if "complete" in account:
                account["settled"] = account["complete"]
    return found
