"""One platform sees its own variables and nobody else's; secrets stay out of the log in every spelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.credentials import (
    ALWAYS_VISIBLE,
    BUILT_IN,
    SINK_VARIABLES,
    missing_credentials,
    secret_values,
    value_of,
    visible_environment,
)
from supervisor.config.errors import ConfigError
from supervisor.config.redaction import redact

EVERYTHING = {
    name: f"value of {name}"
    for name in (*ALWAYS_VISIBLE, *SINK_VARIABLES, *(name for own in BUILT_IN.values() for name in own.names))
}


@pytest.mark.parametrize("platform", [*BUILT_IN, "mine"])
def test_a_platform_sees_its_own_variables_and_those_that_any_program_needs(platform: str) -> None:
    own = BUILT_IN[platform].names if platform in BUILT_IN else ()
    assert set(visible_environment(platform, (), EVERYTHING)) == {*ALWAYS_VISIBLE, *own}


def test_locale_variables_are_visible_and_unknown_ones_are_not() -> None:
    seen = visible_environment("mine", (), {"LC_ALL": "C.UTF-8", "LC_TIME": "de_DE", "AWS_SECRET_ACCESS_KEY": "x"})
    assert seen == {"LC_ALL": "C.UTF-8", "LC_TIME": "de_DE"}


def test_pass_environment_adds_what_it_names() -> None:
    seen = visible_environment("mine", ("MY_TOKEN", "UNSET"), {"MY_TOKEN": "t", "OTHER": "o"})
    assert seen == {"MY_TOKEN": "t"}


def test_a_mounted_secret_arrives_under_the_plain_name(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("from the file\r\n")
    environ = {"FACEBOOK_ACCESS_TOKEN_FILE": str(secret), "MY_TOKEN_FILE": str(secret)}
    assert visible_environment("facebook", ("MY_TOKEN",), environ) == {
        "FACEBOOK_ACCESS_TOKEN": "from the file",
        "MY_TOKEN": "from the file",
    }


def test_the_variable_itself_wins_over_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("from the file")
    environ = {"FACEBOOK_ACCESS_TOKEN": "direct", "FACEBOOK_ACCESS_TOKEN_FILE": str(secret)}
    assert value_of("FACEBOOK_ACCESS_TOKEN", environ) == "direct"
    assert value_of("FACEBOOK_ACCESS_TOKEN", {**environ, "FACEBOOK_ACCESS_TOKEN": ""}) == "from the file"


def test_all_unreadable_secrets_are_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    environ = {"FACEBOOK_ACCESS_TOKEN_FILE": "/nowhere", "FACEBOOK_APP_SECRET_FILE": str(binary)}
    with pytest.raises(ConfigError) as caught:
        visible_environment("facebook", (), environ)
    assert set(caught.value.findings) == {
        "FACEBOOK_ACCESS_TOKEN_FILE names /nowhere, which cannot be read: No such file or directory",
        f"FACEBOOK_APP_SECRET_FILE names {binary}, which cannot be read: it is not text",
    }


@pytest.mark.parametrize("platform", BUILT_IN)
def test_each_alternative_of_credentials_is_enough(platform: str) -> None:
    for names in BUILT_IN[platform].required:
        assert missing_credentials(platform, dict.fromkeys(names, "x")) is None
        for name in names:
            rest = {other: "x" for other in names if other != name}
            assert name in (missing_credentials(platform, rest) or "")


def test_missing_credentials_are_one_sentence() -> None:
    assert missing_credentials("linkedin", {}) == (
        "platform 'linkedin' has no credentials: set LINKEDIN_ACCESS_TOKEN, or "
        "LINKEDIN_REFRESH_TOKEN, LINKEDIN_CLIENT_ID and LINKEDIN_CLIENT_SECRET; none is set"
    )
    assert missing_credentials("facebook", {"FACEBOOK_APP_ID": "1"}) == (
        "platform 'facebook' has no credentials: set FACEBOOK_ACCESS_TOKEN, FACEBOOK_APP_ID and FACEBOOK_APP_SECRET; "
        "FACEBOOK_ACCESS_TOKEN and FACEBOOK_APP_SECRET are not set"
    )
    assert missing_credentials("mine", {}) is None


def test_credentials_may_stand_in_the_settings() -> None:
    assert missing_credentials("linkedin", {}, {"access_token": "x"}) is None
    assert missing_credentials("linkedin", {}, {"access_token": ""}) is not None


def test_an_unreadable_secret_is_a_missing_credential() -> None:
    assert missing_credentials("linkedin", {"LINKEDIN_ACCESS_TOKEN_FILE": "/nowhere"}) == (
        "platform 'linkedin': LINKEDIN_ACCESS_TOKEN_FILE names /nowhere, which cannot be read: "
        "No such file or directory"
    )


def test_secrets_are_redacted_wherever_they_come_from(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("out-of-a-file\n")
    google = tmp_path / "google-ads.yaml"
    google.write_text("developer_token: dev-token-1\nclient_secret: 'quoted-secret'\nlogin_customer_id: 1234567890\n")
    store = tmp_path / "tokens.json"
    store.write_text('{"refresh_token": "rotated-token", "client_id": "public-id"}')
    environ = {
        "MICROSOFT_TOKEN_STORE": str(store),
        "LINKEDIN_ACCESS_TOKEN": "token/with+signs=",
        "VERTICA_PASSWORD_FILE": str(secret),
        "AZURE_STORAGE_CONNECTION_STRING": "AccountName=me;AccountKey=azure-key==;EndpointSuffix=x",
        "HTTPS_PROXY": "http://user:proxy-password@proxy:3128",
        "GOOGLE_CONFIG_FILE": str(google),
        "MY_TOKEN": "my-own-token",
        "FACEBOOK_APP_ID": "not-secret",
    }
    secrets = secret_values(environ, names=("MY_TOKEN",), settings=({"access_token": "in-settings", "tables": []},))
    log = (
        "token/with+signs= token%2Fwith%2Bsigns%3D token/with%2Bsigns%3D out-of-a-file azure-key== proxy-password "
        "dev-token-1 quoted-secret my-own-token in-settings rotated-token"
    )
    assert redact(log, secrets) == " ".join(["[redacted]"] * 11)
    assert redact("not-secret 1234567890 public-id", secrets) == "not-secret 1234567890 public-id"


def test_short_values_are_not_redacted() -> None:
    assert secret_values({"VERTICA_PASSWORD": "a"}) == frozenset()
    assert redact("a cat", frozenset()) == "a cat"


def test_unreadable_files_hide_nothing_and_break_nothing() -> None:
    assert secret_values({"GOOGLE_CONFIG_FILE": "/nowhere", "VERTICA_PASSWORD_FILE": "/nowhere"}) == frozenset()


@given(st.sets(st.text("abc.*", min_size=6, max_size=9), min_size=1, max_size=5), st.text("abc.* ", max_size=60))
def test_no_secret_survives_and_the_longest_goes_first(values: set[str], text: str) -> None:
    secrets = frozenset(values)
    assert not any(value in part for part in redact(text, secrets).split("[redacted]") for value in values)
    for value in values:
        inner = redact(f"<{value}>", secrets)
        assert inner.startswith("<[redacted]")
