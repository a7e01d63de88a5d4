"""What is wrong with reports of one's own is found without the network, all at once, each with what would be legal."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from microsoft_runs import COMMAND, ROOT

from microsoft_pipeline import catalog, definitions
from microsoft_pipeline.tables import REPORTS
from wire import Type

CAMPAIGN = "CampaignPerformanceReport"
# What one change to a report that is right is answered with.
BROKEN = {
    "unknown type": ({"of": "CampainPerformanceReport"}, "of", "did you mean 'CampaignPerformanceReport'"),
    "without days": ({"of": "BudgetSummaryReport"}, "of", "rows of a BudgetSummaryReport have no day"),
    "unknown column": ({"metrics": ["Clicks", "Impresions"]}, "metrics", "did you mean 'Impressions'"),
    "of another report": ({"by": ["MetroArea"]}, "by", "has no column 'MetroArea', but GeographicPerformanceReport"),
    "metric in by": ({"by": ["Spend"]}, "by", "Spend is a number of the row; put it under metrics"),
    "metric in attributes": ({"attributes": ["Spend"]}, "attributes", "put it under metrics"),
    "attribute in metrics": ({"metrics": ["Clicks", "Network"]}, "metrics", "put it into by"),
    "name in by": ({"by": ["CampaignName"]}, "by", "CampaignName is a name, which can change"),
    "attribute that splits": ({"attributes": ["DeviceType"]}, "attributes", "DeviceType splits the rows"),
    "attribute of an id that it has not": ({"attributes": ["GoalType"]}, "attributes", "GoalType splits the rows"),
    "attribute without its id": (
        {"of": "GeographicPerformanceReport", "attributes": ["CampaignName"]},
        "attributes",
        "belongs to CampaignId, which is not in the key: put it into by, or CampaignId",
    ),
    "the day itself": ({"by": ["TimePeriod"]}, "by", "`grain` says of what"),
    "no measure": ({"metrics": ["QualityScore"]}, "metrics", "wants a measure"),
    "shares beside what they exclude": (
        {"by": ["TopVsOther"], "metrics": ["Clicks", "ImpressionSharePercent"]},
        "by",
        "TopVsOther cannot stand beside ImpressionSharePercent",
    ),
    "audience shares beside what they exclude": (
        {"attributes": ["CustomerName"], "metrics": ["Clicks", "RelativeCtr"]},
        "attributes",
        "CustomerName cannot stand beside RelativeCtr",
    ),
    "budget beside shares": (
        {"by": ["BudgetName"], "metrics": ["Clicks", "ClickSharePercent"]},
        "by",
        "BudgetName cannot stand beside ClickSharePercent",
    ),
    "shares by hour": (
        {"grain": "hour", "metrics": ["Clicks", "ImpressionSharePercent"]},
        "grain",
        "no ImpressionSharePercent; expected day or month",
    ),
    "scores of a day by month": (
        {"grain": "month", "metrics": ["Clicks", "HistoricalQualityScore"]},
        "grain",
        "no HistoricalQualityScore; expected day",
    ),
    "no hours": (
        {"of": "ShareOfVoiceReport", "grain": "hour", "metrics": ["Impressions"]},
        "grain",
        "no hours of a ShareOfVoiceReport; expected day or month",
    ),
    "withheld": ({"of": "HotelGroupPerformanceReport", "by": ["AdId"]}, "by", "has no column 'AdId'"),
    "unknown filter": ({"where": ["Devise = Tablet"]}, "where", "or 'DeviceType'?"),
    "unknown value": ({"where": ["DeviceType = Tablett"]}, "where", "did you mean 'Tablet'"),
    "no condition": ({"where": ["DeviceType"]}, "where", "expected a filter of the report, ="),
    "open quote": ({"where": ["DeviceType = 'Tablet"]}, "where", "is a quote missing?"),
    "nothing after a comma": ({"where": ["DeviceType = Tablet,"]}, "where", "is a quote missing?"),
    "filtered twice": ({"where": ["Status = Active", "status = Paused"]}, "where", "Status is filtered twice"),
    "no number": (
        {"of": "GoalsAndFunnelsReport", "metrics": ["AllRevenue"], "where": ["GoalIds = 7, seven"]},
        "where",
        "expected whole numbers, got 'seven'",
    ),
    "neither true nor false": (
        {"of": "SearchQueryPerformanceReport", "where": ["ExcludeZeroClicks = perhaps"]},
        "where",
        "expected true or false",
    ),
    "too many values": (
        {"of": "SearchQueryPerformanceReport", "where": [f"SearchQueries = {', '.join(map(str, range(31)))}"]},
        "where",
        "31 values are more than the 30",
    ),
    "a built-in name": ({"name": "campaign_daily"}, "name", "there is a table campaign_daily already"),
}


def given(**changed: Any) -> dict[str, Any]:
    return {"name": "mine", "of": CAMPAIGN, "metrics": ["Clicks"]} | changed


@pytest.mark.parametrize("broken", BROKEN)
def test_each_rule_that_is_broken_is_told_with_its_place(broken: str) -> None:
    changed, key, words = BROKEN[broken]
    reports, findings = definitions.own_reports({"reports": [given(**changed)]})
    assert [finding.message.partition(": ")[0] for finding in findings] == [
        f"reports.{changed.get('name', 'mine')}.{key}"
    ]
    assert words in findings[0].message
    assert not reports or "name" in changed


def test_everything_is_found_at_once() -> None:
    settings = {
        "reports": [
            given(name=f"r{n}", **changed) for n, (changed, *_) in enumerate(BROKEN.values()) if "name" not in changed
        ]
    }
    _, findings = definitions.own_reports(settings)
    assert len(findings) == len(BROKEN) - 1


def test_the_key_follows_from_the_report_and_what_splits_it() -> None:
    wanted = given(
        of="ProfessionalDemographicsAudienceReport", by=["ad_distribution", "CampaignId", "AccountId"], grain="hour"
    )
    (report,), findings = definitions.own_reports({"reports": [wanted]})
    assert not findings
    assert report.table.key == (
        *("account_id", "campaign_id", "ad_group_id", "ad_distribution"),
        *("company_name", "industry_name", "job_function_name", "date", "hour"),
    )
    assert {"account_name", "ad_group_name", "currency_code", "is_final"} <= {
        each.name for each in report.table.columns
    }
    assert report.columns.count("TimePeriod") == 1


def test_a_quote_in_a_filter_stays_a_value() -> None:
    where = """Keywords = 'it''s "red"', "a ""b"", c", plain words , 'x'"""
    (report,), findings = definitions.own_reports(
        {"reports": [given(of="KeywordPerformanceReport", where=[where, "devicetype = tablet,COMPUTER"])]}
    )
    assert not findings
    assert report.filter == {
        "Keywords": ['it\'s "red"', 'a "b", c', "plain words", "x"],
        "DeviceType": "Tablet,Computer",
    }


def test_the_retention_of_each_grain_is_known() -> None:
    kept = {}
    for grain in ("hour", "day", "month"):
        (report,), _ = definitions.own_reports({"reports": [given(of="GeographicPerformanceReport", grain=grain)]})
        kept[grain] = report.kept_days
    assert kept == {"hour": 14, "day": 1095, "month": 1095}


def test_the_columns_of_built_in_tables_are_in_the_catalog_with_their_types() -> None:
    """So that a column means the same in a built-in table and in a report of one's own."""
    known = catalog.catalog()
    for report in REPORTS:
        for field in report.fields:
            if field.source in ("", "AccountId", "TimePeriod", "CurrencyCode"):
                continue
            column = known.column(report.kind, field.source)
            assert (column.type or Type.STRING) is field.column.type, field
            assert known.name_of(report.kind, field.source) == field.column.name, field


def test_no_two_columns_of_a_report_have_one_name() -> None:
    known = catalog.catalog()
    own = {"account_id", "date", "hour", "currency_code", "is_final"}
    for kind, report in known.reports.items():
        names = [known.name_of(kind, name) for name in report.columns]
        assert len(set(names)) == len(names), kind
        assert not own & {*names}, kind


def test_the_catalog_is_what_the_installed_sdk_gives() -> None:
    made = subprocess.run(
        [ROOT / ".venvs/microsoft/bin/python", ROOT / "pipelines/microsoft/catalog/generate.py", "--print"],
        capture_output=True,
        text=True,
        check=True,
    )
    path = Path(catalog.__file__).with_name("catalog.json")
    assert made.stdout == path.read_text(), "run pipelines/microsoft/catalog/generate.py"


def test_fields_are_listed_with_what_they_exclude() -> None:
    done = subprocess.run([COMMAND, "--fields"], env={}, capture_output=True, timeout=120, check=True)
    line = json.loads(done.stdout)
    assert CAMPAIGN in line["of"] and "bingads 13" in line["source"]
    found = {(each["name"], each["role"]): each for each in line["fields"] if CAMPAIGN in each["of"]}
    assert found["Spend", "metrics"]["note"] == "in currency_code"
    assert "ImpressionSharePercent" in found["TopVsOther", "by"]["excludes"]
    assert found["CampaignName", "attributes"]["note"] == "of CampaignId"
    assert "note" not in found["GoalType", "by"], "it belongs to a GoalId, which this report has not"
    assert found["ImpressionSharePercent", "metrics"]["note"] == "percent; only by day or month"
