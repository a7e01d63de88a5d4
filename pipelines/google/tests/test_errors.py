"""Each failure at Google becomes the kind that names its remedy, and a sentence without secrets."""

from __future__ import annotations

import pytest

from google_pipeline.errors import AccessTokenError, AccountClosedError, Finding, classified
from wire import Kind

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
        (Finding("PERMISSION_DENIED", "authorization_error", "DEVELOPER_TOKEN_NOT_APPROVED"), Kind.CONFIG, None),
        (Finding("PERMISSION_DENIED", "authorization_error", "PROJECT_DISABLED"), Kind.CONFIG, None),
        (Finding("UNAUTHENTICATED", "authentication_error", "NOT_ADS_USER"), Kind.AUTH, None),
        (Finding("UNAUTHENTICATED", "authentication_error", "CUSTOMER_NOT_FOUND"), Kind.CONFIG, "1234567890"),
        (Finding("INVALID_ARGUMENT", "query_error", "UNRECOGNIZED_FIELD"), Kind.CONFIG, "1234567890"),
        (Finding("INVALID_ARGUMENT", "request_error", "RPC_DEADLINE_TOO_SHORT"), Kind.CONFIG, None),
        (Finding("UNIMPLEMENTED"), Kind.CONFIG, None),
        (Finding("INVALID_ARGUMENT", "range_error", "TOO_HIGH"), Kind.DATA, "1234567890"),
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
