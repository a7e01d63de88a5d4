"""What is wrong with a report of one's own is found before the run, all at once, each with what would be legal."""

from __future__ import annotations

import json
import runpy
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from linkedin_pipeline.catalog import FILE, catalog, listed_fields
from linkedin_pipeline.definitions import own_reports
from linkedin_pipeline.restli import query
from wire import Type

GOOD: dict[str, Any] = {"name": "device", "of": "campaign", "by": ["IMPRESSION_DEVICE_TYPE"], "metrics": ["clicks"]}


def told(version: str = "202607", **changed: Any) -> list[str]:
    """What is wrong with a good report of which some keys are changed, without the place that all begin with."""
    findings = own_reports({"reports": [GOOD | changed]}, version)[1]
    return [finding.message.removeprefix("reports.device.") for finding in findings]


def test_a_good_report_has_no_findings() -> None:
    reports, findings = own_reports({"reports": [GOOD]}, "202607.01")
    assert (findings, [report.name for report in reports]) == ((), ["device"])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"of": "campain"}, "of: LinkedIn has no reports of 'campain'; did you mean 'campaign' or 'campaign_group'?"),
        ({"of": "conversion"}, "of: LinkedIn has no reports of 'conversion'; there are account, campaign, "),
        ({"grain": "hour"}, "grain: LinkedIn tells no hours; expected day or month"),
        ({"by": ["MEMBER_COMPANIES"]}, "by: there is no 'MEMBER_COMPANIES'; did you mean 'MEMBER_COMPANY'"),
        (
            {"by": ["MEMBER_COUNTRY"]},
            "by: there is no 'MEMBER_COUNTRY'; did you mean 'MEMBER_COUNTY' or 'MEMBER_COUNTRY_V2'",
        ),
        ({"by": ["campaign"]}, "by: 'campaign' is in each row already; leave it out"),
        ({"by": ["ACCOUNT"]}, "by: 'ACCOUNT' is in each row already; leave it out"),
        ({"by": ["impressions"]}, "by: 'impressions' goes under metrics"),
        ({"by": ["campaign_name"]}, "by: 'campaign_name' goes under attributes"),
        (
            {"by": ["MEMBER_COMPANY", "CREATIVE"]},
            "by: LinkedIn tells MEMBER_COMPANY beside no other pivot; make one report of it and one of CREATIVE",
        ),
        (
            {"by": ["MEMBER_COMPANY", "MEMBER_INDUSTRY"]},
            "by: LinkedIn tells MEMBER_COMPANY beside no other pivot; make one report of it and one of MEMBER_INDUSTRY",
        ),
        (
            {"by": ["SHARE", "SERVING_LOCATION", "PLACEMENT_NAME"]},
            "by: LinkedIn splits by 3 pivots at most, and campaign and SHARE, SERVING_LOCATION, PLACEMENT_NAME are 4",
        ),
        (
            {"of": "account", "by": ["SHARE", "SERVING_LOCATION", "PLACEMENT_NAME", "CREATIVE"]},
            "by: LinkedIn splits by 3 pivots at most, and SHARE, SERVING_LOCATION, PLACEMENT_NAME, CREATIVE are 4",
        ),
        (
            {"by": ["CONVERSATION_NODE", "CONVERSATION_NODE_OPTION_INDEX"]},
            "by: CONVERSATION_NODE and CONVERSATION_NODE_OPTION_INDEX both fill conversation_node; leave one out",
        ),
        ({"metrics": ["clics"]}, "metrics: there is no 'clics'; did you mean 'clicks'"),
        ({"metrics": ["CREATIVE"]}, "metrics: 'CREATIVE' goes under by"),
        ({"metrics": ["costInUsd", "cost_in_usd"]}, "metrics: 'cost_in_usd' is the same as 'costInUsd'"),
        (
            {"metrics": ["approximateMemberReach"]},
            "metrics: LinkedIn does not tell 'approximateMemberReach' by IMPRESSION_DEVICE_TYPE; leave it out",
        ),
        (
            {"by": ["MEMBER_SENIORITY"], "metrics": ["conversionValueInLocalCurrency"]},
            "metrics: LinkedIn does not tell 'conversionValueInLocalCurrency' by MEMBER_SENIORITY; leave it out",
        ),
        (
            {"by": ["CONVERSION"], "metrics": ["cost_in_local_currency"]},
            "metrics: LinkedIn does not tell 'cost_in_local_currency' by CONVERSION; leave it out",
        ),
        (
            {"of": "creative", "by": [], "metrics": ["audiencePenetration"]},
            "metrics: LinkedIn tells 'audiencePenetration' only of ACCOUNT or CAMPAIGN_GROUP or CAMPAIGN: choose such",
        ),
        (
            {"of": "account", "by": ["SHARE"], "metrics": ["audiencePenetration"]},
            "metrics: LinkedIn tells 'audiencePenetration' of an account only where nothing splits it",
        ),
        ({"attributes": ["campaign_nam"]}, "attributes: there is no 'campaign_nam'; did you mean 'campaign_name'"),
        ({"attributes": ["campaign_id"]}, "attributes: 'campaign_id' is in the key already; leave it out"),
        (
            {"attributes": ["creative_name"]},
            "attributes: 'creative_name' belongs to no id of the key: put CREATIVE into by",
        ),
        ({"attributes": ["opens"]}, "attributes: 'opens' goes under metrics"),
        (
            {"where": ["campaignTyp = 'TEXT_AD'"]},
            "where: adAnalytics has no facet 'campaignTyp'; did you mean 'campaign",
        ),
        ({"where": ["campaignType = 'TEXT_ADS'"]}, "where: 'TEXT_ADS' is no campaignType; did you mean 'TEXT_AD'"),
        ({"where": ["campaignType IN ('TEXT_AD', 'DYNAMIC')"]}, "where: LinkedIn takes one campaignType at a time"),
        (
            {"where": ["campaigns = 'Müller'"]},
            "where: 'Müller' is none of campaigns, whose ids are numbers such as 123",
        ),
        ({"where": ["campaigns = 'urn:li:share:1'"]}, "where: 'urn:li:share:1' is none of campaigns"),
        ({"where": ["campaigns IN (1,,2)"]}, "where: a value is missing: 'campaigns IN (1,,2)'"),
        ({"where": ["campaigns > 1"]}, "where: expected a condition like `campaignType = 'TEXT_AD'` or "),
        (
            {"where": ["campaigns = 1", "campaigns = 2"]},
            "where: campaigns stands in two conditions, which LinkedIn takes as one",
        ),
        ({"name": "campaign_daily"}, "reports.campaign_daily.name: there is a table campaign_daily already"),
    ],
)
def test_each_rule_is_told_with_what_would_be_legal(changed: dict[str, Any], sentence: str) -> None:
    (finding,) = told(**changed)
    assert finding.startswith(sentence)


def test_everything_is_told_at_once() -> None:
    found = told(
        of="ad",
        by=["MEMBER_COMPANY", "DEVICE"],
        metrics=[f"metric{n}" for n in range(200)],
        where=["x = 1"],
        grain="hour",
    )
    assert len(found) == 204
    assert [finding.partition(":")[0] for finding in found[:4]] == ["of", "grain", "by", "metrics"]


def test_a_metric_that_the_version_does_not_know_is_told() -> None:
    assert told("202604", by=[], metrics=["appointmentsScheduled"]) == [
        "metrics: 'appointmentsScheduled' needs api_version 202605, and it is 202604"
    ]


@pytest.mark.parametrize(
    "value",
    ["1)&accounts=List(urn%3Ali%3AsponsoredAccount%3A9", "TEXT_AD&pivot=ACCOUNT", "TEXT_AD'", "1') OR ('1'='1", "１２"],
)
@pytest.mark.parametrize("facet", ["campaigns", "campaignType"])
def test_nothing_in_a_condition_reaches_another_parameter(facet: str, value: str) -> None:
    assert told(where=[f'{facet} = "{value}"'])


def test_quotes_and_spelling_do_not_matter() -> None:
    written = [
        {
            "where": ["campaign_type='text_ad'", 'campaigns IN ("1", 2)'],
            "of": "CAMPAIGN",
            "by": ["impressionDeviceType"],
        },
        {"where": ["campaigns in (1, 'urn:li:sponsoredCampaign:2')", "campaignType = TEXT_AD"], "metrics": ["opens"]},
    ]
    (one,), (other,) = (own_reports({"reports": [GOOD | each]}, "202607")[0] for each in written)
    assert one.filters == other.filters
    assert one.fingerprint == other.fingerprint != own_reports({"reports": [GOOD]}, "202607")[0][0].fingerprint
    assert query({each.parameter: each.value for each in one.filters}) == (
        "campaignType=(value:TEXT_AD)&campaigns=List(urn%3Ali%3AsponsoredCampaign%3A1,urn%3Ali%3AsponsoredCampaign%3A2)"
    )


def test_columns_are_called_as_in_the_built_in_tables() -> None:
    metrics = ["costInLocalCurrency", "jobApplications", "averageVideoWatchTime", "viral_landing_page_clicks"]
    (report,), _ = own_reports({"reports": [GOOD | {"metrics": metrics, "attributes": ["Campaign_Name"]}]}, "202607")
    assert [(column.name, column.type) for column in report.table.columns] == [
        ("account_id", Type.STRING),
        ("date", Type.DATE),
        ("campaign_id", Type.STRING),
        ("campaign_name", Type.STRING),
        ("impression_device_type", Type.STRING),
        ("cost_in_local_currency", Type.DECIMAL),
        ("job_applications", Type.DECIMAL),
        ("average_video_watch_time", Type.NUMBER),
        ("viral_landing_page_clicks", Type.INTEGER),
        ("currency", Type.STRING),
        ("is_final", Type.BOOLEAN),
    ]


def test_the_catalog_is_what_the_script_makes() -> None:
    """After a change of facts.toml or metrics.py: pipelines/linkedin/catalog/generate.py."""
    script = runpy.run_path(str(Path(__file__).parents[1] / "catalog" / "generate.py"))
    assert FILE.read_text(encoding="utf-8") == script["text"](script["generated"]())


def test_all_fields_are_listed_with_what_they_exclude() -> None:
    found = listed_fields()
    assert found.of == ["account", "campaign_group", "campaign", "creative"]
    assert catalog().version in found.source
    fields = {field.name: field for field in found.fields}
    assert len(fields) == len(found.fields) == len(catalog().pivots) + len(catalog().metrics) + 6
    reach, company = fields["approximateMemberReach"], fields["MEMBER_COMPANY"]
    assert (reach.role, reach.type, reach.excludes) == ("metrics", "integer", ("IMPRESSION_DEVICE_TYPE", "MEMBER_*"))
    assert company.role == "by"
    assert "approximateMemberReach" in company.excludes
    assert fields["creative_name"].of == ("creative",)


def test_a_run_without_reports_does_not_read_the_catalog(sandbox: Any) -> None:
    code = "import sys; from linkedin_pipeline import main; main.own_reports({}); print(*sys.modules)"
    python = Path(sandbox.called()[0][0]).with_name("python")
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert "linkedin_pipeline.settings" in ran.stdout
    assert "linkedin_pipeline.catalog" not in ran.stdout


def test_check_tells_findings_and_that_another_version_is_spoken(sandbox: Any) -> None:
    wrong = sandbox.run(
        "--check", reports=[GOOD | {"by": ["DEVICE"]}, GOOD | {"name": "x", "of": "ad"}], api_version=202606
    )
    found = json.loads(wrong.output)
    assert wrong.status == 78
    assert [each.partition(":")[0] for each in found["errors"]] == ["reports.device.by", "reports.x.of"]
    assert [each.partition(":")[0] for each in found["warnings"]] == ["reports"]
    right = json.loads(sandbox.run("--check", reports=[GOOD]).output)
    assert (right["errors"], right["warnings"]) == ([], [])


def test_fifty_reports_are_validated_in_no_time() -> None:
    reports = [GOOD | {"name": f"report{n}", "metrics": ["clicks", "impressions", "costInUsd"]} for n in range(50)]
    catalog.cache_clear()
    begun = time.process_time()
    assert len(own_reports({"reports": reports}, "202607")[0]) == 50
    assert time.process_time() - begun < 0.5
