"""What LinkedIn's refusals mean."""

from __future__ import annotations

import datetime as dt
import json
from email.utils import format_datetime

import pytest

from linkedin_pipeline.errors import answer, failure, seconds, token_failure, until_midnight
from linkedin_pipeline.settings import Credentials
from wire import Kind, PipelineError


def failed(status: int, message: str = "", code: str = "", retry_after: str | None = None) -> PipelineError:
    body = json.dumps({"status": status, "code": code, "message": message}).encode()
    told = answer("/adAnalytics", status, body, retry_after)
    return failure(told, api_version="202607", data_limit_wait=330.0, account_id="5")


@pytest.mark.parametrize(
    ("status", "code", "kind", "account_id"),
    [
        (401, "REVOKED_ACCESS_TOKEN", Kind.AUTH, None),
        (403, "ACCESS_DENIED", Kind.AUTH, "5"),
        (400, "VERSION_MISSING", Kind.CONFIG, None),
        (426, "NONEXISTENT_VERSION", Kind.CONFIG, None),
        (302, "", Kind.CONFIG, None),
        (400, "ILLEGAL_ARGUMENT", Kind.INTERNAL, "5"),
        (404, "RESOURCE_NOT_FOUND", Kind.AUTH, "5"),
        (414, "", Kind.INTERNAL, "5"),
        (408, "", Kind.TRANSIENT, "5"),
        (500, "", Kind.TRANSIENT, "5"),
        (504, "", Kind.TRANSIENT, "5"),
        (999, "", Kind.TRANSIENT, "5"),
    ],
)
def test_each_status_has_its_remedy(status: int, code: str, kind: Kind, account_id: str | None) -> None:
    error = failed(status, code=code)
    assert (error.kind, error.account_id) == (kind, account_id)
    assert f"HTTP {status}" in error.message


def test_the_limit_of_metric_values_is_waited_out() -> None:
    error = failed(429, "More than 45 million metric values were requested in a 5 minute window.")
    assert (error.kind, error.retry_after) == (Kind.RATE_LIMIT, 330.0)


def test_other_throttling_backs_off() -> None:
    error = failed(429, "Resource level throttle APPLICATION limit for calls to this resource is reached.")
    assert (error.kind, error.retry_after) == (Kind.RATE_LIMIT, None)
    assert failed(429, retry_after="17").retry_after == 17.0


def test_a_daily_limit_is_a_quota_until_midnight_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_NOW", "2026-11-20T23:00:00-01:00")
    error = failed(
        429, "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached."
    )
    assert (error.kind, error.retry_after) == (Kind.QUOTA, 86_400.0)
    assert until_midnight(dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)) == 1_800.0


def test_the_two_forms_of_retry_after() -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    assert seconds("12") == 12.0
    assert 55 < (seconds(format_datetime(soon)) or 0) <= 60
    assert (seconds(None), seconds("soon")) == (None, None)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Kind.AUTH), (401, Kind.AUTH), (429, Kind.RATE_LIMIT), (503, Kind.TRANSIENT)]
)
def test_a_renewal_that_fails(status: int, kind: Kind) -> None:
    body = b'{"error": "invalid_request", "error_description": "The refresh token is expired or revoked"}'
    error = token_failure(answer("renewing the access token", status, body))
    assert error.kind is kind
    assert "invalid_request: The refresh token is expired or revoked" in error.message


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b"[1]", b"\xff"])
def test_a_body_that_is_no_error_object_is_not_quoted(body: bytes) -> None:
    assert answer("/adAccounts", 502, body).said in ("HTTP 502", "HTTP 502, an HTML page")


def test_secrets_are_blotted_out_and_never_shown() -> None:
    credentials = Credentials(client_id="id", client_secret="cs-1", access_token="at-2", refresh_token="rt-3")
    assert credentials.hidden_in("bad cs-1, at-2 or rt-3") == "bad ***, *** or ***"
    assert "cs-1" not in repr(credentials)
