"""The parts that need no server: values, families of actions, usage headers, errors, days, and the documentation."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from facebook_pipeline import values
from facebook_pipeline.accounts import blamed_on, listed_accounts
from facebook_pipeline.actions import LEADS, PURCHASES, exploded, total
from facebook_pipeline.errors import (
    RULES,
    DeletedRefusedError,
    LostRunError,
    ObjectRefusedError,
    Scope,
    TooMuchDataError,
    UnexplainedError,
    api_failure,
    is_mendable,
    redacted,
)
from facebook_pipeline.insights import REPORTS
from facebook_pipeline.settings import Settings
from facebook_pipeline.tables import TABLES
from facebook_pipeline.usage import regain_seconds, utilisation
from wire import Kind, PipelineError

DOCUMENT = Path(__file__).parents[3] / "docs" / "tables" / "facebook.md"


def test_missing_stays_missing():
    readers = (values.text, values.integer, values.number, values.decimal, values.boolean, values.instant)
    assert [read(None) for read in readers] == [None] * len(readers)
    assert values.from_minor_units(None, "EUR") is None
    assert total(None, (PURCHASES,)) is None


@pytest.mark.parametrize(
    ("value", "currency", "amount"),
    [("2550", "EUR", "25.5"), ("1", "USD", "0.01"), ("2550", "JPY", "2550"), (7, "HUF", "7"), ("0", "EUR", "0")],
)
def test_budgets_are_told_in_the_smallest_unit_which_depends_on_the_currency(value, currency, amount):
    assert Decimal(values.from_minor_units(value, currency)) == Decimal(amount)


def test_money_is_exact_and_without_exponent():
    assert values.decimal("12.345678901234567890") == "12.345678901234567890"
    assert values.decimal("1E-7") == "0.0000001"


def test_times_get_a_colon_in_their_offset():
    assert values.instant("2026-01-31T08:00:00+0100") == "2026-01-31T08:00:00+01:00"


def entries(**counts):
    return [{"action_type": name.replace("__", "."), "value": str(count)} for name, count in counts.items()]


@pytest.mark.parametrize(
    ("listed", "purchases"),
    [
        (entries(omni_purchase=5, purchase=4, offsite_conversion__fb_pixel_purchase=3), 5),
        (entries(purchase=4, offsite_conversion__fb_pixel_purchase=3), 4),
        (entries(offsite_conversion__fb_pixel_purchase=3, link_click=99), 3),
        (entries(link_click=99), None),
        ([], None),
    ],
)
def test_a_purchase_is_counted_by_its_widest_type_only(listed, purchases):
    assert total(listed, (PURCHASES,)) == purchases


def test_leads_on_and_off_facebook_are_added_only_without_their_sum():
    parts = entries(onsite_conversion__lead_grouped=2, offsite_conversion__fb_pixel_lead=3)
    assert total(parts, (LEADS,)) == 5
    assert total([*parts, *entries(lead=6)], (LEADS,)) == 6
    assert total([*parts, *entries(purchase=10)], (PURCHASES, LEADS)) == 15


def test_a_window_without_a_count_is_not_filled_from_another_type():
    listed = [
        {"action_type": "omni_purchase", "value": "5", "7d_click": "5"},
        {"action_type": "purchase", "value": "5", "1d_view": "2"},
    ]
    assert total(listed, (PURCHASES,), "1d_view") is None
    assert total(listed, (PURCHASES,), "7d_click") == 5


def test_every_window_of_an_action_becomes_a_value():
    listed = [{"action_type": "lead", "value": "3", "1d_view": "1"}]
    assert list(exploded(listed)) == [("lead", "default", "3"), ("lead", "1d_view", "1")]
    assert list(exploded(None)) == []


def test_usage_is_the_highest_of_all_headers():
    spent = {"type": "ads_insights", "call_count": 97, "total_time": 3, "estimated_time_to_regain_access": 4}
    headers = {
        "X-App-Usage": '{"call_count": 28, "total_time": 25}',
        "X-Business-Use-Case-Usage": json.dumps({"1": [spent, {**spent, "estimated_time_to_regain_access": 2}]}),
        "X-FB-Ads-Insights-Throttle": '{"app_id_util_pct": 40.5}',
    }
    assert utilisation(headers) == 97
    assert regain_seconds(headers) == 240


def test_another_accounts_usage_is_no_reason_to_wait():
    spent = [{"call_count": 99, "estimated_time_to_regain_access": 4}]
    headers = {"x-business-use-case-usage": json.dumps({"1": spent, "2": [{"call_count": 5}]})}
    assert utilisation(headers, "2") == 5
    assert regain_seconds(headers, "2") is None
    assert regain_seconds(headers, "1") == 240
    assert utilisation(headers, "3") == 99, "the entry of a business concerns all of its accounts"


def test_a_used_up_account_is_waited_for_until_its_reset():
    full = {"x-ad-account-usage": '{"acc_id_util_pct": 99.5, "reset_time_duration": 100}'}
    assert (utilisation(full, "1"), regain_seconds(full, "1")) == (99.5, 100)
    assert regain_seconds({"x-ad-account-usage": '{"acc_id_util_pct": 9.67, "reset_time_duration": 100}'}) is None


@pytest.mark.parametrize("text", ["", "not json", "[]", "7", '{"1": [3]}', '{"1": {"call_count": null}}'])
def test_a_header_that_says_nothing_is_no_usage(text):
    assert utilisation({"x-business-use-case-usage": text}) == 0
    assert regain_seconds({"x-business-use-case-usage": text}) is None


def failure(code, subcode=None, message="said", status=400, headers=None, **more):
    error = {"code": code, "error_subcode": subcode, "message": message, **more}
    return api_failure("GET act_1/insights", status, error, headers or {})


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80000, 80003, 80004, 80005, 80014])
def test_rate_limits_wait_as_long_as_the_header_says(code):
    usage = json.dumps({"1": [{"estimated_time_to_regain_access": 3}]})
    error = failure(code, is_transient=False, headers={"X-Business-Use-Case-Usage": usage})
    assert error.kind is Kind.RATE_LIMIT
    assert error.retry_after == 180
    assert failure(code).retry_after is None
    assert is_mendable(error)


@pytest.mark.parametrize(
    ("code", "subcode", "kind", "mendable"),
    [
        (1, None, Kind.TRANSIENT, True),
        (2, None, Kind.TRANSIENT, True),
        (960, None, Kind.TRANSIENT, True),
        (2601, 1815107, Kind.TRANSIENT, True),
        (100, 2490547, Kind.TRANSIENT, True),
        (100, 1487534, Kind.TRANSIENT, False),
        (100, 1504018, Kind.TRANSIENT, False),
        (2, 1504038, Kind.TRANSIENT, False),
        (190, 463, Kind.AUTH, False),
        (102, None, Kind.AUTH, False),
        (10, None, Kind.AUTH, False),
        (200, None, Kind.AUTH, False),
        (294, None, Kind.AUTH, False),
        (100, 33, Kind.CONFIG, False),
        (3018, None, Kind.CONFIG, False),
        (2635, None, Kind.CONFIG, False),
        (100, None, Kind.INTERNAL, False),
    ],
)
def test_codes_have_remedies(code, subcode, kind, mendable):
    error = failure(code, subcode)
    assert (error.kind, is_mendable(error)) == (kind, mendable)


def test_refusals_of_one_object_are_told_apart_from_those_of_the_token():
    assert isinstance(failure(200), ObjectRefusedError)
    assert isinstance(failure(100, 33), ObjectRefusedError)
    assert not isinstance(failure(190), ObjectRefusedError)
    assert isinstance(failure(100, 1815001), DeletedRefusedError)
    assert isinstance(failure(1, message="Please reduce the amount of data you're asking for"), TooMuchDataError)


@pytest.mark.parametrize("told", [(3,), (10,), (294,), (368,), (1, 2853001), (100, None, "(#100) Missing permissions")])
def test_a_permission_that_is_missing_is_the_accounts(told):
    error = failure(*told)
    assert isinstance(error, ObjectRefusedError)
    assert (error.kind, error.scope) == (Kind.AUTH, Scope.ACCOUNT)


@pytest.mark.parametrize(
    ("told", "scope"), [((190, 460), Scope.LOGIN), ((2635,), Scope.LOGIN), ((3018,), Scope.ACCOUNT)]
)
def test_only_the_login_ends_the_run(told, scope):
    assert failure(*told).scope is scope


def test_what_a_new_job_or_a_smaller_page_mends_is_told_apart():
    assert isinstance(failure(2601, 1815107), LostRunError)
    assert isinstance(failure(100, None, "Error accessing adreport job"), LostRunError)
    assert isinstance(failure(1, 99, "An unknown error occurred", status=500), UnexplainedError)
    assert isinstance(failure(99), UnexplainedError)


def test_the_document_shows_the_table_of_refusals():
    rows = [line.strip("|").split("|") for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    shown = [tuple(cell.strip() for cell in row) for row in rows]
    first = shown.index(("code", "kind", "whose", "what happens", "what to do")) + 2
    expected = [(", ".join(rule.when), rule.kind, rule.scope, rule.does, rule.remedy) for rule in RULES]
    assert shown[first : first + len(RULES)] == expected
    assert shown[first + len(RULES)] == ("",)


def test_an_unknown_code_of_a_server_error_is_transient():
    assert failure(7777, status=503).kind is Kind.TRANSIENT
    assert failure(7777, is_transient=True).kind is Kind.TRANSIENT
    assert failure(7777).kind is Kind.DATA
    assert "code 7777" in failure(7777).message


@pytest.mark.parametrize(
    "text",
    [
        "url: /v26.0/me?access_token=TOPSECRET&fields=id",
        "Malformed access token EAATOPSECRETxyz",
        '{"access_token": "TOPSECRET"}',
        "appsecret_proof=TOPSECRET",
        "given: TOPSECRET",
    ],
)
def test_whatever_looks_like_a_token_is_cut_out(text):
    assert "TOPSECRET" not in redacted(text, ("TOPSECRET",))
    if "given" not in text:
        assert "TOPSECRET" not in redacted(text)


def test_account_ids_are_digits_and_listed_once():
    settings = Settings(accounts=("act_1", 2, "1"))
    assert settings.account_ids({}) == ("1", "2")
    assert Settings().account_ids({"FACEBOOK_AD_ACCOUNT_IDS": "act_5,,6"}) == ("5", "6")
    assert Settings(accounts=("1",)).account_ids({"FACEBOOK_AD_ACCOUNT_IDS": "5"}) == ("5",)
    assert Settings().account_ids({}) == ()


def test_a_token_without_accounts_is_no_success():
    graph = SimpleNamespace(pages=lambda *path, **params: iter([[], []]))
    with pytest.raises(PipelineError, match="the access token can read no ad account") as caught:
        listed_accounts(graph, Settings())
    assert caught.value.exit_status == 78


def test_what_a_closed_account_refuses_is_told_and_what_another_refuses_is_its_failure(caplog):
    with caplog.at_level("INFO"), blamed_on("7", is_closed=True):
        raise ObjectRefusedError(Kind.AUTH, "no permission")
    assert "account 7 is closed and shows no more: no permission" in caplog.text
    with pytest.raises(PipelineError) as caught, blamed_on("8"):
        raise ObjectRefusedError(Kind.AUTH, "no permission")
    assert (caught.value.kind, caught.value.account_id) == (Kind.AUTH, "8")


def test_a_row_without_its_id_is_an_error_not_a_null_key():
    for report in REPORTS:
        for each in () if report.level == "account" else report.tables:
            raw = {"date_start": "2026-11-01", "actions": [{"action_type": "lead", "value": "1"}]}
            with pytest.raises(KeyError):
                list(each.rows(raw, "1", dt.date(2026, 11, 2)))


def test_an_empty_answer_row_has_nulls_everywhere():
    raw = {"date_start": "2026-11-01", "campaign_id": "1"}
    (row,) = REPORTS[0].tables[0].rows(raw, "9", dt.date(2026, 11, 2))
    filled = {name: value for name, value in row.items() if value is not None}
    assert filled == {"account_id": "9", "date": "2026-11-01", "campaign_id": "1", "is_final": True}


def documented():
    """Table -> columns, as the document lists them."""
    tables: dict[str, list[str]] = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `(\w+)`", line):
            columns = tables.setdefault(heading[1], [])
        elif column := re.match(r"\| `(\w+)` \|", line):
            columns.append(column[1])
    return tables


def test_the_document_lists_exactly_the_columns_there_are():
    assert documented() == {table.name: [column.name for column in table.columns] for table in TABLES}
