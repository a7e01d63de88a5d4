"""`--check`: everything that is wrong with settings and credentials, at once and without the network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from linkedin_pipeline.settings import VERSION_ENDS, Given, api_of, problems
from linkedin_pipeline.tables import TABLES
from wire import Invocation
from wire.groups import LOADED

NOWHERE = {"LINKEDIN_API_URL": "http://127.0.0.1:9/rest", "LINKEDIN_TOKEN_URL": "http://127.0.0.1:9/token"}
GOOD = {"LINKEDIN_ACCESS_TOKEN": "token"}


def checked(run: Any) -> Any:
    (line,) = run.output.splitlines()
    return json.loads(line)


def sentences(environment: dict[str, str] = GOOD, **settings: Any) -> list[str]:
    return [error.message for error in problems(settings, environment)]


def test_a_good_configuration_has_nothing_wrong_and_asks_nobody(sandbox: Any) -> None:
    run = sandbox.run("--check", environment=NOWHERE)
    assert run.status == 0
    found = checked(run)
    offered = {table["name"]: table["is_loaded"] for table in found.pop("tables")}
    assert offered == {table.name: table.group in LOADED for table in TABLES}
    assert found == {
        "type": "CHECK",
        "errors": [],
        "warnings": [],
        "api": {
            "version": "202607",
            "ends": "2027-07-15",
            "source": "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/migrations",
        },
    }


def test_everything_wrong_is_said_at_once_and_a_run_says_the_same(sandbox: Any) -> None:
    wrong = {"lookback": 3, "window_days": 93, "api_version": "v26", "accounts": ["123", "mine"], "tables": ["ads"]}
    environment = {
        **NOWHERE,
        "LINKEDIN_API_URL": "http://api.linkedin.example.org/rest",
        "LINKEDIN_CLIENT_SECRET": "copied “wrong”",
    }
    run = sandbox.run("--check", environment=environment, **wrong)
    errors = checked(run)["errors"]
    assert run.status == 78
    assert [error.partition(":")[0].partition(" ")[0] for error in errors] == [
        *("settings.tables", "settings.lookback", "settings.window_days", "settings.api_version"),
        *("'mine'", "LINKEDIN_CLIENT_SECRET", "LINKEDIN_API_URL"),
    ]
    failed = sandbox.run(environment=environment, **wrong)
    assert failed.status == 78
    assert failed.errors[0].message == "; ".join(errors[1:])
    assert "wrong”" not in run.output.decode()


@pytest.mark.parametrize("version", ["202607.01", "202607", 202607, "202511"])
def test_versions_with_and_without_revision_are_legal(version: object) -> None:
    assert sentences(api_version=version) == []


@pytest.mark.parametrize("version", ["", "2026", "202613", "202607.1", "v26.0"])
def test_other_spellings_of_a_version_are_not(version: str) -> None:
    assert sentences(api_version=version)[0].startswith("settings.api_version: expected a version like 202607")


def api(**settings: Any) -> Any:
    return api_of(Invocation(settings, {}, None, False, False, None, None))


def test_the_end_is_that_of_the_version_which_the_settings_name() -> None:
    assert api().ends == VERSION_ENDS[str(Given().api_version)]
    assert api(api_version="202603.02").ends == VERSION_ENDS["202603"]
    assert api(api_version=202699) is None
    assert api(api_version="202609").ends is None


def test_a_version_about_to_end_is_announced(sandbox: Any) -> None:
    run = sandbox.run("--check", environment=NOWHERE, api_version="202601")
    assert "202601 ends on 2027-01-15, in 56 days" in checked(run)["warnings"][0]


@pytest.mark.parametrize("token", ["two words", "line\nend", "“quoted”", "naïve"])
def test_a_secret_that_cannot_be_sent_is_named_and_not_shown(token: str) -> None:
    (sentence,) = sentences({"LINKEDIN_ACCESS_TOKEN": token})
    assert sentence.startswith("LINKEDIN_ACCESS_TOKEN has a character")
    assert token not in sentence


def test_wrong_types_are_named_with_their_setting() -> None:
    found = sentences(accounts="123", client_id=5, retry_attempts=0)
    assert [each.partition(":")[0] for each in found] == [
        "settings.accounts",
        "settings.client_id",
        "settings.retry_attempts",
    ]
