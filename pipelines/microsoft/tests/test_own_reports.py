"""Reports of one's own hold, value by value, what the platform's own user interface would show."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from microsoft_runs import AS_OF, Outcome, Run, Sandbox, Serve, start_run

from sandbox.microsoft.report_truth import FURTHER, Asked, rows
from sandbox.microsoft.truth import truth
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
    "campaign_by_hour": (
        own("campaign_by_hour", "CampaignPerformance", *CORE, grain="hour", lookback_days=3),
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


DEFINITIONS = [definition for definition, _ in REPORTS.values()]
GROUPS = ["conversions", "geo", "placement", "hourly", "audience", "asset_groups"]
OWN = {"tables": ["account", *GROUPS], "reports": DEFINITIONS, "start_date": "2026-10-13"}


def assert_true(outcome: Outcome, as_of: dt.datetime, names: Iterable[str] = REPORTS) -> None:
    world = World.at(as_of, "tiny", first_day=FIRST_DAY)
    for name in names:
        asked = REPORTS[name][1]
        kept = rows(world, asked, FIRST_DAY, as_of.date() + 2 * DAY)
        since = FIRST_DAY.replace(day=1) if asked.grain == "month" else FIRST_DAY
        assert_holds(outcome, name, [row for row in kept if row["date"] >= since])
    for name, asked in FURTHER.items():
        assert_holds(outcome, name, rows(world, asked, FIRST_DAY, as_of.date() + 2 * DAY))
    assert_holds(outcome, "asset_group", truth(world, "asset_group", FIRST_DAY, FIRST_DAY))


FIRST_DAY = dt.date(2026, 10, 13)


def test_ten_days_later_every_report_holds_the_truth_again(serve: Serve, run: Run) -> None:
    reports = [{**each, "lookback_days": 60} for each in DEFINITIONS]
    first = run(serve(first_day=FIRST_DAY.isoformat()), settings={**OWN, "reports": reports, "lookback_days": 60})
    assert (first.status, first.failures) == (0, []), first.log
    assert_true(first, AS_OF)
    later = AS_OF + 10 * DAY
    again = run(
        serve(first_day=FIRST_DAY.isoformat(), as_of=later),
        settings={**OWN, "reports": reports, "lookback_days": 60},
        state=first.state,
        before=first.tables,
    )
    assert (again.status, again.failures) == (0, []), again.log
    assert_true(again, later)


def test_faults_change_nothing(serve: Serve, run: Run) -> None:
    faults = ("rate_limit@3", "expired_token@9", "server_error@15x2", "html@22", "broken_connection@31", "failed_job@4")
    outcome = run(serve(*faults, "truncated_file@6", first_day=FIRST_DAY.isoformat()), settings=OWN)
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    assert_true(outcome, AS_OF)


def test_ten_reports_cost_no_second_login_and_no_second_list(shared: Sandbox, run: Run) -> None:
    """Each costs its request, a look at it and a download, and nothing else."""
    ten = [each for each in DEFINITIONS if each.get("grain") != "month"][:10]

    def calls(reports: list[dict[str, Any]]) -> int:
        settings = {"tables": ["account"], "accounts": ["3001234567"], "poll_interval": 1, "start_date": "2026-11-19"}
        log = run(shared, settings={**settings, "reports": reports}).log
        return sum(map(int, re.findall(r'"http_request_count", "value": (\d+)', log)))

    assert 3 * len(ten) <= calls(ten) - calls([]) <= 3 * len(ten) + 5, "another look at some, perhaps"


def answer(directory: Path, sandbox: Sandbox | None, *options: str, **how: Any) -> dict[str, Any]:
    """What a check or a probe says."""
    stdout, _ = start_run(directory, sandbox, *options, **how).communicate(timeout=120)
    found: dict[str, Any] = json.loads(stdout)
    return found


def test_a_report_that_is_refused_is_told_once_and_keeps_nothing_else_from_being_loaded(
    shared: Sandbox, run: Run, tmp_path: Path
) -> None:
    """The double does not know the column; Microsoft has codes of its own for what it does not accept."""
    refused = own("budgets", "CampaignPerformance", "Clicks", by=["BudgetName"])
    right = REPORTS["account_network"][0]
    settings = {"tables": ["account"], "reports": [refused, right], "start_date": "2026-10-25", "lookback_days": 3}
    outcome = run(shared, settings=settings)
    (failure,) = outcome.failures
    assert failure.message.startswith("reports.budgets: ")
    assert outcome.status == 78
    assert "budgets" not in outcome.tables
    days = {row["date"] for row in outcome.tables["account_network"] if row["account_id"] == "3001234567"}
    assert min(days) == dt.date(2026, 10, 25)
    probed = answer(tmp_path, shared, "--probe", settings={"reports": [refused, right]})
    assert [each.partition(": ")[0] for each in probed["errors"]] == ["reports.budgets"]


def test_what_one_account_is_refused_is_given_up_alone(serve: Serve, run: Run) -> None:
    """Of the first account the first report is refused, and the next one is never made; all else is loaded."""
    refused, unmade, right = (REPORTS[name][0] for name in ("campaign_device", "account_network", "places"))
    first, second = "3001234567", "3002469134"
    outcome = run(
        serve(f"error=2009/{first}", f"failed_job/{first}x3"),
        settings={
            "tables": ["account"],
            "reports": [refused, unmade, right],
            "accounts": [first, second],
            "max_reports_in_flight": 1,
            "concurrency": 1,
        },
    )
    told = {each.message.partition(": ")[0]: (each.kind, each.account_id) for each in outcome.failures}
    assert told == {"reports.campaign_device": ("config", first), "reports.account_network": ("transient", first)}
    assert outcome.status == 75, outcome.log
    world = World.at(AS_OF, "tiny")
    for name, accounts in (("campaign_device", {second}), ("account_network", {second}), ("places", {first, second})):
        rows_of_these = [row for row in last_days(world, REPORTS[name][1]) if row["account_id"] in accounts]
        assert rows_of_these
        assert_holds(outcome, name, rows_of_these)


def test_an_empty_report_is_believed_when_it_is_made_a_second_time(shared: Sandbox, run: Run) -> None:
    nowhere = own("nowhere", "GeographicPerformance", *CORE, by=["State"], where=["CountryCode = FR"])
    settings = {"tables": ["account"], "reports": [nowhere], "start_date": "2026-11-14"}
    first = run(shared, settings=settings)
    assert (first.status, first.tables.get("nowhere", [])) == (0, [])
    again = run(shared, settings=settings, state=first.state)
    assert again.status == 0
    emptied = {(name, account) for name, account, *_ in again.regions if name == "nowhere"}
    assert emptied == set(again.confirmed) != set()
    assert 0 < again.log.count("it is made anew") <= len(emptied), "where the account has numbers"


def test_filters_are_refused_where_soap_would_not_send_them(tmp_path: Path) -> None:
    phones, _ = REPORTS["ads_on_phones"]
    found = answer(tmp_path, None, "--check", settings={"transport": "soap", "reports": [phones]})
    assert any("ads_on_phones.where: SOAP sends no filters" in each for each in found["errors"])


def test_another_sdk_than_the_catalogs_is_a_warning(tmp_path: Path) -> None:
    other = tmp_path / "bingads-99.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: bingads\nVersion: 99.0\n")
    environment = {"PYTHONPATH": str(tmp_path)}
    found = answer(tmp_path, None, "--check", settings={"reports": DEFINITIONS[:1]}, environment=environment)
    (warning,) = [each for each in found["warnings"] if "bingads" in each]
    assert warning.startswith("bingads 99.0 is installed, and reports of one's own are checked with the columns of ")


def test_a_probe_asks_microsoft_about_each_report(serve: Serve, tmp_path: Path) -> None:
    """In a sandbox of its own, because that makes them all, although nobody reads them; six at once."""
    found = answer(tmp_path, serve(), "--probe", settings={"reports": DEFINITIONS})
    assert (found["errors"], found.get("warnings", [])) == ([], [])
