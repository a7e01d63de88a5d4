"""What is refused before anything is asked of Microsoft, by a sentence that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from microsoft_pipeline.settings import problems, read_settings
from wire import Kind, PipelineError

SECRETS = {
    "MICROSOFT_CLIENT_ID": "id",
    "MICROSOFT_CLIENT_SECRET": "secret",
    "MICROSOFT_DEVELOPER_TOKEN": "developer",
    "MICROSOFT_REFRESH_TOKEN": "refresh",
}


def refused(given: dict[str, Any], environment: dict[str, str]) -> str:
    with pytest.raises(PipelineError) as caught:
        read_settings(given, environment)
    assert caught.value.kind is Kind.CONFIG
    return caught.value.message


def test_all_missing_secrets_are_named_at_once() -> None:
    assert refused({}, {"MICROSOFT_CLIENT_ID": "id"}) == (
        "missing in the environment: MICROSOFT_CLIENT_SECRET, MICROSOFT_DEVELOPER_TOKEN, MICROSOFT_REFRESH_TOKEN"
    )


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    given = {"look_back": 3, "window_days": "many", "accounts": ["F1199"]}
    environment = SECRETS | {"MICROSOFT_DEVELOPER_TOKEN": "two words", "MICROSOFT_CLIENT_ID": ""}
    found = [error.message for error in problems(given, environment)]
    for words in ("settings.look_back", "settings.window_days", "'F1199'", "MICROSOFT_CLIENT_ID", "white space"):
        assert any(words in each for each in found), words
    assert refused(given, environment) == "; ".join(found)
    others = {"window_days": 0, "transport": "grpc", "api_url": "http://ads.example"}
    found = [error.message for error in problems(others, {})]
    for words in ("settings.window_days", "settings.transport", "MICROSOFT_API_URL", "MICROSOFT_REFRESH_TOKEN"):
        assert any(words in each for each in found), words


@pytest.mark.parametrize("place", ["broken", "file/below", "."])
def test_a_token_store_that_cannot_work_is_named_without_touching_it(tmp_path: Path, place: str) -> None:
    (tmp_path / "broken").write_text("{")
    (tmp_path / "file").write_text("")
    before = sorted(each.name for each in tmp_path.iterdir())
    (error,) = problems({"token_store": str(tmp_path / place)}, SECRETS)
    assert error.kind is Kind.CONFIG
    assert str(tmp_path) in error.message
    assert sorted(each.name for each in tmp_path.iterdir()) == before


def test_a_good_configuration_has_no_problems(tmp_path: Path) -> None:
    assert list(problems({"token_store": str(tmp_path / "deep" / "token")}, SECRETS)) == []
    assert not (tmp_path / "deep").exists()


def test_the_environment_wins_over_the_settings() -> None:
    settings = read_settings({"client_id": "from file", "tenant_id": "contoso"}, SECRETS)
    assert (settings.client_id, settings.tenant_id) == ("id", "contoso")
    assert settings.token_url == "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
    assert settings.api_url == ""


def test_secrets_may_come_from_the_settings() -> None:
    given = {name.removeprefix("MICROSOFT_").lower(): value for name, value in SECRETS.items()}
    assert read_settings(given, {}).refresh_token == "refresh"


def test_accounts_come_from_either_place() -> None:
    assert read_settings({"accounts": [7, "8"]}, SECRETS).accounts == ("7", "8")
    assert read_settings({"accounts": ["7"]}, SECRETS | {"MICROSOFT_ACCOUNT_IDS": "1, 2,"}).accounts == ("1", "2")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"look_back": 3}, "settings.look_back: there is no such setting; did you mean 'lookback_days'?"),
        ({"window_days": 0}, "settings.window_days: expected more than 0, got 0"),
        ({"lookback_days": -1}, "settings.lookback_days: expected 0 or more, got -1"),
        ({"window_days": "many"}, "settings.window_days: expected `int`, got `str`"),
        ({"accounts": "12"}, "settings.accounts: expected a list of account ids, got '12'"),
        ({"accounts": ["F1199"]}, "settings.accounts: 'F1199' is no account id"),
        ({"transport": "grpc"}, "settings.transport: expected rest or soap, got 'grpc'"),
        ({"api_version": "v14"}, "settings.api_version: only v13 is supported, got 'v14'"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, Any], words: str) -> None:
    assert refused(given, SECRETS).startswith(words)


@pytest.mark.parametrize("variable", ["MICROSOFT_API_URL", "MICROSOFT_TOKEN_URL"])
@pytest.mark.parametrize("url", ["https://api.example", "http://login.microsoftonline.com", "http://10.0.0.1/"])
def test_tokens_go_to_microsoft_only(variable: str, url: str) -> None:
    assert refused({}, SECRETS | {variable: url}).startswith(f"{variable} points to ")


def test_a_test_host_can_be_allowed_and_a_vendor_host_is() -> None:
    allowed = SECRETS | {"MICROSOFT_API_URL": "http://10.0.0.1/", "ALLOW_INSECURE_ENDPOINTS": "true"}
    assert read_settings({}, allowed).api_url == "http://10.0.0.1"
    vendor = SECRETS | {"MICROSOFT_API_URL": "https://sandbox.bingads.microsoft.com"}
    assert read_settings({}, vendor).api_url == "https://sandbox.bingads.microsoft.com"


def test_a_user_without_a_home_is_told_to_name_a_path() -> None:
    settings = read_settings({"token_store": "~nobody-of-that-name/token"}, SECRETS)
    with pytest.raises(PipelineError, match=r"MICROSOFT_TOKEN_STORE: .* name a full path"):
        _ = settings.store_path
