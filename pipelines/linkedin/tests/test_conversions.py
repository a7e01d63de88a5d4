"""From LinkedIn's values to columns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkedin_pipeline.analytics import Analytics, Key, stitch
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.fields import (
    Field,
    amount,
    day,
    exact,
    flag,
    instant,
    integral,
    last_of_urn,
    moment,
    structure,
    whole,
)
from linkedin_pipeline.metrics import METRICS
from linkedin_pipeline.names import Names
from linkedin_pipeline.report_table import METRICS_PER_CALL
from linkedin_pipeline.tables import CAMPAIGN, CAMPAIGN_GROUP, REPORTS
from wire import Kind, PipelineError

CALLS = REPORTS[0].calls
NOTHING = dict.fromkeys(metric.name for metric in METRICS)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("12.50", "12.50"),
        ("0", "0"),
        ("1E-18", "0.000000000000000001"),
        ("-3.1", "-3.1"),
        ("1.5E+3", "1500"),
        ("0.1234567890123456785", "0.123456789012345678"),
        ("12345678901234567890.1234567890123456785", "12345678901234567890.123456789012345678"),
        (Decimal("0.10"), "0.10"),
        (7, "7"),
    ],
)
def test_amounts_are_exact(sent: str | int | Decimal, kept: str) -> None:
    assert exact(sent) == kept


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**19), max_value=10**19, places=18))
def test_any_amount_with_eighteen_digits_survives(amount: Decimal) -> None:
    assert Decimal(exact(str(amount))) == amount


def test_ids_instants_and_days() -> None:
    assert (last_of_urn("urn:li:sponsoredCreative:123"), last_of_urn(123)) == ("123", "123")
    assert instant(1_600_000_000_123) == "2020-09-13T12:26:40.123000+00:00"
    assert day({"year": 2026, "month": 1, "day": 5}) == "2026-01-05"


def test_a_path_that_ends_early_is_missing() -> None:
    created = moment("created_at", "changeAuditStamps.created.time")
    assert created.value({"changeAuditStamps": {"created": {"time": 0}}}) == "1970-01-01T00:00:00+00:00"
    assert [created.value(each) for each in ({}, {"changeAuditStamps": {}}, {"changeAuditStamps": None})] == [None] * 3
    assert whole("clicks", "clicks").value({"clicks": 0}) == 0


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        (whole("n", "a.b"), Decimal("1.5")),
        (whole("n", "a.b"), "many"),
        (amount("n", "a.b"), "12,50"),
        (amount("n", "a.b"), "NaN"),
        (flag("n", "a.b"), "false"),
        (moment("n", "a.b"), "yesterday"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_column(field: Field, sent: object) -> None:
    with pytest.raises(PipelineError, match=r"a\.b: .* is no value for the column n") as raised:
        field.value({"a": {"b": sent}})
    assert raised.value.kind is Kind.DATA


def test_structures_keep_their_numbers() -> None:
    assert structure("n", "a").value({"a": {"b": [Decimal("1.5"), 2, "x", None]}}) == {"b": [1.5, 2, "x", None]}
    assert type(structure("n", "a").value({"a": [Decimal("1.5")]})[0]) is float


def test_counts_may_be_spelled_in_other_ways() -> None:
    assert [integral(each) for each in (3, "3", Decimal("3.0"))] == [3, 3, 3]


def test_every_call_stays_below_the_limit_of_fields() -> None:
    assert len(CALLS) > 1
    assert all(len(call) + 2 <= 20 for call in CALLS)
    assert [metric for call in CALLS for metric in call] == list(METRICS)
    assert METRICS_PER_CALL + 2 <= 20
    assert all("." not in metric.source for metric in METRICS)


def test_a_row_that_only_one_call_has_keeps_none_for_the_others() -> None:
    first, second = CALLS
    stitched: dict[Key, dict[str, object]] = {}
    stitch(stitched, NOTHING, first, iter([((("1",), "d"), {"clicks": 3}), ((("2",), "d"), {"clicks": 0})]))
    stitch(stitched, NOTHING, second, iter([((("2",), "d"), {"likes": 1}), ((("3",), "d"), {"likes": 2})]))
    assert {key: (row["clicks"], row["likes"]) for key, row in stitched.items()} == {
        (("1",), "d"): (3, None),
        (("2",), "d"): (0, 1),
        (("3",), "d"): (None, 2),
    }
    assert all(set(row) == {metric.name for metric in METRICS} for row in stitched.values())


def test_a_row_that_one_answer_has_twice_is_one_row_or_an_error() -> None:
    first, _ = CALLS
    stitched: dict[Key, dict[str, object]] = {}
    stitch(stitched, NOTHING, first, iter([((("1",), "d"), {"clicks": 3}), ((("1",), "d"), {"clicks": 3})]))
    assert [row["clicks"] for row in stitched.values()] == [3]
    with pytest.raises(
        PipelineError, match="two different rows of 1 on d in one answer, which differ in clicks"
    ) as error:
        stitch({}, NOTHING, first, iter([((("1",), "d"), {"clicks": 3}), ((("1",), "d"), {"clicks": 4})]))
    assert error.value.kind is Kind.DATA


def directory(campaigns: int) -> Directory:
    made = Directory()
    groups = [{"campaign_group_id": "1", "name": "G", "status": "ACTIVE"}]
    rows = [
        {"campaign_id": str(n), "campaign_group_id": "1", "name": f"C{n}", "status": "ARCHIVED" if n % 2 else "PAUSED"}
        for n in range(campaigns)
    ]
    list(made.noting(CAMPAIGN_GROUP, iter(groups)))
    list(made.noting(CAMPAIGN, iter(rows)))
    return made


def test_names_come_from_every_level_and_what_is_not_listed_has_none() -> None:
    known = directory(3).columns("campaign", "2")
    assert known == {
        "campaign_id": "2",
        "campaign_name": "C2",
        "campaign_group_id": "1",
        "campaign_group_name": "G",
    }
    assert directory(3).columns("creative", "9") == {
        "creative_id": "9",
        "creative_name": None,
        "campaign_id": None,
        "campaign_name": None,
        "campaign_group_id": None,
        "campaign_group_name": None,
    }


@pytest.mark.parametrize(("campaigns", "days"), [(0, 31), (10, 31), (2_000, 14), (60_000, 1)])
def test_windows_are_as_long_as_the_serving_campaigns_allow(campaigns: int, days: int) -> None:
    report = next(each for each in REPORTS if each.name == "campaign_daily")
    client: Any = None  # nobody is asked
    names = Names(client)
    analytics = Analytics(
        client, directory(campaigns), account_id="5", currency="EUR", element_limit=15_000, names=names
    )
    assert analytics.window_days(report) == days
