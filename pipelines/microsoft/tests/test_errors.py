"""Which failure becomes which kind, whose it is, and that no sentence repeats what it must not."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from microsoft_runs import ROOT

from microsoft_pipeline.downloads import check_address
from microsoft_pipeline.errors import (
    CODES,
    ApiError,
    BulkRefusedError,
    LostReportError,
    RefusedError,
    TooBigForOneFileError,
    TooManyReportsError,
    is_passing,
    of_network,
    of_refusal,
    of_status,
    of_token_answer,
)
from wire import Kind, PipelineError


def told(*codes: int | None, account_id: str | None = "42", tracking_id: str = "", status: int = 400) -> PipelineError:
    refused = RefusedError([ApiError(code, "Symbol") for code in codes], tracking_id=tracking_id, status=status)
    return of_refusal(refused, "Poll", account_id=account_id, rate_limit_wait=60)


@pytest.mark.parametrize(
    ("codes", "kind", "account_id", "retry_after"),
    [
        ((0,), Kind.TRANSIENT, "42", None),
        ((202,), Kind.TRANSIENT, "42", None),
        ((105,), Kind.AUTH, "42", None),
        ((106,), Kind.AUTH, "42", None),
        ((108,), Kind.AUTH, None, None),
        ((109,), Kind.AUTH, None, None),
        ((116,), Kind.INTERNAL, "42", None),
        ((117,), Kind.RATE_LIMIT, "42", 60),
        ((117, 106), Kind.RATE_LIMIT, "42", 60),
        ((9_999, 106), Kind.AUTH, "42", None),
        ((120,), Kind.AUTH, None, None),
        ((122,), Kind.AUTH, None, None),
        ((126,), Kind.AUTH, None, None),
        ((207,), Kind.RATE_LIMIT, "42", 60),
        ((1234,), Kind.DATA, "42", None),
        ((2003,), Kind.DATA, "42", None),
        ((2004,), Kind.TRANSIENT, "42", None),
        ((2009,), Kind.CONFIG, "42", None),
        ((2010,), Kind.CONFIG, "42", None),
        ((2015,), Kind.CONFIG, None, None),
        ((2017,), Kind.CONFIG, None, None),
        ((2018,), Kind.DATA, "42", None),
        ((2028,), Kind.DATA, "42", None),
        ((2029,), Kind.DATA, "42", None),
        ((2034,), Kind.CONFIG, None, None),
        ((2035,), Kind.DATA, "42", None),
        ((2041,), Kind.CONFIG, "42", None),
        ((2053,), Kind.CONFIG, None, None),
        ((2059,), Kind.CONFIG, None, None),
        ((2100,), Kind.TRANSIENT, "42", None),
        ((2108,), Kind.DATA, "42", None),
        ((3207,), Kind.DATA, "42", None),
        ((4204,), Kind.RATE_LIMIT, "42", 60),
        ((None,), Kind.DATA, "42", None),
        ((), Kind.DATA, "42", None),
    ],
)
def test_a_code_has_a_kind_and_is_the_accounts_or_the_logins(
    codes: tuple[int | None, ...], kind: Kind, account_id: str | None, retry_after: float | None
) -> None:
    found = told(*codes)
    assert (found.kind, found.account_id, found.retry_after) == (kind, account_id, retry_after)
    assert found.message.startswith("Poll: error ")


def test_every_code_of_the_table_says_what_to_do() -> None:
    for code, remedy in CODES.items():
        found = told(code)
        assert found.kind is remedy.kind
        assert found.account_id == ("42" if remedy.scope == "account" else None)
        assert f"error {code} Symbol: {remedy.what_to_do}" in found.message


def test_the_documentation_shows_the_table() -> None:
    text = (ROOT / "docs/tables/microsoft.md").read_text().partition("\n## Error codes")[2]
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (\w+) \| (\w+) \| (.+) \|$", text, re.MULTILINE)
    assert rows == [
        (str(code), each.name, str(each.kind), each.scope, each.what_to_do) for code, each in sorted(CODES.items())
    ]


def test_an_unknown_code_is_named_with_its_tracking_id() -> None:
    found = told(7_654_321, tracking_id="0a1b-2c3d")
    assert "error 7654321 Symbol" in found.message
    assert "(tracking id 0a1b-2c3d)" in found.message


def test_a_refusal_of_the_user_is_no_accounts() -> None:
    assert told(105, account_id=None).account_id is None


def test_a_refusal_without_a_body_after_a_new_token_is_the_logins() -> None:
    found = told(status=401)
    assert (found.kind, found.account_id) == (Kind.AUTH, None)
    assert "HTTP status 401 after signing in anew" in found.message


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (207, TooManyReportsError),
        (2100, LostReportError),
        (2101, LostReportError),
        (3207, TooBigForOneFileError),
        (4204, BulkRefusedError),
    ],
)
def test_what_needs_more_than_a_repeated_call_is_not_repeated(code: int, error: type[PipelineError]) -> None:
    found = told(code)
    assert type(found) is error
    assert not is_passing(found)


def test_only_what_passes_is_called_again() -> None:
    assert [code for code in (0, 105, 106, 109, 117, 207, 1234) if is_passing(told(code))] == [0, 117]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Kind.RATE_LIMIT), (502, Kind.TRANSIENT), (408, Kind.TRANSIENT), (404, Kind.DATA), (403, Kind.DATA)],
)
def test_a_status_without_a_fault_has_a_kind(status: int, kind: Kind) -> None:
    assert of_status(status, "Poll").kind is kind


def test_silence_is_told_from_a_broken_line() -> None:
    assert "no answer within the request_timeout" in of_network(TimeoutError(), "Poll").message
    assert "no answer within the request_timeout" in of_network(requests.ReadTimeout("read timed out"), "Poll").message
    assert "the connection failed" in of_network(ConnectionResetError(), "Poll").message


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
        check_address(url, "report download", {})
        return
    with pytest.raises(PipelineError) as caught:
        check_address(url, "report download", {})
    assert "secret" not in caught.value.message
