"""What is wrong with a report of one's own is found before the run, all at once, each with what would be legal."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from google_pipeline.catalog import catalog, listed
from google_pipeline.conditions import Condition
from google_pipeline.definitions import reports
from google_pipeline.tables import ACCOUNT_DAILY, QUERIES
from wire import Type

GOOD = {"name": "device", "of": "campaign", "by": ["device"], "metrics": ["clicks"]}
ROOT = Path(__file__).resolve().parents[3]
DAILY = [query for query in QUERIES if query.daily]


def told(version="v26", **changed):
    """What is wrong with a good report of which some keys are changed, without the place that all begin with."""
    findings = reports({"reports": [GOOD | changed]}, version).findings
    return [finding.message.removeprefix("reports.device.") for finding in findings]


def made(**changed):
    (query,) = reports({"reports": [GOOD | changed]}, "v26").queries
    return query


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"of": "campain"}, "of: 'campain' is nothing that Google has numbers of by day; did you mean 'campaign'"),
        ({"of": "click_view"}, "of: 'click_view' is nothing that Google has numbers of by day"),
        ({"by": ["devise"]}, "by: there is no 'devise' for a report of campaign; did you mean 'device'"),
        ({"by": ["impressions"]}, "by: impressions goes under metrics"),
        ({"by": ["date"]}, "by: date is in every row: leave it out"),
        ({"by": ["segments.hour"]}, "by: segments.hour is a grain: write `grain: hour`"),
        ({"by": ["month"]}, "by: month is a grain: write `grain: month`"),
        ({"by": ["campaign.id"]}, "by: campaign.id is in the key of every report of campaign: leave it out"),
        ({"by": ["campaign.frequency_caps"]}, "by: there is no 'campaign.frequency_caps' for a report of campaign"),
        ({"by": ["campaign.url_custom_parameters"]}, "by: there is no 'campaign.url_custom_parameters'"),
        ({"by": ["campaign.labels"]}, "by: campaign.labels holds a list, which cannot be part of a key"),
        (
            {"by": ["campaign_budget.amount_micros"]},
            "by: campaign_budget.amount_micros holds an amount, which cannot be part of a key",
        ),
        (
            {"by": ["campaign.optimization_score"]},
            "by: campaign.optimization_score holds a number with a fraction, which cannot be part of a key",
        ),
        ({"by": [], "metrics": ["device"]}, "metrics: device goes under by"),
        ({"metrics": ["impresions"]}, "metrics: there is no 'impresions' for a report of campaign; did you mean"),
        ({"attributes": ["device_"]}, "attributes: there is no 'device_' for a report of campaign"),
        ({"attributes": ["ad_network_type"]}, "attributes: ad_network_type goes under by"),
        ({"attributes": ["ad_group.name"]}, "attributes: there is no 'ad_group.name' for a report of campaign"),
        (
            {"of": "geographic_view", "by": ["campaign"], "attributes": ["ad_group.name"]},
            "attributes: ad_group.name belongs to ad_group.id, which is not in the key: put that into by, or ad_group",
        ),
        (
            {"attributes": ["conversion_action_name"]},
            "attributes: segments.conversion_action_name belongs to segments.conversion_action, which is not in the",
        ),
        (
            {"grain": "month", "attributes": ["day_of_week"]},
            "attributes: segments.day_of_week belongs to segments.date, which is not in the key",
        ),
        ({"of": "ad_group_ad", "grain": "hour"}, "grain: hour can only be asked of customer, campaign, ad_group"),
        (
            {"metrics": ["historical_quality_score"]},
            "metrics: historical_quality_score can only be asked of keyword_view",
        ),
        (
            {"by": ["search_term_match_type"]},
            "by: search_term_match_type can only be asked of search_term_view",
        ),
        (
            {"by": ["conversion_action"]},
            "metrics: clicks cannot stand beside conversion_action: Google does not divide it by conversions",
        ),
        (
            {"by": ["conversion_action"], "metrics": ["conversions"], "where": ["metrics.cost_micros > 0"]},
            "metrics: cost_micros cannot stand beside conversion_action",
        ),
        (
            {"by": [], "metrics": ["search_impression_share"], "grain": "hour"},
            "metrics: search_impression_share cannot stand beside hour: Google has it of whole days only",
        ),
        ({"of": "age_range_view", "by": ["gender"]}, "by: gender beside age_range_view: Google does not divide by age"),
        ({"of": "gender_view", "by": ["age_range"]}, "by: age_range beside gender_view: Google does not divide by age"),
        ({"by": ["ad_sub_network_type"]}, "by: ad_sub_network_type means something only beside ad_network_type"),
        ({"where": ["campaign.status = PAUSD"]}, "where: campaign.status is never PAUSD; did you mean 'PAUSED'?"),
        ({"where": ["campaign.statuss = 'PAUSED'"]}, "where: 'campaign.statuss' is no field that a report of campaign"),
        ({"where": ["ad_group.id = 1"]}, "where: 'ad_group.id' is no field that a report of campaign can be"),
        ({"where": ["campaign.id = abc"]}, "where: campaign.id is a number, and not abc"),
        ({"where": ["campaign.name = shoes"]}, "where: campaign.name is a text: write 'shoes' in quotes"),
        ({"where": ["campaign.id LIKE '%1'"]}, "where: LIKE compares a text with a quoted pattern"),
        ({"where": ["customer.manager = 1"]}, "where: customer.manager is TRUE or FALSE, and not 1"),
        ({"where": ["segments.date DURING TODAY"]}, "where: 'segments.date DURING TODAY' is not one condition"),
        ({"where": ["segments.date = '2026-01-01'"]}, "where: segments.date restricts the days, which the run chooses"),
        (
            {"where": ["segments.ad_network_type = 'SEARCH'"]},
            "where: Google restricts by segments.ad_network_type only what is divided by it: put segments.ad_network_t",
        ),
        ({"name": "campaign_daily"}, "reports.campaign_daily.name: there is a table campaign_daily already"),
        (
            {"metrics": ["cost_micros"], "attributes": ["campaign.id"]},
            "attributes: campaign.id is in the table already: leave it out",
        ),
        ({"metrics": ["cost_micros", "cost"]}, "metrics: cost_micros is in the table already: leave it out"),
        ({"by": ["device", "segments.device"]}, "by: device is in the table already: leave it out"),
        (
            {"metrics": ["cross_device_conversions_value", "cross_device_conversions_value_micros"]},
            "metrics: cross_device_conversions_value and cross_device_conversions_value_micros would both be called c",
        ),
    ],
)
def test_each_rule_is_told_with_what_would_be_legal(changed, sentence):
    (finding,) = told(**changed)
    assert finding.startswith(sentence)


def test_a_good_report_has_no_findings():
    read = reports({"reports": [GOOD]}, "v26")
    assert (read.findings, read.warnings) == ((), ())
    assert [query.name for query in read.queries] == ["device"]


def test_everything_is_told_at_once():
    found = told(by=["DEVISE"], metrics=[f"metric{n}" for n in range(200)], where=["x = 1"])
    assert len(found) == 202
    assert {finding.partition(":")[0] for finding in found} == {"by", "metrics", "where"}


def test_two_hundred_metrics_are_one_query():
    """Which of them Google has of a campaign, beyond the rules that are written down, it says itself."""
    paths = [path for path in catalog().fields if path.startswith("metrics.") and path not in catalog().only]
    alike = {path for path in paths if path.endswith("_micros") and path.removesuffix("_micros") in paths}
    metrics = [path.removeprefix("metrics.") for path in paths if path not in alike][:200]
    query = made(metrics=metrics)
    assert len(query.fields) == 203


def test_a_field_that_the_version_does_not_have_is_told():
    assert told("v24", attributes=["campaign.pmax_campaign_settings.local_services_enabled"]) == [
        "attributes: campaign.pmax_campaign_settings.local_services_enabled is there from v25 on, "
        "and api_version is v24"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "campaign.name = 'a' OR 1 = 1",
        "campaign.name = 'a' AND campaign.id = 1",
        "campaign.name = 'a' ORDER BY campaign.id",
        "campaign.name = 'a' LIMIT 1",
        "campaign.name = 'a' PARAMETERS include_drafts=true",
        "campaign.name = 'a'; campaign.id = 1",
        "campaign.name = 'it's'",
        "campaign.name = 'a\\' AND campaign.id = 1",
        "campaign.id IN (1, 2) AND campaign.id IN (3)",
        "campaign.id IN ()",
        "campaign.id",
        "= 1",
    ],
)
def test_nothing_in_a_condition_reaches_another_clause(text):
    (finding,) = told(where=[text])
    assert "is not one condition of Google's query language" in finding


@pytest.mark.parametrize(
    "text",
    [
        "campaign.name = 'it\\'s \"new\" AND so on'",
        'campaign.name != "it\'s; LIMIT 1"',
        "campaign.name LIKE '%[_]%'",
        "campaign.name NOT REGEXP_MATCH '.*x.*'",
        "campaign.id IN (1, 2)",
        "campaign.status NOT IN ('PAUSED', REMOVED)",
        "campaign.labels CONTAINS ANY ('customers/1/labels/2')",
        "campaign.end_date_time IS NOT NULL",
        "metrics.clicks > 0",
        "campaign.id BETWEEN 1 AND 5",
    ],
)
def test_what_google_understands_stands_in_the_query_as_it_was_written(text):
    assert made(where=[text]).where == text
    assert Condition(text).field


def test_columns_are_called_as_in_the_built_in_tables():
    query = made(
        by=["segments.device"],
        metrics=["metrics.cost_micros", "average_cpc", "interaction_event_types"],
        attributes=["campaign.name", "campaign_status", "campaign_budget.amount_micros", "segments.week"],
    )
    assert [(column.name, column.type) for column in query.table.columns] == [
        ("account_id", Type.STRING),
        ("date", Type.DATE),
        ("campaign_id", Type.STRING),
        ("device", Type.STRING),
        ("campaign_name", Type.STRING),
        ("campaign_status", Type.STRING),
        ("campaign_budget_amount", Type.DECIMAL),
        ("week", Type.STRING),
        ("cost", Type.DECIMAL),
        ("average_cpc", Type.NUMBER),
        ("interaction_event_types", Type.JSON),
        ("currency_code", Type.STRING),
        ("is_final", Type.BOOLEAN),
    ]
    assert query.table.key == ("account_id", "campaign_id", "device", "date")


def test_hours_and_months_are_grains():
    hourly, monthly = made(by=[], grain="hour"), made(grain="month")
    assert hourly.key == ("campaign_id", "date", "hour")
    assert (monthly.key, monthly.paths[0]) == (("campaign_id", "device", "date"), "segments.month")


def test_removed_ads_are_there_unless_their_status_is_asked_for():
    status = "ad_group_ad.status IN ('ENABLED', 'PAUSED', 'REMOVED')"
    assert made(of="ad_group_ad").where == status
    assert made(of="ad_group_ad", where=["campaign.id = 1"]).where == f"{status} AND campaign.id = 1"
    assert made(of="ad_group_ad", where=["ad_group_ad.status = 'ENABLED'"]).where == "ad_group_ad.status = 'ENABLED'"


def test_spelling_does_not_make_another_table():
    assert made(by=["segments.device"]).fingerprint == made().fingerprint != made(by=[]).fingerprint


@pytest.mark.parametrize("table", DAILY, ids=lambda query: query.name)
def test_a_built_in_table_is_a_report_of_the_same_kind(table):
    """The same key, the same columns and the same question, if it is written as a report."""
    ids = catalog().resources[table.resource].ids
    columns = {field.path: field.column for field in table.fields}
    others = [path for path in columns if path not in (*ids, "segments.date", "segments.hour")]
    by = [path for path in others if columns[path] in table.key]
    query = made(
        of=table.resource,
        by=by,
        attributes=[path for path in others if not path.startswith("metrics.") and path not in by],
        metrics=[path for path in others if path.startswith("metrics.")],
        grain=table.grain.value,
    )
    assert set(query.key) == set(table.key)
    assert {(each.name, each.type) for each in query.table.columns} == {
        (each.name, each.type) for each in table.table.columns
    }
    assert query.where == table.where
    assert query.resource == table.resource
    assert ACCOUNT_DAILY in DAILY


def test_a_segment_that_hides_rows_is_warned_of():
    read = reports(
        {"reports": [GOOD | {"of": "campaign_search_term_view", "by": ["segments.keyword.info.text"]}]}, "v26"
    )
    assert not read.findings
    assert read.warnings == (
        "reports.device.by: keyword.info.text beside campaign_search_term_view: with a segment of keywords Google "
        "leaves the search terms of Performance Max out",
    )


def test_the_catalog_is_what_the_script_makes(python):
    """After a change of facts.toml or of the SDK: pipelines/google/catalog/generate.py."""
    script = ROOT / "pipelines/google/catalog/generate.py"
    ran = subprocess.run([python, script, "--print"], capture_output=True, text=True, check=True, timeout=300)
    assert ran.stdout == (ROOT / "pipelines/google/src/google_pipeline/catalog.json").read_text(encoding="utf-8")


def test_all_fields_are_listed_with_what_they_exclude():
    found = listed()
    assert f"google-ads {catalog().sdk}" in found.source
    assert len({(field.name, field.role) for field in found.fields}) == len(found.fields)
    fields = {(field.name, field.role): field for field in found.fields}
    device, cost = fields["device", "by"], fields["cost_micros", "metrics"]
    assert (device.type, device.of, device.excludes) == ("string", (), ())
    assert device.note.startswith("MOBILE, TABLET, DESKTOP")
    assert (cost.type, cost.note) == ("decimal", "account currency")
    assert "conversion_action" in cost.excludes
    assert "cost_micros" in fields["conversion_action", "by"].excludes
    assert "campaign" in fields["campaign.name", "attributes"].of
    assert fields["campaign.id", "by"].of == tuple(
        of for of in found.of if "campaign" in catalog().tops(of) and "campaign.id" not in catalog().resources[of].ids
    )


def test_a_run_without_reports_does_not_read_the_catalog(python):
    code = (
        "import sys; from google_pipeline import main; from google_pipeline.settings import check\n"
        "from wire import Invocation\n"
        "i = Invocation(settings={}, state={}, selected=None, discover=False, check=True, since=None, until=None)\n"
        "main.tables(i); check(i); print(*sys.modules)"
    )
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert "google_pipeline.settings" in ran.stdout
    assert "google_pipeline.catalog" not in ran.stdout
    assert "google_pipeline.definitions" not in ran.stdout


def test_check_tells_findings_and_that_another_sdk_is_installed(pipeline, tmp_path):
    user = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret", "GOOGLE_REFRESH_TOKEN": "token"}
    other = tmp_path / "google_ads-99.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: google-ads\nVersion: 99.0\n")
    config = tmp_path / "config.json"

    def asked(given, **variables):
        config.write_text(json.dumps({"reports": given}))
        told = subprocess.run(
            [pipeline, "--check", "--config", config],
            env={**user, **variables},
            capture_output=True,
            check=False,
            timeout=120,
        )
        return told.returncode, json.loads(told.stdout)

    status, wrong = asked([GOOD | {"by": ["DEVISE"]}, GOOD | {"name": "x", "of": "ad"}])
    assert status == 78
    assert [each.partition(":")[0] for each in wrong["errors"]] == ["reports.device.by", "reports.x.of"]
    status, right = asked([GOOD])
    assert (status, right["errors"], right["warnings"]) == (0, [], [])
    _, newer = asked([GOOD], PYTHONPATH=str(tmp_path))
    assert newer["warnings"] == [
        f"reports are checked against the fields of google-ads {catalog().sdk}, and 99.0 is installed; "
        "`supervisor check --online` asks Google"
    ]


def test_fifty_reports_are_validated_in_no_time():
    given = [GOOD | {"name": f"report{n}", "metrics": ["clicks", "impressions", "cost_micros"]} for n in range(50)]
    catalog.cache_clear()
    began = time.process_time()
    assert len(reports({"reports": given}, "v26").queries) == 50
    assert time.process_time() - began < 0.5
