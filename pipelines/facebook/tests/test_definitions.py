"""What is found wrong with reports of one's own, without Facebook; and that the catalog is the installed SDK's."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from facebook_pipeline.definitions import own_reports, reports_to_load
from wire import CheckWarning, PipelineError

ROOT = Path(__file__).resolve().parents[3]
RIGHT = {"name": "own", "of": "ad", "metrics": ["impressions"]}


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    """The tests' own environment has no SDK, whose version is asked for."""
    monkeypatch.setattr("importlib.metadata.version", lambda _: "26.0.3")


def found(kind=PipelineError, **changed):
    own = own_reports({"reports": [RIGHT | changed]})
    return [each.message for each in own.findings if isinstance(each, kind)]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"of": "campain"}, "own.of: there is no level 'campain'; did you mean 'campaign'?"),
        ({"by": ["agee"]}, "own.by: there is no breakdown 'agee'; did you mean 'age'"),
        ({"by": ["impressions"], "metrics": ["spend"]}, "'impressions' divides nothing: it goes under metrics"),
        ({"by": ["campaign_id"], "of": "account"}, "'campaign_id' comes with the level"),
        ({"by": ["user_persona_id"]}, "Meta documents no report by user_persona_id"),
        ({"by": ["hourly_stats_aggregated_by_advertiser_time_zone"]}, "by `grain: hour`"),
        ({"by": ["age", "country"]}, "no report by age and country together"),
        ({"by": ["platform_position"]}, "publisher_platform and platform_position"),
        ({"by": ["age"], "grain": "hour"}, "no report by age and grain: hour together"),
        ({"by": ["image_asset"], "of": "account"}, "Meta has no image_asset of a whole account"),
        ({"metrics": ["impresions"]}, "own.metrics: there is no field 'impresions'; did you mean 'impressions'"),
        ({"metrics": ["campaign_name"]}, "'campaign_name' goes under attributes"),
        ({"metrics": ["age"]}, "'age' divides rows: it goes under by"),
        ({"metrics": ["account_currency"]}, "'account_currency' is in each table that can have it"),
        ({"metrics": ["quality_ranking"], "of": "campaign"}, "belongs to a finer level, which has it: of ad"),
        ({"attributes": ["ad_set_name"], "of": "campaign"}, "own.attributes: 'ad_set_name' belongs to a finer level"),
        ({"attributes": ["place_page_name"]}, "put place_page_id under by"),
        ({"metrics": ["reach"], "grain": "hour"}, "Facebook does not tell 'reach' with grain: hour"),
        ({"metrics": ["video_plays"], "grain": "hour"}, "does not tell 'video_plays' with grain: hour"),
        ({"metrics": ["video_p50_watched_actions"], "by": ["region"]}, "with region"),
        ({"metrics": ["cpc"], "by": ["body_asset"]}, "it leaves impressions, clicks, spend, reach"),
        ({"metrics": ["impressions"], "by": ["frequency_value"]}, "it leaves reach"),
        ({"metrics": ["purchases"], "by": ["region"]}, "'purchases' would be too low with region"),
        ({"name": "ad_daily"}, "there is a table ad_daily already"),
        ({"name": "a" * 60, "metrics": ["actions"]}, "at most 55 letters"),
        ({"name": "ad_daily", "metrics": ["actions"]}, "would become ad_daily_actions, and there is that already"),
        ({"where": ["impressions"]}, "is no condition; write FIELD OPERATOR VALUE"),
        ({"where": ["impressions GREATER 0"]}, "there is no operator 'GREATER'"),
        ({"where": ["campaign.name CONTAIN 'it'"]}, "'it' is no JSON value; a text has double quotes"),
        ({"where": ['campaign.name IN "it"']}, "IN takes a list"),
        ({"where": ['campaign.name CONTAIN ["it"]']}, "CONTAIN takes a text or a number"),
        ({"where": ['campaign_name CONTAIN "it"']}, "Facebook takes campaign.name instead of campaign_name"),
        ({"where": ['action_type EQUAL "lead"']}, "empties every other column"),
        ({"where": ['gender EQUAL "male"']}, "'gender' is a breakdown that the report does not have"),
        ({"where": ["shoe.size EQUAL 4"]}, "there is no field 'shoe.size'"),
    ],
)
def test_each_rule_is_told_with_what_would_be_legal(changed, told):
    messages = found(**changed)
    assert any(told in message for message in messages), messages
    with pytest.raises(PipelineError):
        reports_to_load({"reports": [RIGHT | changed]})


def test_all_is_told_at_once():
    messages = found(of="add", by=["agee"], metrics=["impresions"], attributes=["nam"], where=["x"])
    assert [message.split(":")[0] for message in messages] == [
        f"reports.own.{key}" for key in ("of", "by", "metrics", "attributes", "where")
    ]


def test_what_is_less_than_one_may_expect_is_a_warning():
    assert "leaves actions outside Meta" in found(CheckWarning, metrics=["actions"], by=["region"])[0]
    assert "not divided" in found(CheckWarning, metrics=["actions"], by=["product_id"])[0]
    by = ["publisher_platform", "impression_device"]
    assert "only ten reports by impression_device in 24 hours" in found(CheckWarning, by=by)[0]
    assert found(CheckWarning) == []


def test_another_sdk_is_a_warning(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda _: "27.0.0")
    assert "27.0.0 is installed" in found(CheckWarning)[0]


def test_a_quote_in_a_condition_stays_in_its_value():
    text = """it's "so", ] } & filtering"""
    (report,) = reports_to_load({"reports": [RIGHT | {"where": [f"ad.name CONTAIN {json.dumps(text)}"]}]})
    assert report.filtering == ({"field": "ad.name", "operator": "CONTAIN", "value": text},)


def test_retention_is_that_of_what_is_asked():
    def months(**changed):
        return reports_to_load({"reports": [RIGHT | changed]})[0].months_kept

    assert months() == months(by=["age"]) == months(metrics=["reach"]) == 37
    assert months(metrics=["reach"], by=["age"]) == months(grain="hour") == 13
    assert months(metrics=["reach"], by=["frequency_value"]) == 6


def test_two_hundred_metrics_are_one_table_and_fifty_reports_are_read_at_once():
    from facebook_pipeline.catalog import catalog  # noqa: PLC0415 - only this test looks into it

    names = [each.name for each in catalog().fields if each.role == "metrics"][:200]
    many = [RIGHT | {"name": f"own_{n}", "metrics": names} for n in range(50)]
    reports_to_load({"reports": [RIGHT]})  # the first one imports what all of them need
    begun = time.process_time()
    reports = reports_to_load({"reports": many})
    assert time.process_time() - begun < 0.5
    assert len(reports) == 50
    assert len({table.name for table in own_reports({"reports": many}).tables}) == 100


def test_the_catalog_is_what_the_installed_sdk_makes():
    program = "import runpy, sys; made = runpy.run_path(sys.argv[1]); print(made['text'](made['generated']()), end='')"
    script = ROOT / "pipelines" / "facebook" / "catalog" / "generate.py"
    made = subprocess.run(
        [str(ROOT / ".venvs" / "facebook" / "bin" / "python"), "-c", program, str(script)],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        timeout=60,
    )
    kept = ROOT / "pipelines" / "facebook" / "src" / "facebook_pipeline" / "catalog.json"
    assert made.stdout.decode() == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", [{}, {"by": ["age"], "where": ['country EQUAL "DE"']}])
def test_a_probe_asks_facebook_about_each_report(tiny, run, wrong):
    config = {"reports": [RIGHT, RIGHT | {"name": "other", "by": ["country"]}]}
    outcome = run(tiny, "--probe", config=config)
    assert outcome.status == 0, outcome.stdout
    assert json.loads(outcome.stdout)["errors"] == []
    if wrong:
        refused = run(tiny, "--probe", config={"reports": [RIGHT | {"where": ['campaign.shoe_size EQUAL "44"']}]})
        assert refused.status == 78
        assert "Filtering field campaign.shoe_size" in json.loads(refused.stdout)["errors"][0]
