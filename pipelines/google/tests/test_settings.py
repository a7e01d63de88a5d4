"""Settings and credentials: checked at once, named by key, the environment before the file."""

from __future__ import annotations

import pytest

from google_pipeline.settings import (
    Settings,
    arrange_proxies,
    read_access,
    read_settings,
    wanted_accounts,
)
from wire import Kind, PipelineError

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
