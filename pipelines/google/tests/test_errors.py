"""Each failure at Google becomes the kind that names its remedy, and a sentence without secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from google_pipeline.errors import (
    REFUSED,
    RULES,
    AccessTokenError,
    AccountClosedError,
    Finding,
    LoginRateError,
    classified,
    exhausts_login,
)
from wire import Kind

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/tables/google.md"
WHAT = "campaign_daily, 2026-11-16..2026-11-22"


@pytest.mark.parametrize(
    ("finding", "kind", "account"),
    [
        (Finding("UNAVAILABLE", text="Connection reset by peer"), Kind.TRANSIENT, "1234567890"),
        (Finding("INTERNAL", "internal_error", "TRANSIENT_ERROR"), Kind.TRANSIENT, "1234567890"),
        (Finding("DEADLINE_EXCEEDED"), Kind.TRANSIENT, "1234567890"),
        (Finding("RESOURCE_EXHAUSTED", "quota_error", "RESOURCE_TEMPORARILY_EXHAUSTED"), Kind.RATE_LIMIT, "1234567890"),
        (Finding("RESOURCE_EXHAUSTED", "quota_error", "RESOURCE_EXHAUSTED"), Kind.QUOTA, "1234567890"),
        (Finding("RESOURCE_EXHAUSTED", text="Quota exceeded"), Kind.RATE_LIMIT, "1234567890"),
        (Finding("PERMISSION_DENIED", "authorization_error", "USER_PERMISSION_DENIED"), Kind.CONFIG, "1234567890"),
        (
            Finding("PERMISSION_DENIED", "authorization_error", "DEVELOPER_TOKEN_NOT_APPROVED"),
            Kind.CONFIG,
            "1234567890",
        ),
        (Finding("PERMISSION_DENIED", "authorization_error", "DEVELOPER_TOKEN_PROHIBITED"), Kind.CONFIG, None),
        (Finding("PERMISSION_DENIED", "authorization_error", "PROJECT_DISABLED"), Kind.CONFIG, None),
        (Finding("UNAUTHENTICATED", "authentication_error", "NOT_ADS_USER"), Kind.AUTH, None),
        (Finding("UNAUTHENTICATED", "authentication_error", "CUSTOMER_NOT_FOUND"), Kind.CONFIG, "1234567890"),
        (Finding("INVALID_ARGUMENT", "query_error", "UNRECOGNIZED_FIELD"), Kind.CONFIG, "1234567890"),
        (Finding("INVALID_ARGUMENT", "request_error", "RPC_DEADLINE_TOO_SHORT"), Kind.CONFIG, None),
        (Finding("UNIMPLEMENTED"), Kind.CONFIG, None),
        (Finding("INVALID_ARGUMENT", "range_error", "TOO_HIGH"), Kind.DATA, "1234567890"),
        (Finding("PERMISSION_DENIED", "authorization_error", "9999"), Kind.CONFIG, "1234567890"),
        (Finding("UNAUTHENTICATED", "authentication_error", "9999"), Kind.DATA, "1234567890"),
        (Finding("UNAUTHENTICATED", "error_code[888]", "7"), Kind.DATA, "1234567890"),
        (Finding("UNAVAILABLE", "error_code[888]", "7"), Kind.TRANSIENT, "1234567890"),
        (
            Finding("UNAUTHENTICATED", "authentication_error", "TWO_STEP_VERIFICATION_NOT_ENROLLED"),
            Kind.AUTH,
            "1234567890",
        ),
        (
            Finding("RESOURCE_EXHAUSTED", "quota_error", "RESOURCE_EXHAUSTED", retry_delay=30.0),
            Kind.RATE_LIMIT,
            "1234567890",
        ),
    ],
)
def test_a_finding_has_one_kind_and_stops_what_it_must(finding, kind, account):
    error = classified(finding, WHAT, "1234567890")
    assert (error.kind, error.account_id) == (kind, account)
    assert error.message.startswith(WHAT)
    assert not isinstance(error, (AccessTokenError, AccountClosedError))


@pytest.mark.parametrize("code", ["", "AUTHENTICATION_ERROR", "OAUTH_TOKEN_EXPIRED", "OAUTH_TOKEN_INVALID"])
def test_a_stale_access_token_may_be_renewed(code):
    family = "authentication_error" if code else ""
    assert isinstance(classified(Finding("UNAUTHENTICATED", family, code), WHAT, "1"), AccessTokenError)


def test_an_account_that_is_not_enabled_is_no_failure_of_access():
    finding = Finding("PERMISSION_DENIED", "authorization_error", "CUSTOMER_NOT_ENABLED")
    assert isinstance(classified(finding, WHAT, "1"), AccountClosedError)


def test_google_says_how_long_to_wait():
    finding = Finding("RESOURCE_EXHAUSTED", "quota_error", "RESOURCE_EXHAUSTED", retry_delay=3600.0)
    assert classified(finding, WHAT).retry_after == 3600


def test_googles_words_are_one_short_line_without_tokens():
    text = "Bad\n  token ya29.a0-b_c.D and 1//refresh-it with Bearer abc.def " + "x" * 1000
    message = classified(Finding("UNKNOWN", text=text, request_id="abc123"), WHAT).message
    for secret in ("a0-b_c", "refresh-it", "abc.def", "\n"):
        assert secret not in message
    assert len(message) < 500
    assert "request id abc123" in message


@pytest.mark.parametrize(
    ("code", "delay", "scope", "stops"),
    [
        ("RESOURCE_EXHAUSTED", 3600.0, "DEVELOPER", True),
        ("RESOURCE_EXHAUSTED", None, "", True),
        ("RESOURCE_EXHAUSTED", 3600.0, "ACCOUNT", False),
        ("RESOURCE_EXHAUSTED", 30.0, "DEVELOPER", False),
        ("EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", 3600.0, "", False),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", 3600.0, "DEVELOPER", True),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", 3600.0, "ACCOUNT", False),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", 30.0, "DEVELOPER", False),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", None, "DEVELOPER", False),
    ],
)
def test_only_the_logins_used_up_quota_keeps_the_others_from_being_asked(code, delay, scope, stops):
    finding = Finding("RESOURCE_EXHAUSTED", "quota_error", code, retry_delay=delay, rate_scope=scope)
    assert exhausts_login(finding) is stops


@pytest.mark.parametrize(
    ("scope", "delay", "text", "wait", "login"),
    [
        ("DEVELOPER", 7.0, "Too many requests. Retry in 30 seconds.", 7.0, True),
        ("ACCOUNT", None, "Too many requests. Retry in 30 seconds.", 30.0, False),
        ("", None, "Too many requests.", None, False),
    ],
)
def test_a_limited_rate_says_whose_it_is_and_how_long_to_wait(scope, delay, text, wait, login):
    finding = Finding(
        "RESOURCE_EXHAUSTED", "quota_error", "RESOURCE_TEMPORARILY_EXHAUSTED", text, delay, rate_scope=scope
    )
    error = classified(finding, WHAT, "1234567890")
    assert (error.kind, error.retry_after, isinstance(error, LoginRateError)) == (Kind.RATE_LIMIT, wait, login)


def test_every_code_about_access_and_quota_that_any_version_has_is_decided(python):
    """A code that the SDK of tomorrow brings is decided here before it strikes at night."""
    families = ("authentication_error", "authorization_error", "quota_error", "internal_error")
    script = (
        "import importlib, sys\n"
        "for version in ('v23', 'v24', 'v25', 'v26'):\n"
        "    for family in sys.argv[1:]:\n"
        "        module = importlib.import_module(f'google.ads.googleads.{version}.errors.types.{family}')\n"
        "        name = family.title().replace('_', '')\n"
        "        for code in getattr(getattr(module, name + 'Enum'), name):\n"
        "            print(f'{family}.{code.name}')\n"
    )
    listed = subprocess.run([python, "-c", script, *families], capture_output=True, text=True, check=True, timeout=120)
    codes = {code for code in listed.stdout.split() if not code.endswith((".UNSPECIFIED", ".UNKNOWN"))}
    assert len(codes) >= 50
    assert codes <= set(RULES)


def test_the_document_says_what_the_table_says():
    rows = re.findall(
        r"^\| `([\w.*]+)` \| (\w+) \| (\w+) \| (.+?) \| (.+?) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE
    )
    expected = [(code, rule.kind.value, rule.scope.value, rule.means, rule.remedy) for code, rule in RULES.items()]
    assert rows[: len(expected)] == expected
    assert f"| anything else | {REFUSED.kind} | {REFUSED.scope} |" in DOCUMENT.read_text("utf-8")


def test_a_family_that_is_listed_has_its_codes_before_it():
    """The first row that fits is the one that holds, for a reader too."""
    seen: set[str] = set()
    for code in RULES:
        family = code.split(".")[0]
        assert family not in seen, f"{code} comes after {family}.*"
        if code.endswith(".*"):
            seen.add(family)
