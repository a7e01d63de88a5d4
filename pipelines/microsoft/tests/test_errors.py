"""Which failure becomes which kind, and that no sentence repeats what it must not."""

from __future__ import annotations

import http.client
import urllib.error
import xml.sax
from types import SimpleNamespace as Some
from typing import Any

import pytest

from microsoft_pipeline.addresses import check_address
from microsoft_pipeline.errors import TooManyReportsError, is_passing, of_call, of_token_answer
from wire import Kind, PipelineError


class WebFaultError(Exception):
    """As suds has it: everything is in `fault`."""

    def __init__(self, **detail: Any) -> None:
        super().__init__("Server raised fault: 'token eyJhbGciOi'")
        self.fault = Some(detail=Some(**detail))


def caller_fault(*codes: int) -> WebFaultError:
    errors = [Some(Code=str(code), ErrorCode="Symbol", Message="token eyJhbGciOi") for code in codes]
    return WebFaultError(AdApiFaultDetail=Some(Errors=Some(AdApiError=errors if len(errors) > 1 else errors[0])))


def request_fault(code: int, where: str = "OperationErrors", what: str = "OperationError") -> WebFaultError:
    return WebFaultError(ApiFaultDetail=Some(**{where: Some(**{what: [Some(Code=str(code), ErrorCode="Symbol")]})}))


def told(error: Exception) -> PipelineError | None:
    return of_call(error, "Poll", account_id="42", rate_limit_wait=60)


@pytest.mark.parametrize(
    ("error", "kind", "account_id", "retry_after"),
    [
        (caller_fault(105), Kind.AUTH, None, None),
        (caller_fault(106), Kind.AUTH, "42", None),
        (caller_fault(109), Kind.AUTH, None, None),
        (caller_fault(117), Kind.RATE_LIMIT, None, 60),
        (caller_fault(117, 106), Kind.RATE_LIMIT, None, 60),
        (caller_fault(0), Kind.TRANSIENT, None, None),
        (caller_fault(207), Kind.RATE_LIMIT, None, 60),
        (caller_fault(1234), Kind.DATA, "42", None),
        (request_fault(2004), Kind.TRANSIENT, None, None),
        (request_fault(2017), Kind.CONFIG, None, None),
        (request_fault(1102), Kind.DATA, "42", None),
        (request_fault(1102, "BatchErrors", "BatchError"), Kind.DATA, "42", None),
        (WebFaultError(), Kind.DATA, "42", None),
        (Exception((502, "Bad Gateway")), Kind.TRANSIENT, None, None),
        (Exception((429, "Too Many Requests")), Kind.RATE_LIMIT, None, None),
        (Exception((404, "Not Found")), Kind.DATA, None, None),
        (urllib.error.URLError(ConnectionRefusedError()), Kind.TRANSIENT, None, None),
        (urllib.error.URLError(TimeoutError()), Kind.TRANSIENT, None, None),
        (TimeoutError(), Kind.TRANSIENT, None, None),
        (http.client.IncompleteRead(b""), Kind.TRANSIENT, None, None),
        (ConnectionResetError(), Kind.TRANSIENT, None, None),
        (xml.sax.SAXException("no element"), Kind.TRANSIENT, None, None),
        (AttributeError("'NoneType'"), Kind.TRANSIENT, None, None),
    ],
)
def test_a_failed_call_has_a_kind(
    error: Exception, kind: Kind, account_id: str | None, retry_after: float | None
) -> None:
    found = told(error)
    assert found is not None
    assert (found.kind, found.account_id, found.retry_after) == (kind, account_id, retry_after)
    assert found.message.startswith("Poll: ")
    assert "eyJ" not in found.message


def test_silence_is_told_from_a_broken_line() -> None:
    silence, broken = told(TimeoutError()), told(ConnectionResetError())
    assert silence and "no answer within the request_timeout" in silence.message
    assert broken and "the connection failed" in broken.message


def test_a_bug_of_ours_is_not_explained_away() -> None:
    assert told(KeyError("x")) is None
    assert told(Exception("unheard of")) is None


def test_a_report_too_many_waits_for_the_others() -> None:
    found = told(caller_fault(207))
    assert isinstance(found, TooManyReportsError)
    assert not is_passing(found)


def test_only_what_passes_is_called_again() -> None:
    passing = [code for code in (0, 105, 106, 109, 117, 207, 1234) if is_passing(told(caller_fault(code)))]  # type: ignore[arg-type]  # told() is never None for a fault
    assert passing == [0, 117]


@pytest.mark.parametrize(
    ("status", "answer", "kind", "words"),
    [
        (400, {"error": "invalid_grant", "error_description": "AADSTS70008: gone"}, Kind.AUTH, "AADSTS70008"),
        (401, {"error": "invalid_client"}, Kind.AUTH, "client secret"),
        (400, {"error": "unheard_of"}, Kind.AUTH, "unheard_of"),
        (503, {"error": "temporarily_unavailable"}, Kind.TRANSIENT, "503"),
        (400, {"error": "temporarily_unavailable"}, Kind.TRANSIENT, "503"),
        (429, None, Kind.RATE_LIMIT, "429"),
        (502, None, Kind.TRANSIENT, "502"),
        (200, None, Kind.TRANSIENT, "not OAuth's"),
        (200, {"token_type": "Bearer"}, Kind.TRANSIENT, "not OAuth's"),
    ],
)
def test_a_refused_refresh_has_a_kind(status: int, answer: Any, kind: Kind, words: str) -> None:
    found = of_token_answer(status, answer)
    assert found.kind is kind
    assert words in found.message


def test_an_error_description_is_not_repeated() -> None:
    found = of_token_answer(400, {"error": "invalid_grant", "error_description": "AADSTS70000: token 0.AXsecret"})
    assert "AXsecret" not in found.message


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://files.example/report.zip?sig=a", True),
        ("http://127.0.0.1:8080/report.zip", True),
        ("http://files.example/report.zip?sig=secret", False),
        ("http://127.0.0.1.files.example/report.zip", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_report_is_fetched_over_https_only(url: str, allowed: bool) -> None:
    if allowed:
        check_address(url, {})
        return
    with pytest.raises(PipelineError) as caught:
        check_address(url, {})
    assert "secret" not in caught.value.message
