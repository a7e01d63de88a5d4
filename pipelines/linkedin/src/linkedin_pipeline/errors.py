"""What a failed request means: LinkedIn's statuses and codes, and the network's failures, as kinds with a remedy."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

import msgspec
from msgspec import Struct

from wire import Kind, PipelineError
from wire.days import now

DATA_LIMIT_SIGN = "metric values"
"""Stands in the 429 of the limit of 45 million metric values (metrics times rows) in five minutes."""


class Answer(Struct, frozen=True):
    """A response that is no success: its status, its error code and message, and what was asked for."""

    what: str
    status: int
    code: str = ""
    message: str = ""
    retry_after: float | None = None

    @property
    def said(self) -> str:
        told = ": ".join(part for part in (self.code, self.message) if part)
        return f"HTTP {self.status}" + (f", {told}" if told else "")


def answer(what: str, status: int, body: bytes, retry_after: str | None = None) -> Answer:
    """Read LinkedIn's error body, the API's or the token endpoint's; anything else, such as HTML, is only named."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict):
        note = "an HTML page" if body.lstrip()[:1] == b"<" else ""
        return Answer(what, status, "", note, seconds(retry_after))
    code = content.get("code") or content.get("error") or ""
    message = content.get("message") or content.get("error_description") or ""
    return Answer(what, status, str(code)[:100], str(message)[:300], seconds(retry_after))


def seconds(retry_after: str | None) -> float | None:
    """A Retry-After header, in either of its two forms, as seconds from now."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - dt.datetime.now(dt.UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def failure(answer: Answer, *, api_version: str, data_limit_wait: float, account_id: str | None) -> PipelineError:
    """The error that an API answer other than success amounts to; a 401 comes here only when no renewal mends it."""
    if answer.status == 429:
        return _throttled(answer, data_limit_wait, account_id)
    if answer.status in (401, 403):
        return _denied(answer, account_id)
    if answer.status == 426 or (answer.status == 400 and "VERSION" in answer.code):
        return PipelineError(
            Kind.CONFIG,
            f"LinkedIn does not serve the API version {api_version} ({answer.said}); set api_version to a current one",
        )
    if 300 <= answer.status < 400:
        return PipelineError(
            Kind.CONFIG,
            f"{answer.what}: answered with a redirect ({answer.said}), which is not followed because tokens would go "
            "along; check LINKEDIN_API_URL and the proxy",
        )
    if answer.status >= 500 or answer.status == 408:
        sentence = f"{answer.what}: LinkedIn is in trouble ({answer.said})"
        return PipelineError(Kind.TRANSIENT, sentence, retry_after=answer.retry_after, account_id=account_id)
    kind = Kind.DATA if answer.status == 404 else Kind.INTERNAL
    return PipelineError(kind, f"{answer.what}: LinkedIn refused the request ({answer.said})", account_id=account_id)


def _denied(answer: Answer, account_id: str | None) -> PipelineError:
    if answer.status == 401:
        sentence = f"{answer.what}: LinkedIn refuses the access token ({answer.said}); authorize the application again"
        return PipelineError(Kind.AUTH, sentence)
    whose = f"ad account {account_id}" if account_id else "ad accounts"
    return PipelineError(
        Kind.AUTH,
        f"{answer.what}: LinkedIn does not let this token read {whose} ({answer.said}); it needs the scopes r_ads "
        "and r_ads_reporting, and its member a role in the account",
        account_id=account_id,
    )


def _throttled(answer: Answer, data_limit_wait: float, account_id: str | None) -> PipelineError:
    if DATA_LIMIT_SIGN in answer.message:
        return PipelineError(
            Kind.RATE_LIMIT,
            f"{answer.what}: more than 45 million metric values in five minutes",
            retry_after=answer.retry_after or data_limit_wait,
            account_id=account_id,
        )
    # "Resource level throttle APPLICATION_AND_MEMBER DAY limit": nothing but midnight UTC mends that.
    if "DAY" in answer.message.split():
        return PipelineError(
            Kind.QUOTA,
            f"{answer.what}: the daily quota is used up until midnight UTC ({answer.said})",
            retry_after=answer.retry_after or until_midnight(now()),
            account_id=account_id,
        )
    return PipelineError(
        Kind.RATE_LIMIT,
        f"{answer.what}: too many requests ({answer.said})",
        retry_after=answer.retry_after,
        account_id=account_id,
    )


def until_midnight(instant: dt.datetime) -> float:
    """Seconds until the next midnight UTC, when LinkedIn's daily quotas start anew."""
    here = instant.astimezone(dt.UTC)
    midnight = dt.datetime.combine(here.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
    return (midnight - here).total_seconds()


def token_failure(answer: Answer) -> PipelineError:
    """The error that a refused renewal of the access token amounts to."""
    if answer.status == 429:
        return PipelineError(Kind.RATE_LIMIT, f"{answer.what}: {answer.said}", retry_after=answer.retry_after)
    if answer.status >= 500 or answer.status == 408:
        return PipelineError(Kind.TRANSIENT, f"{answer.what}: {answer.said}", retry_after=answer.retry_after)
    if 300 <= answer.status < 400:
        return PipelineError(
            Kind.CONFIG, f"{answer.what}: answered with a redirect ({answer.said}); check LINKEDIN_TOKEN_URL"
        )
    return PipelineError(
        Kind.AUTH,
        f"{answer.what}: refused ({answer.said}); the refresh token is expired or revoked, or the client id or secret "
        "is wrong; authorize the application again and set LINKEDIN_REFRESH_TOKEN",
    )
