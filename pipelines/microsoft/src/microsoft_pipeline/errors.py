"""Every failure of the SDK, of HTTP and of the service as a PipelineError whose sentence an operator can act on.

Faults are told by their shape, so that this module, and its tests, do without the SDK. A sentence holds codes and
names, never what was sent: messages of the service or of a library may quote tokens and signed addresses.
"""

from __future__ import annotations

import http.client
import re
import xml.sax
from collections.abc import Iterator
from typing import Any

from wire import Kind, PipelineError

RATE_LIMIT = "117"
TOO_MANY_REPORTS = "207"
UNAUTHORIZED = "106"

_WRONG_ACCOUNT_CREDENTIALS = "the user or the developer token may not use this account; check its access and the role"
_KNOWN: dict[str, tuple[Kind, str]] = {
    "105": (Kind.AUTH, "Microsoft refused the access token or the developer token; sign in again, check both"),
    UNAUTHORIZED: (Kind.AUTH, _WRONG_ACCOUNT_CREDENTIALS),
    "109": (Kind.AUTH, "the access token counts as expired although it was just renewed; sign in again"),
    RATE_LIMIT: (Kind.RATE_LIMIT, "too many calls in the last minute"),
    TOO_MANY_REPORTS: (Kind.RATE_LIMIT, "too many reports are being made at once"),
    "4204": (Kind.RATE_LIMIT, "too many bulk calls in the last minutes"),
    "0": (Kind.TRANSIENT, "Microsoft reports an internal error"),
    "2004": (Kind.TRANSIENT, "the data of these days are not complete yet"),
}
_REPORT_REQUEST_CODES = range(2000, 2200)
_OAUTH_REFUSALS = {
    "invalid_grant": "the refresh token is expired or revoked; sign in again and set MICROSOFT_REFRESH_TOKEN",
    "interaction_required": "Microsoft wants the user to sign in again; then set MICROSOFT_REFRESH_TOKEN",
    "consent_required": "the user must consent to the application again; then set MICROSOFT_REFRESH_TOKEN",
    "invalid_client": "the client id or the client secret is wrong or expired",
    "unauthorized_client": "the application may not use this grant; check MICROSOFT_CLIENT_ID and MICROSOFT_TENANT_ID",
}
_AADSTS = re.compile(r"AADSTS\d{4,9}")
_SERVER_ERROR = range(500, 600)


class TooManyReportsError(PipelineError):
    """Another report can only be asked for when one of our own has been made."""


def is_passing(error: PipelineError) -> bool:
    """Whether calling again later may help; a report too many waits for the others instead."""
    return error.kind in (Kind.RATE_LIMIT, Kind.TRANSIENT) and not isinstance(error, TooManyReportsError)


def of_call(
    error: Exception, operation: str, *, account_id: str | None, rate_limit_wait: float
) -> PipelineError | None:
    """What a failed SOAP call means; None for something that is not the service's or the network's failure."""
    fault = getattr(error, "fault", None)
    if fault is not None:
        return _of_fault(fault, operation, account_id, rate_limit_wait)
    status = _http_status(error)
    if status is not None:
        return of_status(status, operation)
    if isinstance(error, OSError | http.client.HTTPException):
        return of_network(error, operation)
    # suds meets an answer that is XML but no envelope with an AttributeError.
    if isinstance(error, xml.sax.SAXException | AttributeError):
        return PipelineError(Kind.TRANSIENT, f"{operation}: the answer is not SOAP, or is cut short")
    return None


def of_status(status: int, what: str) -> PipelineError:
    """What an HTTP status means where there is nothing better to go by."""
    if status == 429:
        return PipelineError(Kind.RATE_LIMIT, f"{what}: HTTP status 429, too many requests")
    if status in _SERVER_ERROR or status == 408:
        return PipelineError(Kind.TRANSIENT, f"{what}: HTTP status {status}")
    return PipelineError(Kind.DATA, f"{what}: HTTP status {status}")


def of_network(error: BaseException, what: str) -> PipelineError:
    """What a broken or silent connection means."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, BaseException) else error
    if isinstance(cause, TimeoutError) or "timed out" in str(cause).lower():
        return PipelineError(Kind.TRANSIENT, f"{what}: no answer within the request_timeout")
    return PipelineError(Kind.TRANSIENT, f"{what}: the connection failed ({type(cause).__name__})")


def of_token_answer(status: int, answer: Any) -> PipelineError:
    """What a refused refresh means; `answer` is the decoded JSON, or None if it was none."""
    code = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    if code in _OAUTH_REFUSALS:
        return PipelineError(Kind.AUTH, f"sign-in: {_OAUTH_REFUSALS[code]} ({_reference(code, answer)})")
    if status == 429 or status in _SERVER_ERROR or code in ("temporarily_unavailable", "server_error"):
        return of_status(status if status >= 429 else 503, "sign-in")
    if code:
        return PipelineError(Kind.AUTH, f"sign-in: Microsoft refused the refresh ({_reference(code, answer)})")
    return PipelineError(Kind.TRANSIENT, f"sign-in: the answer is not OAuth's (HTTP status {status})")


def _reference(code: str, answer: dict[str, Any]) -> str:
    found = _AADSTS.search(str(answer.get("error_description", "")))
    word = re.sub(r"[^a-z_]", "", code)
    return f"{word}, {found.group()}" if found else word


def _of_fault(fault: Any, operation: str, account_id: str | None, rate_limit_wait: float) -> PipelineError:
    code, symbol = next(_codes(fault), ("", ""))
    reference = f"{operation}: error {code or 'unknown'}{f' {symbol}' if symbol else ''}"
    if code == TOO_MANY_REPORTS:
        return TooManyReportsError(Kind.RATE_LIMIT, f"{reference}: {_KNOWN[code][1]}", retry_after=rate_limit_wait)
    if code in _KNOWN:
        kind, sentence = _KNOWN[code]
        wait = rate_limit_wait if kind is Kind.RATE_LIMIT else None
        # A refused account is its own problem; a refused user is everyone's.
        owner = account_id if code == UNAUTHORIZED else None
        return PipelineError(kind, f"{reference}: {sentence}", retry_after=wait, account_id=owner)
    if code.isdecimal() and int(code) in _REPORT_REQUEST_CODES:
        return PipelineError(
            Kind.CONFIG, f"{reference}: Microsoft does not accept this report's columns, days or scope"
        )
    return PipelineError(Kind.DATA, f"{reference}: Microsoft refused the request", account_id=account_id)


def _codes(fault: Any) -> Iterator[tuple[str, str]]:
    """The (number, name) of each error in a fault; the SDK gives one error as itself and several as a list."""
    detail = getattr(fault, "detail", None)
    for outer, middle, inner in (
        ("AdApiFaultDetail", "Errors", "AdApiError"),
        ("ApiFaultDetail", "OperationErrors", "OperationError"),
        ("ApiFaultDetail", "BatchErrors", "BatchError"),
        ("ApiFault", "OperationErrors", "OperationError"),
    ):
        errors = getattr(getattr(getattr(detail, outer, None), middle, None), inner, None)
        for each in errors if isinstance(errors, list) else [errors] if errors is not None else []:
            symbol = re.sub(r"\W", "", str(getattr(each, "ErrorCode", None) or ""))
            yield str(getattr(each, "Code", "")), symbol


def _http_status(error: Exception) -> int | None:
    """suds raises a bare Exception((status, reason)) for an HTTP error that is no fault, or has it in `httpcode`."""
    code = getattr(error, "httpcode", None)
    if code is None and error.args and isinstance(error.args[0], tuple) and error.args[0]:
        code = error.args[0][0]
    return code if isinstance(code, int) else None
