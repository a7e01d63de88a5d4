"""The command line, and what is refused before or right after the sign-in."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from microsoft_runs import COMMAND, ROOT, Run, Sandbox

from microsoft_pipeline.tables import REPORTS, TABLES, Report
from wire import Type


def test_discover_prints_the_catalog_without_credentials() -> None:
    done = subprocess.run([COMMAND, "--discover"], env={}, capture_output=True, timeout=120, check=True)
    streams = {stream["tap_stream_id"]: stream for stream in json.loads(done.stdout)["streams"]}
    assert list(streams) == [table.name for table in TABLES]
    assert streams["ad_daily"]["key_properties"] == ["account_id", "campaign_id", "ad_group_id", "ad_id", "date"]


@pytest.mark.parametrize("transport", ["rest", "soap"])
def test_a_check_needs_neither_network_nor_sdk(tmp_path: Path, transport: str) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"transport": transport, "look_back": 3, "tables": ["campains"]}))
    spied = {"PYTHONPROFILEIMPORTTIME": "1", "PIPELINE_NOW": "2026-11-20T12:00:00+00:00"}
    done = subprocess.run(
        [COMMAND, "--check", "--config", config], check=False, env=spied, capture_output=True, timeout=30
    )
    found = json.loads(done.stdout)
    assert done.returncode == 78
    for words in ("there is no table or group 'campains'", "settings.look_back", "MICROSOFT_REFRESH_TOKEN"):
        assert any(words in each for each in found["errors"]), words
    ending = [each for each in found["warnings"] if "2027-01-31" in each]
    assert bool(ending) is (transport == "soap")
    assert found["api"]["version"] == ("v13, SOAP" if transport == "soap" else "v13, REST")
    imported = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert b"argparse" in imported
    assert not imported & {b"requests", b"bingads", b"suds"}


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no file system in memory to keep a token in")
def test_a_token_store_that_does_not_last_is_warned_of(tmp_path: Path) -> None:
    secrets = dict.fromkeys(("CLIENT_ID", "CLIENT_SECRET", "DEVELOPER_TOKEN", "REFRESH_TOKEN"), "x")
    given = {f"MICROSOFT_{name}": value for name, value in secrets.items()}
    for store, lasts in ((Path("/dev/shm/never-made/token"), False), (Path("/proc/none"), True)):
        environment = given | {"MICROSOFT_TOKEN_STORE": str(store)}
        done = subprocess.run(
            [COMMAND, "--check"], check=False, env=environment, capture_output=True, timeout=30, cwd=tmp_path
        )
        warnings = [each for each in json.loads(done.stdout)["warnings"] if "MICROSOFT_TOKEN_STORE to a volume" in each]
        assert bool(warnings) is not lasts
    assert not Path("/dev/shm/never-made").exists()


def test_missing_credentials_are_named_at_once(run: Run) -> None:
    outcome = run(None)
    assert (outcome.status, outcome.failures[0].kind) == (78, "config")
    for name in ("CLIENT_ID", "CLIENT_SECRET", "DEVELOPER_TOKEN", "REFRESH_TOKEN"):
        assert f"MICROSOFT_{name}" in outcome.failures[0].message


def test_an_unknown_setting_or_table_is_named(shared: Sandbox, run: Run) -> None:
    outcome = run(shared, settings={"look_back": 3})
    assert outcome.status == 78
    assert "settings.look_back: there is no such setting" in outcome.failures[0].message
    outcome = run(shared, settings={"tables": ["campains"]})
    assert outcome.status == 78
    assert "there is no table or group 'campains'; did you mean 'campaign'" in outcome.failures[0].message


def test_an_unknown_account_is_reported_and_the_others_are_loaded(shared: Sandbox, run: Run) -> None:
    outcome = run(shared, settings={"tables": ["account"]}, environment={"MICROSOFT_ACCOUNT_IDS": "1,3001234567"})
    assert outcome.status == 78
    assert [(failure.account_id, failure.kind) for failure in outcome.failures] == [("1", "config")]
    assert [row["account_id"] for row in outcome.tables["account"]] == ["3001234567"]


def test_tokens_are_not_sent_to_a_foreign_host(shared: Sandbox, run: Run) -> None:
    outcome = run(shared, environment={"MICROSOFT_API_URL": "http://ads.example"})
    assert outcome.status == 78
    assert "MICROSOFT_API_URL points to http://ads.example" in outcome.failures[0].message


def test_a_wrong_secret_is_a_refused_credential(shared: Sandbox, run: Run) -> None:
    for variable in ("MICROSOFT_CLIENT_SECRET", "MICROSOFT_DEVELOPER_TOKEN"):
        outcome = run(shared, settings={"tables": ["account"]}, environment={variable: "wrong"})
        assert (outcome.status, outcome.failures[0].kind) == (77, "auth"), outcome.log


def test_the_documentation_lists_every_column_and_key() -> None:
    text = (ROOT / "docs/tables/microsoft.md").read_text()
    sections = {part.partition("\n")[0].strip("` "): part for part in text.split("\n## ")[1:]}
    for table in TABLES:
        lines = [line for line in sections[table.name].splitlines() if line.startswith("| `")]
        documented = [line.split("`")[1] for line in lines]
        assert documented == [column.name for column in table.columns], table.name
        assert f"Key: {', '.join(f'`{name}`' for name in table.key)}." in sections[table.name]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.table.name)
def test_no_report_asks_for_columns_that_exclude_each_other(report: Report) -> None:
    asked = set(report.columns)
    shares = {name for name in asked if name.endswith("Percent") and ("Share" in name or "Lost" in name)}
    assert not (shares and asked & {"BidMatchType", "DeviceOS", "Goal", "GoalType", "TopVsOther", "BudgetName"})
    audience = {name for name in asked if name.startswith("Audience")} | asked & {"RelativeCtr"}
    assert not (audience and asked & {"CustomerId", "CustomerName", "DeliveredMatchType"})


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.table.name)
def test_the_key_of_a_report_is_everything_that_tells_rows_apart(report: Report) -> None:
    ids = {field.column.name for field in report.fields if field.source.endswith("Id") or field.source == "SearchQuery"}
    if report.table.group == "core":
        assert set(report.table.key) == ids | {"date"}
    else:  # what is no number and no name of an id splits the rows
        texts = {each.name for each in report.table.columns if each.type is Type.STRING}
        names = {"account_name", "campaign_name", "ad_group_name", "asset_group_name", "currency_code"}
        assert texts - names - {"goal_type", "asset_group_status"} <= set(report.table.key) >= ids - {"account_id"}
    assert report.table.columns[-1].name == "is_final"
