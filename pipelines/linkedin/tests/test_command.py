"""The command line, the settings and the environment."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from linkedin_pipeline.tables import TABLES
from wire import Kind

SECRETS = ("LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET", "LINKEDIN_ACCESS_TOKEN", "LINKEDIN_REFRESH_TOKEN")
NOTHING = dict.fromkeys(SECRETS)


def only_error(run: Any) -> Any:
    assert len(run.errors) == 1
    assert run.errors[0].message in run.log
    return run.errors[0]


def test_all_missing_variables_are_named_at_once(sandbox: Any) -> None:
    run = sandbox.run(environment=NOTHING)
    error = only_error(run)
    assert (run.status, error.kind) == (78, Kind.CONFIG)
    assert all(name in error.message for name in SECRETS)
    assert "or LINKEDIN_ACCESS_TOKEN alone" in error.message


def test_half_of_the_refresh_credentials_is_not_enough(sandbox: Any) -> None:
    run = sandbox.run(environment={"LINKEDIN_ACCESS_TOKEN": None, "LINKEDIN_CLIENT_SECRET": ""})
    missing = only_error(run).message.partition(".")[0]
    assert run.status == 78
    assert "LINKEDIN_CLIENT_SECRET" in missing
    assert "LINKEDIN_CLIENT_ID" not in missing


def test_secrets_may_come_from_the_settings_and_the_environment_wins(sandbox: Any) -> None:
    given = {name.removeprefix("LINKEDIN_").lower(): sandbox.environment[name] for name in SECRETS}
    assert sandbox.run(environment=NOTHING, tables=["account"], **given).status == 0
    wrong = {"client_secret": "not-the-one"}
    assert sandbox.run(tables=["account"], **wrong).status == 0
    assert sandbox.run(tables=["account"], environment={"LINKEDIN_CLIENT_SECRET": None}, **wrong).status == 77


def test_an_unknown_setting_is_named_with_the_known_ones(sandbox: Any) -> None:
    run = sandbox.run(lookback=3)
    error = only_error(run)
    assert (run.status, error.kind) == (78, Kind.CONFIG)
    assert error.message.startswith("settings.lookback: there is no such setting; did you mean 'lookback_days'?")


@pytest.mark.parametrize(
    ("setting", "value"), [("lookback_days", "many"), ("window_days", 0), ("request_timeout", -1), ("accounts", 5)]
)
def test_a_wrong_value_names_its_setting(sandbox: Any, setting: str, value: object) -> None:
    run = sandbox.run(**{setting: value})
    assert run.status == 78
    assert only_error(run).message.startswith(f"settings.{setting}: expected")


def test_an_unknown_table_is_named_with_the_known_ones(sandbox: Any) -> None:
    run = sandbox.run(tables=["creative_hourly"])
    assert run.status == 78
    assert "'creative_hourly'" in only_error(run).message
    assert "creative_daily" in only_error(run).message


def test_an_account_that_is_not_there_is_an_error_and_the_others_are_loaded(sandbox: Any) -> None:
    there = sandbox.world.accounts("linkedin")[0].id
    run = sandbox.run(accounts=["123", f"urn:li:sponsoredAccount:{there}"], tables=["account"])
    assert run.status == 78
    assert only_error(run).account_id == "123"
    assert [row["account_id"] for row in run.store().rows["account"]] == [there]


def test_the_variable_limits_the_accounts_whatever_the_settings_say(sandbox: Any) -> None:
    chosen = [account.id for account in sandbox.world.accounts("linkedin")[:2]]
    variable = {"LINKEDIN_AD_ACCOUNT_IDS": ", ".join(chosen)}
    run = sandbox.run(environment=variable, accounts=["123"], tables=["account"])
    assert [row["account_id"] for row in run.store().rows["account"]] == chosen


def test_discover_prints_the_catalog_and_needs_no_credentials(sandbox: Any) -> None:
    run = sandbox.run("--discover", environment=NOTHING)
    assert run.status == 0
    streams = {stream["tap_stream_id"]: stream["key_properties"] for stream in json.loads(run.output)["streams"]}
    assert streams == {table.name: list(table.key) for table in TABLES}


def test_a_foreign_endpoint_is_refused_before_a_token_goes_there(sandbox: Any) -> None:
    for variable in ("LINKEDIN_API_URL", "LINKEDIN_TOKEN_URL"):
        run = sandbox.run(environment={variable: "http://api.linkedin.example.org/rest"})
        assert run.status == 78
        assert variable in only_error(run).message


def test_a_version_that_was_switched_off_names_the_setting(sandbox: Any) -> None:
    run = sandbox.run(api_version=202501)
    error = only_error(run)
    assert (run.status, error.kind) == (78, Kind.CONFIG)
    assert "202501" in error.message
    assert "api_version" in error.message


def test_a_refresh_token_about_to_end_is_announced(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_REFRESH_DAYS": "12"}) as sandbox:
        assert "the refresh token ends in 12 days" in sandbox.run(tables=["account"]).log
    with start(environment={"SANDBOX_LINKEDIN_REFRESH_DAYS": "31"}) as sandbox:
        assert "the refresh token ends" not in sandbox.run(tables=["account"]).log


def test_this_machine_is_reached_past_any_proxy(sandbox: Any) -> None:
    proxies = {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }
    assert sandbox.run(tables=["account"], environment=proxies).status == 0


def test_a_redirect_is_not_followed_with_a_token(sandbox: Any) -> None:
    seen: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path.partition("?")[0])
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            runs = [sandbox.run(environment={name: base}) for name in ("LINKEDIN_API_URL", "LINKEDIN_TOKEN_URL")]
        finally:
            server.shutdown()
            thread.join()
    assert [run.status for run in runs] == [78, 78]
    assert seen == ["/adAccounts", "/"]
