"""Reports of one's own hold, value by value, what the platform's own user interface would show."""

from __future__ import annotations

import datetime as dt
from typing import Any

from microsoft_runs import AS_OF, Outcome, Run, Sandbox

from sandbox.microsoft.report_truth import Asked, rows
from sandbox.world import World

DAY = dt.timedelta(days=1)
CORE = ("impressions", "clicks", "spend", "conversions_qualified", "revenue")


def own(name: str, of: str, *metrics: str, **others: Any) -> dict[str, Any]:
    return {"name": name, "of": f"{of}Report", "metrics": list(metrics), **others}


IDS = ("campaign_id", "ad_group_id")
CONVERSIONS = ("all_conversions_qualified", "all_revenue", "view_through_conversions_qualified", "assists")
# Each definition as a user writes it, and the same as the world is asked.
REPORTS: dict[str, tuple[dict[str, Any], Asked]] = {
    "campaign_device": (
        own("campaign_device", "CampaignPerformance", *CORE, by=["DeviceType"], attributes=["CampaignName"]),
        Asked("campaign", ("campaign_id", "device_type"), ("campaign_name", *CORE), splits=("DeviceType",)),
    ),
    "campaign_hourly": (
        own("campaign_hourly", "CampaignPerformance", *CORE, grain="hour", lookback_days=3),
        Asked("campaign", ("campaign_id",), CORE, grain="hour"),
    ),
    "campaign_monthly": (
        own("campaign_monthly", "CampaignPerformance", "Conversions", *CORE, by=["CampaignType"], grain="month"),
        Asked("campaign", ("campaign_id", "campaign_type"), ("conversions", *CORE), grain="month"),
    ),
    "account_network": (
        own("account_network", "AccountPerformance", *CORE, by=["network", "top_vs_other", "AccountId"]),
        Asked("account", ("network", "top_vs_other"), CORE, splits=("Network", "TopVsOther")),
    ),
    "campaign_goal": (
        own("campaign_goal", "CampaignPerformance", *CORE, by=["Goal", "GoalType"]),
        Asked("campaign", ("campaign_id", "goal", "goal_type"), CORE, splits=("Goal", "GoalType")),
    ),
    "goals": (
        own("goals", "GoalsAndFunnels", *CONVERSIONS, by=["CampaignId", "GoalId"], attributes=["GoalType"]),
        Asked(
            "ad_group",
            ("campaign_id", "goal_id", "goal"),
            ("goal_type", *CONVERSIONS),
            splits=("Goal", "GoalId", "GoalType"),
            conversions_only=True,
        ),
    ),
    "places": (
        own("places", "GeographicPerformance", *CORE, by=["CampaignId", "Country", "State", "City", "LocationType"]),
        Asked(
            "ad_group",
            ("campaign_id", "country", "state", "city", "location_type"),
            CORE,
            splits=("Country", "State", "City", "LocationType"),
        ),
    ),
    "austria": (
        own("austria", "GeographicPerformance", *CORE, by=["State"], where=["CountryCode = AT"]),
        Asked("ad_group", ("state",), CORE, splits=("Country", "State"), where={"country": ["Austria"]}),
    ),
    "age_gender": (
        own("age_gender", "AgeGenderAudience", *CORE, by=["AdGroupId"], attributes=["AdGroupName"]),
        Asked(
            "ad_group", ("ad_group_id", "age_group", "gender"), ("ad_group_name", *CORE), splits=("AgeGroup", "Gender")
        ),
    ),
    "companies": (
        own("companies", "ProfessionalDemographicsAudience", *CORE),
        Asked(
            "ad_group",
            (*IDS, "company_name", "industry_name", "job_function_name"),
            ("account_name", "ad_group_name", *CORE),
            splits=("CompanyName", "IndustryName", "JobFunctionName"),
        ),
    ),
    "ads_on_phones": (
        own("ads_on_phones", "AdPerformance", "VideoViews", *CORE, where=["DeviceType = SmartPhone, tablet"]),
        Asked(
            "ad",
            (*IDS, "ad_id"),
            ("video_views", *CORE),
            splits=("DeviceType",),
            where={"device_type": ["Smartphone", "Tablet"]},
        ),
    ),
    "keyword_matches": (
        own(
            "keyword_matches",
            "KeywordPerformance",
            *CORE,
            by=["BidMatchType", "DeliveredMatchType"],
            attributes=["keyword_text"],
            where=["""Keywords = 'shoes "red"', "scarpe, rosse", shoes"""],
        ),
        Asked(
            "keyword",
            (*IDS, "keyword_id", "bid_match_type", "delivered_match_type"),
            ("keyword_text", *CORE),
            splits=("BidMatchType", "DeliveredMatchType"),
            where={"keyword_text": ['shoes "red"', "scarpe, rosse", "shoes"]},
        ),
    ),
    "queries": (
        own("queries", "SearchQueryPerformance", *CORE, by=["CampaignId"]),
        Asked("search_query", ("campaign_id", "search_query"), CORE),
    ),
}


def last_days(world: World, asked: Asked, days: int = 30) -> list[dict[str, Any]]:
    """The truth of the last days of each account, of months all that have one of them."""
    truth = rows(world, asked, world.first_day, world.as_of.date() + 2 * DAY)
    todays = {account.id: world.today(account) for account in world.accounts("microsoft")}
    firsts = {each: today - days * DAY for each, today in todays.items()}
    if asked.grain == "month":
        firsts = {each: day.replace(day=1) for each, day in firsts.items()}
    return [row for row in truth if firsts[row["account_id"]] <= row["date"]]


def assert_holds(outcome: Outcome, name: str, expected: list[dict[str, Any]]) -> None:
    key = outcome.schemas[name].key
    got = {tuple(row[each] for each in key): row for row in outcome.tables[name]}
    true = {tuple(row[each] for each in key): row for row in expected}
    assert len(got) == len(outcome.tables[name])
    assert len(true) == len(expected)
    assert got.keys() == true.keys(), name
    for each, row in true.items():
        assert got[each] == row, name


def test_reports_of_all_kinds_hold_the_truth(shared: Sandbox, run: Run) -> None:
    settings = {"tables": ["account"], "reports": [definition for definition, _ in REPORTS.values()]}
    outcome = run(shared, settings=settings)
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    world = World.at(AS_OF, "tiny")
    for name, (_, asked) in REPORTS.items():
        expected = last_days(world, asked)
        assert expected
        assert_holds(outcome, name, expected)
