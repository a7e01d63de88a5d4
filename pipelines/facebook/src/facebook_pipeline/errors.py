"""What the Graph API's refusals mean: each becomes a PipelineError with a remedy, and never with a token in it.

One table, `RULES`, decides for every code what kind of failure it is, whether it is one account's or the login's, and
what to do. Codes: Meta's "Error handling" and "Rate limits" pages of the Graph and Marketing APIs. The API's own
`is_transient` is false for most rate limits, so the codes decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import InvalidOperation
from enum import StrEnum
from typing import Any

from msgspec import Struct

from facebook_pipeline.usage import regain_seconds
from wire import Kind, PipelineError

_SECRET = re.compile(r"(access_token|appsecret_proof|client_secret)(=|\"?:\s*\"?)[^&\s\"']+|\bEAA[0-9A-Za-z]{8,}")


UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, InvalidOperation)
"""What reading an answer raises when a value has another shape than documented."""


class Scope(StrEnum):
    """Whose failure it is: one account's, while the others are loaded, or the login's, which ends the pipeline."""

    ACCOUNT = "account"
    LOGIN = "login"


class ApiError(PipelineError):
    """A refusal of the Graph API, and whose it is."""

    def __init__(
        self, kind: Kind, message: str, *, scope: Scope = Scope.ACCOUNT, retry_after: float | None = None
    ) -> None:
        super().__init__(kind, message, retry_after=retry_after)
        self.scope = scope


class TooMuchDataError(ApiError):
    """The request is right but too large; asking for less mends it, asking again does not."""


class UnexplainedError(ApiError):
    """The API failed without a reason; asking again may mend it, and on a large page asking for less."""


class LostRunError(ApiError):
    """An insights job, or its rows, cannot be had any more; a new job mends it."""


class ObjectRefusedError(ApiError):
    """One object may not be read; what else the token can read is not concerned."""


class DeletedRefusedError(ApiError):
    """This edge does not give deleted objects, at this version, even when asked for them."""


class Rule(Struct, frozen=True):
    """What some refusals mean.

    `when` lists them: a code (`190`), a range (`200-299`), a code with its subcode (`1/2853001`), any code with a
    subcode (`*/33`), `HTTP 5xx`, `is_transient`, `any`, or words of the message. `does` is what happens by itself,
    `remedy` what the operator can do, as the end of a sentence.
    """

    when: tuple[str, ...]
    kind: Kind
    scope: Scope
    does: str
    remedy: str = ""
    error: type[ApiError] = ApiError


_AGAIN = "asked again, with growing waits"
RULES = (
    Rule(
        ("17/2446079", "32", "613", "80000-80009", "80014"),
        Kind.RATE_LIMIT,
        Scope.ACCOUNT,
        "asked again after the wait that the usage headers name, while other accounts are loaded",
        "the quota of the ad account is used up",
    ),
    Rule(
        ("4", "17", "341"),
        Kind.RATE_LIMIT,
        Scope.LOGIN,
        "all calls wait as long as the usage headers name; where that is too long, the run ends",
        "the quota of the app, or of the token's user, is used up",
    ),
    Rule(
        ("101", "102", "190"),
        Kind.AUTH,
        Scope.LOGIN,
        "ends the run",
        "a long-lived token cannot be refreshed, so re-authenticate: make a new one for the app or its system user "
        "and set FACEBOOK_ACCESS_TOKEN",
    ),
    Rule(
        ("appsecret_proof",),
        Kind.AUTH,
        Scope.LOGIN,
        "ends the run",
        "FACEBOOK_APP_SECRET belongs to another app than the access token",
    ),
    Rule(
        ("3", "10", "200-299", "368", "1/2853001", "Missing permissions"),
        Kind.AUTH,
        Scope.ACCOUNT,
        "the others are loaded",
        "grant the token's user ads_read and a role on the ad account",
        ObjectRefusedError,
    ),
    Rule(
        ("*/1815001",),
        Kind.DATA,
        Scope.ACCOUNT,
        "asked again without deleted objects",
        error=DeletedRefusedError,
    ),
    Rule(
        ("*/1487534", "*/1504018", "*/1504038", "reduce the amount of data"),
        Kind.TRANSIENT,
        Scope.ACCOUNT,
        "asked for less: half the page or half the days, then campaign by campaign, ad set by ad set, ad by ad",
        error=TooMuchDataError,
    ),
    Rule(
        ("2601", "*/1815107", "Error accessing adreport job"),
        Kind.TRANSIENT,
        Scope.ACCOUNT,
        "asked again, then a new job",
        error=LostRunError,
    ),
    Rule(
        ("803", "*/33"),
        Kind.CONFIG,
        Scope.ACCOUNT,
        "of a job: a new job; else the others are loaded",
        "it does not exist, or the token's user has no role on it",
        ObjectRefusedError,
    ),
    Rule(
        ("2635", "Unknown path components"),
        Kind.CONFIG,
        Scope.LOGIN,
        "ends the run",
        "set api_version to one that Facebook still serves",
    ),
    Rule(("3018",), Kind.CONFIG, Scope.ACCOUNT, "the others are loaded", "choose a later start_date"),
    Rule(
        ("1", "99", "*/99"),
        Kind.TRANSIENT,
        Scope.ACCOUNT,
        "asked again, then for smaller pages",
        error=UnexplainedError,
    ),
    Rule(("2", "104", "960", "2637", "*/1504043", "*/2490547"), Kind.TRANSIENT, Scope.ACCOUNT, _AGAIN),
    Rule(("is_transient", "HTTP 5xx"), Kind.TRANSIENT, Scope.ACCOUNT, _AGAIN),
    Rule(
        ("100",),
        Kind.INTERNAL,
        Scope.ACCOUNT,
        "the others are loaded",
        "Facebook refuses this request as it is made; a setting, or the pipeline, must be changed",
    ),
    Rule(
        ("any",),
        Kind.DATA,
        Scope.ACCOUNT,
        "the others are loaded",
        "this pipeline does not know the code; Meta's error reference tells what it means",
    ),
)
"""The first rule that fits decides."""


class _Refusal(Struct, frozen=True):
    """What a Graph error object says, for the rules to fit."""

    code: int
    subcode: int
    said: str
    status: int
    is_transient: bool

    def fits(self, when: str) -> bool:
        match when:
            case "any":
                return True
            case "is_transient":
                return self.is_transient
            case "HTTP 5xx":
                return self.status >= 500
        code, slash, subcode = when.partition("/")
        if slash:
            return code in ("*", str(self.code)) and subcode == str(self.subcode)
        first, _, last = when.partition("-")
        if first.isdigit():
            return int(first) <= self.code <= int(last or first)
        return when in self.said


def rule_of(refusal: _Refusal) -> Rule:
    return next(rule for rule in RULES if any(refusal.fits(when) for when in rule.when))


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text without the given secrets and without anything that looks like a token."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _SECRET.sub("***", text)


def api_failure(
    what: str,
    status: int,
    error: Mapping[str, Any],
    headers: Mapping[str, str],
    secrets: tuple[str, ...] = (),
    *,
    account_id: str | None = None,
) -> ApiError:
    """The failure that a Graph error object tells. `what` names the request, for example `GET act_1/campaigns`.

    `account_id` is the account on whose behalf it was made: only its usage says how long to wait.
    """
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    said = redacted(" ".join(str(error.get("message") or "no message").split()), secrets)
    trace = f", trace {error['fbtrace_id']}" if error.get("fbtrace_id") else ""
    number = f"code {code}/{subcode}" if subcode else f"code {code}"
    rule = rule_of(_Refusal(code, subcode, said, status, bool(error.get("is_transient"))))
    sentence = f"{what}: {said} ({number}{trace})"
    return rule.error(
        rule.kind,
        f"{sentence}: {rule.remedy}" if rule.remedy else sentence,
        scope=rule.scope,
        retry_after=regain_seconds(headers, account_id) if rule.kind is Kind.RATE_LIMIT else None,
    )


def odd_answer(what: str, status: int | None) -> PipelineError:
    """The failure of an answer that is no Graph answer: HTML of a proxy, an empty body, JSON of the wrong shape."""
    seen = f"HTTP status {status} and " if status is not None else ""
    return PipelineError(Kind.TRANSIENT, f"{what}: answered with {seen}a body that is no Graph API answer")


def incomplete_answer(what: str, missing: str) -> PipelineError:
    """The failure of an answer without what makes it one: an edge without its list says nothing, not "nothing"."""
    return PipelineError(Kind.TRANSIENT, f"{what}: answered without {missing!r}")


def no_answer(what: str, cause: Exception) -> PipelineError:
    """The failure of a request without an answer; only the cause's type is told, because its text quotes the token."""
    return PipelineError(Kind.TRANSIENT, f"{what}: no answer from the Graph API ({type(cause).__name__})")


def unreadable(table: str, which: object, cause: Exception) -> PipelineError:
    """The failure of an object or row whose values are not what they should be; `which` is its id or day."""
    return PipelineError(Kind.DATA, f"{table}: {which} cannot be read ({type(cause).__name__}: {cause})")


def is_the_logins(error: PipelineError) -> bool:
    """Whether it is about the login, and so about every account."""
    return isinstance(error, ApiError) and error.scope is Scope.LOGIN


def is_mendable(error: PipelineError) -> bool:
    """Whether asking the same again, later, can help."""
    return error.kind in (Kind.RATE_LIMIT, Kind.TRANSIENT) and not isinstance(error, TooMuchDataError)


def _number(value: object) -> int:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else 0
