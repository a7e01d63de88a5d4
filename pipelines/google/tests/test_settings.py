"""Settings and credentials: checked at once, named by key, the environment before the file."""

from __future__ import annotations

import json
import subprocess

import pytest

from google_pipeline.settings import (
    Settings,
    arrange_proxies,
    check,
    read_access,
    read_configuration,
    read_settings,
    wanted_accounts,
)
from wire import Invocation, Kind, PipelineError

USER = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret", "GOOGLE_REFRESH_TOKEN": "token"}


def refusal(call, *arguments):
    with pytest.raises(PipelineError) as caught:
        call(*arguments)
    assert caught.value.kind is Kind.CONFIG
    return caught.value.message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"acounts": []}, ("settings.acounts", "accounts, tables")),
        ({"lookback_days": "many"}, ("settings.lookback_days", "`int`", "`str`")),
        ({"window_days": 0}, ("settings.window_days", ">= 1")),
        ({"request_timeout": -1}, ("settings.request_timeout",)),
        ({"api_version": "26"}, ("settings.api_version",)),
        ({"tables": "campaign"}, ("settings.tables", "array")),
    ],
)
def test_a_wrong_setting_is_named(given, words):
    message = refusal(read_settings, given)
    for word in words:
        assert word in message


def test_the_defaults_are_the_documented_ones():
    settings = read_settings({})
    assert (settings.lookback_days, settings.window_days, settings.api_version) == (30, 7, "v26")
    assert (settings.backoff.attempts, settings.backoff.first) == (5, 2.0)


def test_accounts_may_have_dashes_and_the_environment_wins():
    settings = read_settings({"accounts": ["123-456-7890", 1234567890, "2222222222"]})
    assert wanted_accounts(settings, {}) == ("1234567890", "2222222222")
    assert wanted_accounts(settings, {"GOOGLE_CUSTOMER_IDS": "333-333-3333,"}) == ("3333333333",)


def test_a_wrong_account_is_quoted():
    assert "'12'" in refusal(wanted_accounts, Settings(accounts=("12",)), {})


def test_credentials_may_come_from_settings_and_the_environment_wins():
    settings = read_settings({"client_id": "a", "client_secret": "b", "refresh_token": "c"})
    access = read_access(settings, {"GOOGLE_REFRESH_TOKEN": "d", "GOOGLE_MANAGER_CUSTOMER_ID": "947-409-7201"})
    assert (access.client_id, access.client_secret, access.refresh_token) == ("a", "b", "d")
    assert (access.manager_customer_id, access.developer_token) == ("9474097201", None)
    assert access.endpoint == "googleads.googleapis.com"
    assert access.token_uri == "https://oauth2.googleapis.com/token"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GOOGLE_ADS_ENDPOINT", "googleads.example.com"),
        ("GOOGLE_ADS_ENDPOINT", "notgoogleapis.com:443"),
        ("GOOGLE_TOKEN_URI", "https://googleapis.com.example/token"),
    ],
)
def test_a_foreign_endpoint_is_refused_unless_allowed(variable, value):
    environment = {**USER, variable: value}
    assert variable in refusal(read_access, Settings(), environment)
    read_access(Settings(), {**environment, "ALLOW_INSECURE_ENDPOINTS": "true"})


def test_a_google_host_is_welcome():
    access = read_access(Settings(), {**USER, "GOOGLE_ADS_ENDPOINT": "https://googleads.mtls.googleapis.com"})
    assert access.endpoint == "googleads.mtls.googleapis.com"


def test_the_proxy_of_the_yaml_is_used(tmp_path):
    path = tmp_path / "google-ads.yaml"
    path.write_text('{"http_proxy": "http://proxy:3128"}')
    pytest.importorskip("yaml")
    environment: dict[str, str] = {}
    arrange_proxies(read_access(Settings(), {**USER, "GOOGLE_CONFIG_FILE": str(path)}), environment)
    assert environment == {"https_proxy": "http://proxy:3128"}


def test_only_a_loopback_endpoint_changes_the_proxies():
    environment = {"no_proxy": "corp.example", "https_proxy": "http://proxy:3128"}
    arrange_proxies(read_access(Settings(), USER), environment)
    assert environment == {"no_proxy": "corp.example", "https_proxy": "http://proxy:3128"}
    local = read_access(Settings(), {**USER, "GOOGLE_ADS_ENDPOINT": "localhost:1234"})
    arrange_proxies(local, environment)
    assert environment["no_grpc_proxy"] == environment["no_proxy"] == "corp.example,localhost,127.0.0.1"


def asked(settings, environment):
    """What a check finds, as its sentences."""
    nothing = {"state": {}, "selected": None, "discover": False, "check": True, "since": None, "until": None}
    return [error.message for error in check(Invocation(settings=settings, **nothing), environment)]


def test_a_check_finds_everything_at_once():
    settings = {"acounts": [], "window_days": 0, "api_version": "v19", "accounts": ["12", 1234567890, "x"]}
    environment = {
        "GOOGLE_CLIENT_ID": "id",
        "GOOGLE_CLIENT_SECRET": "sec ret",
        "GOOGLE_MANAGER_CUSTOMER_ID": "77",
        "GOOGLE_ADS_ENDPOINT": "evil.example",
    }
    found = asked(settings, environment)
    words = (
        "settings.acounts: there is no such setting; did you mean 'accounts'?",
        "settings.window_days: expected `int` >= 1",
        "settings.api_version: this pipeline does not speak v19, but v23, v24, v25, v26",
        "settings.accounts: '12' is not a customer id",
        "settings.accounts: 'x' is not a customer id",
        "GOOGLE_ADS_ENDPOINT points to https://evil.example",
        "GOOGLE_MANAGER_CUSTOMER_ID: '77' is not a customer id",
        "set GOOGLE_CONFIG_FILE to a google-ads.yaml, or set GOOGLE_REFRESH_TOKEN",
        "GOOGLE_CLIENT_SECRET: there is a blank or a line break in it",
    )
    assert [any(word in sentence for sentence in found) for word in words] == [True] * len(words)
    assert len(found) == len(words)
    assert "sec ret" not in " ".join(found)


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        ({}, {}),
        ({"lookback_days": "many", "tables": 7}, USER),
        ({"accounts": ["1"]}, USER),
        ({"api_version": "v99"}, USER),
        ({}, {**USER, "GOOGLE_TOKEN_URI": "http://example.com"}),
        ({}, {**USER, "GOOGLE_CUSTOMER_IDS": "1,2"}),
        ({}, {**USER, "GOOGLE_CONFIG_FILE": "/nowhere/google-ads.yaml"}),
        ({}, USER),
    ],
)
def test_a_run_refuses_what_a_check_finds_and_nothing_else(settings, environment):
    """They read through the same functions."""
    pytest.importorskip("yaml")
    found = asked(settings, environment)
    if found:
        assert refusal(read_configuration, settings, environment) == "; ".join(found)
    else:
        assert read_configuration(settings, environment).accounts == ()


KEY = {
    "type": "service_account",
    "client_email": "a@b",
    "private_key": "p",
    "token_uri": "https://oauth2.googleapis.com/t",
}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "no JSON"),
        (json.dumps({**KEY, "private_key": ""}), "no private_key"),
        (json.dumps({"installed": {"client_id": "x"}}), "no type, client_email, private_key, token_uri"),
        (json.dumps({**KEY, "type": "authorized_user"}), "something else than a service account"),
        (json.dumps({**KEY, "token_uri": "https://evil.example/t"}), "evil.example"),
    ],
)
def test_a_key_file_is_looked_into_by_a_check(tmp_path, content, words):
    pytest.importorskip("yaml")
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    file = tmp_path / "google-ads.yaml"
    file.write_text(f"json_key_file_path: {path}\n")
    (found,) = asked({}, {"GOOGLE_CONFIG_FILE": str(file)})
    assert words in found


def test_a_check_of_the_command_needs_no_network_and_says_the_version(pipeline, tmp_path):
    (tmp_path / "config.json").write_text('{"api_version": "v23", "acounts": []}')
    for now, warned in (("2026-10-31T00:00:00Z", False), ("2026-11-22T00:00:00Z", True)):
        told = subprocess.run(
            [pipeline, "--check", "--config", tmp_path / "config.json"],
            env={"PIPELINE_NOW": now, **USER},
            capture_output=True,
            check=False,
            timeout=120,
        )
        line = json.loads(told.stdout)
        assert (told.returncode, line["type"]) == (78, "CHECK")
        assert len(line["errors"]) == 1
        assert line["api"]["version"] == "v23"
        assert [("ends on 2027-02-01" in warning) for warning in line["warnings"]] == [True] * warned
