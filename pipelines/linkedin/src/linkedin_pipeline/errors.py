"""What a failed request means: every answer of LinkedIn's that is no success, in one table, with its remedy.

`RULES` says for each status and code what kind of failure it is, whether it is one account's or the login's, and what
to do. A code that no rule knows is the account's that was asked for, with the code in the sentence. LinkedIn
publishes no list of its codes; those here are documented in single pages, or were recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from wire import Kind, PipelineError
from wire.days import now


class Scope(StrEnum):
    """Whose failure it is: the account's that was asked for, while others are loaded, or everybody's."""

    ACCOUNT = "account"
    LOGIN = "login"


class Rule(Struct, frozen=True, kw_only=True):
    """One line of the table. `status` is a number or a class such as 5xx; an empty `code` or `says` fits any.

    `says` are words that the message must hold. `meaning` completes "LinkedIn ...", or is a sentence's own subject.
    """

    status: str
    code: str = ""
    says: str = ""
    kind: Kind
    scope: Scope
    meaning: str
    remedy: str = ""

    def fits(self, answer: Answer) -> bool:
        digits = str(answer.status)
        return (
            all(ours in ("x", theirs) for ours, theirs in zip(self.status, digits, strict=True))
            and (not self.code or self.code in answer.code)
            and self.says in answer.message
        )


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


_JSON = msgspec.json.Decoder()
_AGAIN = "authorize the application again, and set LINKEDIN_REFRESH_TOKEN or LINKEDIN_ACCESS_TOKEN"
_VERSION = "set api_version to a version that LinkedIn serves"
_LATER = "nothing; it is repeated"

RULES = (
    Rule(
        status="401",
        code="EMPTY_ACCESS_TOKEN",
        kind=Kind.AUTH,
        scope=Scope.LOGIN,
        meaning="LinkedIn sees no access token",
        remedy="a proxy may take the Authorization header away",
    ),
    Rule(
        status="401",
        code="INVALID_ACCESS_TOKEN",
        kind=Kind.AUTH,
        scope=Scope.LOGIN,
        meaning="LinkedIn does not know the access token",
        remedy=_AGAIN,
    ),
    Rule(
        status="401",
        code="REVOKED_ACCESS_TOKEN",
        kind=Kind.AUTH,
        scope=Scope.LOGIN,
        meaning="the member, or LinkedIn, has withdrawn the access token",
        remedy=_AGAIN,
    ),
    Rule(
        status="401",
        code="EXPIRED_ACCESS_TOKEN",
        kind=Kind.AUTH,
        scope=Scope.LOGIN,
        meaning="the access token has expired",
        remedy=_AGAIN,
    ),
    Rule(
        status="401",
        kind=Kind.AUTH,
        scope=Scope.LOGIN,
        meaning="LinkedIn refuses the access token",
        remedy=_AGAIN,
    ),
    Rule(
        status="403",
        kind=Kind.AUTH,
        scope=Scope.ACCOUNT,
        meaning="LinkedIn does not let this token read it",
        remedy="the token needs the scopes r_ads and r_ads_reporting, and its member a role in the account",
    ),
    Rule(
        status="404",
        kind=Kind.AUTH,
        scope=Scope.ACCOUNT,
        meaning="LinkedIn shows it to nobody without access",
        remedy="give the token's member a role in the account, and the application the Advertising API",
    ),
    Rule(
        status="426",
        kind=Kind.CONFIG,
        scope=Scope.LOGIN,
        meaning="LinkedIn serves this API version no more, or not yet",
        remedy=_VERSION,
    ),
    Rule(
        status="400",
        code="VERSION",
        kind=Kind.CONFIG,
        scope=Scope.LOGIN,
        meaning="LinkedIn does not know this API version",
        remedy=_VERSION,
    ),
    Rule(
        status="429",
        says="metric values",
        kind=Kind.RATE_LIMIT,
        scope=Scope.ACCOUNT,
        meaning="too much data in five minutes",
        remedy="nothing; it is repeated after data_limit_wait",
    ),
    Rule(
        status="429",
        says=" DAY ",
        kind=Kind.QUOTA,
        scope=Scope.ACCOUNT,
        meaning="the daily quota is used up until midnight UTC",
        remedy="nothing; the next run resumes",
    ),
    Rule(
        status="429",
        kind=Kind.RATE_LIMIT,
        scope=Scope.ACCOUNT,
        meaning="too many requests",
        remedy=_LATER,
    ),
    Rule(
        status="408",
        kind=Kind.TRANSIENT,
        scope=Scope.ACCOUNT,
        meaning="LinkedIn is in trouble",
        remedy=_LATER,
    ),
    Rule(
        status="5xx",
        kind=Kind.TRANSIENT,
        scope=Scope.ACCOUNT,
        meaning="LinkedIn is in trouble",
        remedy=_LATER,
    ),
    Rule(
        status="999",
        kind=Kind.TRANSIENT,
        scope=Scope.ACCOUNT,
        meaning="LinkedIn turns automatic requests away",
        remedy=_LATER,
    ),
    Rule(
        status="3xx",
        kind=Kind.CONFIG,
        scope=Scope.LOGIN,
        meaning="answered with a redirect, which is not followed because tokens would go along",
        remedy="check LINKEDIN_API_URL and the proxy",
    ),
    Rule(
        status="xxx",
        kind=Kind.INTERNAL,
        scope=Scope.ACCOUNT,
        meaning="LinkedIn refused the request",
        remedy="upgrade this pipeline, or set another api_version",
    ),
)
"""The first rule that fits an answer holds."""


def answer(what: str, status: int, body: bytes, retry_after: str | None = None) -> Answer:
    """Read LinkedIn's error body, the API's or the token endpoint's; anything else, such as HTML, is only named."""
    try:
        content = _JSON.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict):
        note = "an HTML page" if body.lstrip()[:1] == b"<" else ""
        return Answer(what, status, "", note, seconds(retry_after))
    code, detail = _detail(content)
    code = content.get("code") or content.get("error") or code
    message = content.get("message") or content.get("error_description") or ""
    told = f"{message} {detail}".strip() if detail else message
    return Answer(what, status, str(code)[:100], str(told)[:300], seconds(retry_after))


def _detail(content: Mapping[str, Any]) -> tuple[str, str]:
    """Code and description of the first input error, which stand deeper where a parameter is refused."""
    try:
        first = content["errorDetails"]["inputErrors"][0]
        where = first["input"]["inputPath"]["fieldPath"]
        return str(first["code"]), f"({where}: {first['description']})"
    except (KeyError, IndexError, TypeError):
        return "", ""


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
    rule = next(rule for rule in RULES if rule.fits(answer))
    what = f"{answer.what} of ad account {account_id}" if account_id else answer.what
    version = f": {api_version}" if rule.remedy == _VERSION else ""
    sentence = f"{what}: {rule.meaning}{version} ({answer.said})"
    if rule.kind not in (Kind.TRANSIENT, Kind.RATE_LIMIT, Kind.QUOTA):
        sentence += f"; {rule.remedy}"
    return PipelineError(
        rule.kind,
        sentence,
        retry_after=answer.retry_after or _wait(rule, data_limit_wait),
        account_id=account_id if rule.scope is Scope.ACCOUNT else None,
    )


def _wait(rule: Rule, data_limit_wait: float) -> float | None:
    if rule.kind is Kind.QUOTA:
        return until_midnight(now())
    return data_limit_wait if rule.says and rule.kind is Kind.RATE_LIMIT else None


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
