"""Secrets of any shape are found in every spelling that has a name, quickly, and nothing can steer a terminal."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from supervisor.config.credentials import secret_values
from supervisor.config.redaction import harmless, harmless_json, redact, secrets_within

SECRET = 'p/ss+wörd="quoted"\\&<x>~'
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n"


def basic(user: str) -> str:
    return base64.b64encode(f"{user}:{SECRET}".encode()).decode()


@pytest.mark.parametrize("shown", [
    SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), quote(SECRET, safe="").lower(),
    json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1], json.dumps(json.dumps(SECRET))[3:-3],
    repr(SECRET)[1:-1], html.escape(SECRET), SECRET.encode().hex(), SECRET.encode().hex().upper(),
    base64.b64encode(SECRET.encode()).decode(), base64.urlsafe_b64encode(SECRET.encode()).decode(),
], ids=range(14))  # fmt: skip
def test_every_spelling_is_found(shown: str) -> None:
    secrets = secret_values({"VERTICA_PASSWORD": SECRET})
    left = redact(f"before {shown} after", secrets)
    assert left.startswith("before [redacted]")
    assert left.removeprefix("before [redacted]").replace(" after", "") in {"", "=", "=="} or len(left) < 28, left


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "somebody"])
def test_basic_authorization_is_found_with_any_user(user: str) -> None:
    left = redact(f"Authorization: Basic {basic(user)}", secret_values({"VERTICA_PASSWORD": SECRET}))
    assert "[redacted]" in left
    shown = left.removeprefix("Authorization: Basic ").split("[redacted]")
    assert sum(map(len, shown)) <= len(base64.b64encode(f"{user}:".encode())) + 4  # the user, and no more


@pytest.mark.parametrize("settings", [
    {"private_key": "the-secret-value"},
    {"headers": {"Authorization": "Bearer the-secret-value"}},
    {"headers": [{"authorization": "the-secret-value"}]},
    {"auth": {"credentials": {"anything": ["x", {"deep": "the-secret-value"}]}}},
    {"accounts": [{"id": 1, "apiKey": "the-secret-value"}]},
    {"service_account": json.dumps({"client_email": "me", "private_key": "the-secret-value"})},
    {"refresh_tokens": ["the-secret-value"]},
    {"Session-Cookie": "the-secret-value"},
    {"authorization": "Basic " + base64.b64encode(b"me:the-secret-value").decode()},
], ids=range(9))  # fmt: skip
def test_a_secret_in_settings_is_found_wherever_it_stands(settings: dict[str, object]) -> None:
    assert redact("<the-secret-value>", secret_values({}, settings=(settings,))) == "<[redacted]>"


def test_what_no_key_hints_at_is_no_secret() -> None:
    settings = {
        "start_date": "2026-01-01",
        "token_url": "https://example.com",
        "primary_key": "campaign_id",
        "n": 123456,
    }
    assert list(secrets_within(settings)) == []


def test_a_number_may_be_a_secret() -> None:
    assert redact("pin 12345678", secret_values({}, settings=({"passcode": 12345678},))) == "pin [redacted]"


@pytest.mark.parametrize("shown", [KEY, KEY.replace("\n", "\\n"), *KEY.splitlines()[1:3], KEY.replace("\n", "\r\n")])
def test_a_key_of_many_lines_is_found_line_by_line(shown: str) -> None:
    left = redact(shown, secret_values({"MY_KEY": KEY}, names=("MY_KEY",)))
    assert "MIIEvQ" not in left and "EFAASC" not in left
    assert redact("-----BEGIN CERTIFICATE-----", secret_values({"MY_KEY": KEY}, names=("MY_KEY",))).startswith("-----")


def test_settings_that_contain_themselves_end() -> None:
    circle: dict[str, object] = {"token": "the-secret-value"}
    circle["self"] = circle
    assert set(secrets_within(circle)) == {"the-secret-value"}


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert harmless("a\x1b[31mred\r\x07\x9b2J\u2028\x85b\ttab\nline") == (
        "a\\x1b[31mred\\r\\x07\\x9b2J\\u2028\\x85b\ttab\nline"
    )
    text = "C1 \x9b2J, a line \u2028 and a backslash \\x"
    line = harmless_json(json.dumps(text, ensure_ascii=False))
    assert line.isascii() and json.loads(line) == text
