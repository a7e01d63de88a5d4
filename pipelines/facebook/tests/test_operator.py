"""What an operator gets wrong: each mistake ends at once, with the name of what must be changed."""

from __future__ import annotations

import json

import pytest

from wire import Kind

QUICK = {"retry_first_wait": 0.02, "poll_interval": 0.02, "usage_pause": 0.05}


def refused(outcome, kind=Kind.CONFIG):
    assert outcome.read().status == {Kind.CONFIG: 78, Kind.AUTH: 77}[kind]
    assert [error.kind for error in outcome.errors] == [kind]
    assert outcome.errors[0].message in outcome.stderr
    return outcome.errors[0].message


def test_all_missing_credentials_are_named_at_once(run):
    message = refused(run({"FACEBOOK_APP_ID": "1"}))
    assert message == "these environment variables are not set: FACEBOOK_APP_SECRET, FACEBOOK_ACCESS_TOKEN"


def test_credentials_may_come_from_the_settings(tiny, run):
    given = {
        "app_id": tiny["FACEBOOK_APP_ID"],
        "app_secret": tiny["FACEBOOK_APP_SECRET"],
        "access_token": tiny["FACEBOOK_ACCESS_TOKEN"],
        "tables": ["account"],
    }
    outcome = run({"FACEBOOK_GRAPH_URL": tiny["FACEBOOK_GRAPH_URL"]}, config=given).read()
    assert outcome.status == 0
    assert len(outcome.rows("account")) == 5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"lookback": 3}, "settings.lookback: there is no such setting"),
        ({"lookback_days": "many"}, "settings.lookback_days: expected `int`, got `str`"),
        ({"window_days": 0}, "settings.window_days: expected `int` >= 1"),
        ({"api_version": "26"}, "settings.api_version: "),
        ({"accounts": ["shop"]}, "'shop' is no ad account id"),
        ({"tables": ["ads"]}, "settings.tables: there is no table or group 'ads'"),
        ({"start_date": "yesterday"}, "settings.start_date: expected a day"),
        ({"api_version": "v12.0"}, "set api_version to one that Facebook still serves"),
    ],
)
def test_a_wrong_setting_is_named(settings, told, tiny, run):
    assert told in refused(run(tiny, config=settings))


def test_a_wrong_app_secret_is_named(tiny, run):
    message = refused(run({**tiny, "FACEBOOK_APP_SECRET": "another-secret"}), Kind.AUTH)
    assert "FACEBOOK_APP_SECRET" in message
    assert "another-secret" not in message


def test_a_malformed_token_is_not_quoted(tiny, run):
    outcome = run({**tiny, "FACEBOOK_ACCESS_TOKEN": "not-a-token-of-ours"})
    assert "re-authenticate" in refused(outcome, Kind.AUTH)
    assert "not-a-token-of-ours" not in outcome.stderr


def test_an_unknown_account_is_an_error_that_names_it_and_the_others_are_loaded(tiny, run):
    outcome = run(tiny, config={"accounts": ["999", "act_4002469134"], "tables": ["account"]}).read()
    assert outcome.status == 78
    assert [error.account_id for error in outcome.errors] == ["999"]
    assert "no role on it" in outcome.errors[0].message
    assert [row["account_id"] for row in outcome.rows("account")] == ["4002469134"]


def test_the_environment_chooses_accounts_with_or_without_prefix(tiny, run):
    environment = {**tiny, "FACEBOOK_AD_ACCOUNT_IDS": "act_4000000077, 4000000099,"}
    outcome = run(environment, config={"tables": ["account"]}).read()
    assert [(row["account_id"], row["account_status_name"]) for row in outcome.rows("account")] == [
        ("4000000077", "ACTIVE"),
        ("4000000099", "DISABLED"),
    ]
    assert "account 4000000099 has status 2" in outcome.stderr


def test_a_foreign_endpoint_without_tls_gets_no_token(tiny, run):
    message = refused(run({**tiny, "FACEBOOK_GRAPH_URL": "http://graph.example.com"}))
    assert "FACEBOOK_GRAPH_URL" in message


def test_an_older_version_of_the_api_is_spoken_too(tiny, run):
    config = {"api_version": "v24.0", "tables": ["campaign_daily"], "accounts": ["4001234567"]}
    outcome = run(tiny, config=config).read()
    assert outcome.status == 0
    assert outcome.rows("campaign_daily")


def test_other_attribution_windows_can_be_chosen(tiny, run):
    config = {"attribution_windows": ["7d_click"], "tables": ["ad_daily_actions"], "accounts": ["4001234567"]}
    outcome = run(tiny, config=config).read()
    assert {row["attribution_window"] for row in outcome.rows("ad_daily_actions")} == {"default", "7d_click"}


def checked(run, environment, **config):
    outcome = run(environment, "--check", config=config)
    line = json.loads(outcome.stdout)
    assert outcome.status == (78 if line["errors"] else 0)
    return line


def test_a_check_names_everything_that_is_wrong_at_once(run):
    environment = {
        "FACEBOOK_APP_ID": "my app",
        "FACEBOOK_ACCESS_TOKEN": "EAA token",
        "FACEBOOK_GRAPH_URL": "http://x.example",
    }
    config = {
        "lookback": 3,
        "window_days": 0,
        "attribution_windows": ["1d_clik"],
        "accounts": ["shop"],
        "tables": ["ads"],
    }
    told = "\n".join(checked(run, environment, **config)["errors"])
    for part in (
        "settings.lookback: there is no such setting; did you mean 'lookback_days'?",
        "settings.window_days: expected `int` >= 1",
        "settings.attribution_windows: there is no window '1d_clik'",
        "'shop' is no ad account id",
        "there is no table or group 'ads'",
        "not set: FACEBOOK_APP_SECRET",
        "FACEBOOK_APP_ID holds something else than digits",
        "FACEBOOK_ACCESS_TOKEN holds blanks",
        "FACEBOOK_GRAPH_URL",
    ):
        assert part in told
    assert "EAA token" not in told


def test_a_check_needs_no_network_and_tells_the_version_and_its_end(tiny, run):
    dead = {**tiny, "FACEBOOK_GRAPH_URL": "http://127.0.0.1:9"}
    line = checked(run, dead)
    assert (line["api"]["version"], line["api"]["ends"], line["warnings"]) == ("v26.0", None, [])
    assert "ended on 2026-10-06" in checked(run, dead, api_version="v24.0")["warnings"][0]
    assert "ended on 2026-06-09" in checked(run, dead, api_version="v22.0")["warnings"][0]


def test_a_run_and_a_check_find_the_same(tiny, run):
    config = {"lookback": 3, "window_days": 0}
    message = refused(run(tiny, config=config))
    assert message == "; ".join(checked(run, tiny, **QUICK, **config)["errors"])
