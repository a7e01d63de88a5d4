"""What the Graph API's refusals mean: each becomes a PipelineError with a remedy, and never with a token in it.

Codes: Meta's "Error handling" and "Rate limits" pages of the Graph and Marketing APIs. The API's own `is_transient` is
false for most rate limits, so the codes decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import InvalidOperation
from typing import Any

from msgspec import Struct

from facebook_pipeline.usage import regain_seconds
from wire import Kind, PipelineError

_RATE_LIMITS = frozenset({4, 17, 32, 341, 613, *range(80000, 80007), 80008, 80009, 80014})
_TRANSIENT = frozenset({1, 2, 99, 104, 960, 2601, 2637})
_TRANSIENT_SUBCODES = frozenset({99, 1504043, 1815107, 2490547})
_TOO_MUCH_SUBCODES = frozenset({1487534, 1504018, 1504038})
_TOKEN = frozenset({102, 190})
_DELETED_REFUSED = 1815001
_NO_SUCH_OBJECT = frozenset({33, 803})

_SECRET = re.compile(r"(access_token|appsecret_proof|client_secret)(=|\"?:\s*\"?)[^&\s\"']+|\bEAA[0-9A-Za-z]{8,}")


UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, InvalidOperation)
"""What reading an answer raises when a value has another shape than documented."""


class TooMuchDataError(PipelineError):
    """The request is right but too large; asking for less mends it, asking again does not."""


class ObjectRefusedError(PipelineError):
    """One object may not be read; what else the token can read is not concerned."""


class DeletedRefusedError(PipelineError):
    """This edge does not give deleted objects, at this version, even when asked for them."""


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text without the given secrets and without anything that looks like a token."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _SECRET.sub("***", text)


class _Refusal(Struct, frozen=True):
    """A Graph error object, and the sentence that tells it."""

    code: int
    subcode: int
    said: str
    sentence: str

    def failure(self, kind: Kind, remedy: str = "", *, error: type[PipelineError] = PipelineError) -> PipelineError:
        return error(kind, f"{self.sentence}: {remedy}" if remedy else self.sentence)


def api_failure(
    what: str, status: int, error: Mapping[str, Any], headers: Mapping[str, str], secrets: tuple[str, ...] = ()
) -> PipelineError:
    """The failure that a Graph error object tells. `what` names the request, for example `GET act_1/campaigns`."""
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    said = redacted(" ".join(str(error.get("message") or "no message").split()), secrets)
    trace = f", trace {error['fbtrace_id']}" if error.get("fbtrace_id") else ""
    number = f"code {code}/{subcode}" if subcode else f"code {code}"
    refusal = _Refusal(code, subcode, said, f"{what}: {said} ({number}{trace})")
    if code in _RATE_LIMITS:
        limited = refusal.failure(Kind.RATE_LIMIT, "the quota is used up")
        limited.retry_after = regain_seconds(headers)
        return limited
    known = _credentials_failure(refusal) or _request_failure(refusal)
    if known:
        return known
    if code in _TRANSIENT or subcode in _TRANSIENT_SUBCODES or error.get("is_transient") or status >= 500:
        return refusal.failure(Kind.TRANSIENT)
    return refusal.failure(Kind.INTERNAL, "Facebook refuses this request; the pipeline must be changed")


def _credentials_failure(refusal: _Refusal) -> PipelineError | None:
    if refusal.code in _TOKEN:
        return PipelineError(
            Kind.AUTH,
            f"Facebook refuses the access token: {refusal.sentence}; a long-lived token cannot be refreshed, so "
            "re-authenticate: make a new one for the app or its system user and set FACEBOOK_ACCESS_TOKEN",
        )
    if refusal.code == 100 and "appsecret_proof" in refusal.said:
        return PipelineError(
            Kind.AUTH,
            "Facebook refuses the proof made with FACEBOOK_APP_SECRET; it belongs to another app",
        )
    if refusal.code == 10 or 200 <= refusal.code <= 299:
        remedy = "grant the token's user ads_read and a role on the ad account"
        return refusal.failure(Kind.AUTH, remedy, error=ObjectRefusedError)
    return None


def _request_failure(refusal: _Refusal) -> PipelineError | None:
    if refusal.subcode == _DELETED_REFUSED:
        return refusal.failure(Kind.DATA, error=DeletedRefusedError)
    if refusal.subcode in _TOO_MUCH_SUBCODES or "reduce the amount of data" in refusal.said:
        return refusal.failure(Kind.TRANSIENT, error=TooMuchDataError)
    if refusal.subcode in _NO_SUCH_OBJECT or refusal.code in _NO_SUCH_OBJECT:
        remedy = "it does not exist, or the token's user has no role on it"
        return refusal.failure(Kind.CONFIG, remedy, error=ObjectRefusedError)
    if refusal.code == 2635 or "Unknown path components" in refusal.said:
        return refusal.failure(Kind.CONFIG, "set api_version to one that Facebook still serves")
    if refusal.code == 3018:
        return refusal.failure(Kind.CONFIG, "choose a later start_date")
    return None


def odd_answer(what: str, status: int | None) -> PipelineError:
    """The failure of an answer that is no Graph answer: HTML of a proxy, an empty body, JSON of the wrong shape."""
    seen = f"HTTP status {status} and " if status is not None else ""
    return PipelineError(Kind.TRANSIENT, f"{what}: answered with {seen}a body that is no Graph API answer")


def no_answer(what: str, cause: Exception) -> PipelineError:
    """The failure of a request without an answer; only the cause's type is told, because its text quotes the token."""
    return PipelineError(Kind.TRANSIENT, f"{what}: no answer from the Graph API ({type(cause).__name__})")


def unreadable(table: str, which: object, cause: Exception) -> PipelineError:
    """The failure of an object or row whose values are not what they should be; `which` is its id or day."""
    return PipelineError(Kind.DATA, f"{table}: {which} cannot be read ({type(cause).__name__}: {cause})")


def is_mendable(error: PipelineError) -> bool:
    """Whether asking the same again, later, can help."""
    return error.kind in (Kind.RATE_LIMIT, Kind.TRANSIENT) and not isinstance(error, TooMuchDataError)


def _number(value: object) -> int:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else 0
