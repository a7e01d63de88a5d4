"""What goes wrong on one account, one level or one page stays there; silence is doubted; the sandbox does the rest."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from sandbox.facebook.truth import TABLES, truth
from sandbox.world import World
from wire import Kind

FIRST, SECOND, ENDED = "4001234567", "4002469134", "4003703701"
WEEK = {"start_date": "2026-11-16", "lookback_days": 6}


@pytest.fixture
def equals_truth(store, same, as_of):
    """`equals_truth(outcome)`: every table holds what it must, since the 16th."""

    def equals_truth(outcome, *, size="tiny", tables=TABLES, accounts=None):
        store.load(outcome)
        for name in tables:
            expected = truth(World.at(as_of, size), name, dt.date(2026, 11, 16), as_of.date() + dt.timedelta(days=1))
            wanted = [row for row in expected if accounts is None or row["account_id"] in accounts]
            same(store[name], wanted, outcome.tables[name].key)

    return equals_truth


def run_with(run, sandbox, *faults, size="tiny", state=None, **config):
    with sandbox(size, faults=faults) as environment:
        return run(environment, config=WEEK | config, state=state).read()


def test_a_day_that_is_too_large_is_asked_for_object_by_object(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "too_much_datax9999", accounts=[SECOND])
    assert outcome.status == 0, outcome.stderr
    assert "asking for insights of level ad for 2026-11-22 in parts" in outcome.stderr
    equals_truth(outcome, accounts=[SECOND])


def test_deleted_objects_are_among_the_parts(run, sandbox, equals_truth):
    deleting = "4001234567"
    config = {"accounts": [deleting], "tables": ["ad_set_daily"], "window_days": 1}
    outcome = run_with(run, sandbox, "too_much_datax9999", size="small", **config)
    assert outcome.status == 0, outcome.stderr
    equals_truth(outcome, size="small", tables=["ad_set_daily"], accounts=[deleting])


def test_an_object_that_is_in_no_list_loses_no_rows(run, sandbox, equals_truth):
    """The account's own total says that something is missing: the day is an error, and the other days are loaded."""
    config = {"accounts": [FIRST], "tables": ["campaign_daily"], "window_days": 1}
    faults = "too_much_data", "unlisted_object"
    outcome = run_with(run, sandbox, *faults, **config)
    assert outcome.status == 65
    assert [error.account_id for error in outcome.errors] == [FIRST]
    assert "insights of level campaign for 2026-11-22: its parts have" in outcome.errors[0].message
    assert outcome.days("campaign_daily", FIRST) == {f"2026-11-{day}" for day in range(16, 22)}


def test_a_row_that_cannot_be_read_leaves_the_other_levels(run, sandbox, equals_truth):
    config = {"accounts": [FIRST], "tables": ["campaign_daily", "ad_set_daily", "ad_daily"]}
    outcome = run_with(run, sandbox, "future_value@1", **config)
    assert outcome.status == 65
    assert [error.account_id for error in outcome.errors] == [FIRST]
    assert "ad_set_daily: a row of 2026-11-16 cannot be read" in outcome.errors[0].message
    assert outcome.rows("ad_set_daily") == []
    equals_truth(outcome, tables=["campaign_daily", "ad_daily"], accounts=[FIRST])


def test_pages_that_fail_without_a_reason_are_asked_for_smaller(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "large_pagex9999", size="small", retry_attempts=3)
    assert outcome.status == 0, outcome.stderr
    assert "An unknown error occurred (code 1/99, trace AsandboxTrace); asking for pages of" in outcome.stderr
    equals_truth(outcome, size="small")


def test_a_single_object_that_is_too_much_is_asked_for_again(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "large_objectx9999", "large_single_objectx2", tables=["campaign"])
    assert outcome.status == 0, outcome.stderr
    assert "retry 1" in outcome.stderr
    equals_truth(outcome, tables=["campaign"])


def test_a_finished_run_that_is_gone_is_made_again(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "lost_run@1x2")
    assert outcome.status == 0, outcome.stderr
    assert "does not exist" in outcome.stderr
    equals_truth(outcome)


@pytest.mark.parametrize("after", [0, 1, 4, 8])
def test_an_answer_without_its_list_empties_nothing(after, run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, f"empty_answer@{after}x9999", retry_attempts=2)
    assert outcome.status == 75
    assert all("answered without 'data'" in error.message for error in outcome.errors)
    assert all(rows for region, rows in outcome.regions if region.where == {"account_id": FIRST})


def test_a_passing_answer_without_its_list_is_asked_for_again(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "empty_answer@6x2")
    assert outcome.status == 0, outcome.stderr
    equals_truth(outcome)


def test_cursors_that_go_round_are_an_error_of_that_account(run, sandbox, equals_truth):
    config = {"page_size": 2, "tables": ["account", "ad"], "retry_attempts": 2}
    outcome = run_with(run, sandbox, "cursor_cyclex9999", **config, accounts=[FIRST])
    assert outcome.status == 75
    assert [error.account_id for error in outcome.errors] == [FIRST]
    assert "the next page is one that was read already" in outcome.errors[0].message


def test_an_object_listed_twice_is_one_row(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "repeated_object@1x4", tables=["campaign", "ad_set", "ad", "creative"])
    assert outcome.status == 0, outcome.stderr
    equals_truth(outcome, tables=["campaign", "ad_set", "ad", "creative"])


def test_an_object_listed_twice_with_different_values_is_its_accounts_error(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "changed_object@1", tables=["campaign"], concurrency=1)
    assert outcome.status == 65
    assert [error.account_id for error in outcome.errors] == [FIRST]
    assert re.search(r"campaign: \d+ is listed twice with different values", outcome.errors[0].message)
    equals_truth(outcome, tables=["campaign"], accounts=[SECOND, ENDED])


def test_an_account_without_its_currency_leaves_the_others(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, "missing_value")
    assert outcome.status == 65
    assert [(error.account_id, error.kind) for error in outcome.errors] == [(FIRST, Kind.DATA)]
    assert outcome.errors[0].message == f"Facebook does not tell the currency of ad account {FIRST}"
    others = {account.id for account in World.at(dt.datetime.now(dt.UTC), "tiny").accounts("facebook")} - {FIRST}
    equals_truth(outcome, accounts=others)


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [(3, Kind.AUTH, 77), (200, Kind.AUTH, 77), (368, Kind.AUTH, 77), (3018, Kind.CONFIG, 78), (7777, Kind.DATA, 65)],
)
def test_what_one_account_is_refused_leaves_the_others(code, kind, status, run, sandbox):
    outcome = run_with(run, sandbox, f"error={code}/{FIRST}x9999", tables=["account", "campaign_daily"])
    assert outcome.status == status
    assert [(error.account_id, error.kind) for error in outcome.errors] == [(FIRST, kind)]
    assert f"code {code}" in outcome.errors[0].message
    assert "bug" not in outcome.errors[0].message
    assert {row["account_id"] for row in outcome.rows("campaign_daily")} == {SECOND}


def test_custom_conversions_that_an_account_is_refused_are_lost_alone(run, sandbox, equals_truth):
    """Without concurrency the first request reads an account, and the second its custom conversions."""
    tables = ["custom_conversion", "campaign_daily"]
    outcome = run_with(run, sandbox, f"error=200/{FIRST}@1", tables=tables, accounts=[FIRST, SECOND], concurrency=1)
    assert outcome.status == 77
    assert [(error.account_id, error.kind) for error in outcome.errors] == [(FIRST, Kind.AUTH)]
    assert outcome.errors[0].message.startswith(f"custom_conversion: GET act_{FIRST}/customconversions: ")
    equals_truth(outcome, tables=["campaign_daily"], accounts=[FIRST, SECOND])
    equals_truth(outcome, tables=["custom_conversion"], accounts=[SECOND])


def test_custom_conversions_that_a_closed_account_refuses_are_no_failure(run, sandbox, equals_truth):
    tables = ["custom_conversion", "campaign_daily"]
    outcome = run_with(run, sandbox, f"error=200/{ENDED}@1", tables=tables, accounts=[ENDED])
    assert (outcome.status, outcome.errors) == (0, []), outcome.stderr
    assert f"account {ENDED} is closed and shows no custom_conversion: " in outcome.stderr


def test_the_last_days_of_a_closed_account_are_loaded(run, sandbox, equals_truth):
    outcome = run_with(run, sandbox, accounts=[ENDED], start_date="2026-11-09", lookback_days=28)
    assert outcome.status == 0, outcome.stderr
    assert [row["account_status_name"] for row in outcome.rows("account")] == ["CLOSED"]
    assert max(row["date"] for row in outcome.rows("campaign_daily")) == dt.date(2026, 11, 14)


def test_what_a_closed_account_refuses_is_no_failure(run, sandbox):
    outcome = run_with(run, sandbox, f"error=200/{ENDED}@1x9999", accounts=[ENDED])
    assert (outcome.status, outcome.errors) == (0, [])
    assert f"account {ENDED} is closed and shows no more" in outcome.stderr


def regions_of(outcome, name, account_id=FIRST):
    return [
        region for region, _ in outcome.regions if region.stream == name and region.where["account_id"] == account_id
    ]


@pytest.mark.parametrize("table", ["campaign_daily", "account_daily"])
def test_a_report_that_is_empty_although_the_account_has_numbers_is_not_confirmed(run, sandbox, table):
    """The account's own report is held against its campaigns."""
    first = run_with(run, sandbox, tables=[table], accounts=[FIRST])
    again = run_with(run, sandbox, "empty_job", tables=[table], accounts=[FIRST], state=first.state)
    (region,) = regions_of(again, table)
    assert (region.rows, region.confirmed) == (0, False)


def test_days_on_which_the_account_has_nothing_are_confirmed_by_its_total(run, sandbox):
    empty = "4000000077"
    tables = ["campaign_daily", "ad_daily", "ad_daily_actions", "account_daily"]
    config = {"accounts": [empty], "tables": tables, "window_days": 3}
    first = run_with(run, sandbox, **config)
    assert not any(region.confirmed for region, _ in first.regions), "nothing was there, so there is nothing to doubt"
    again = run_with(run, sandbox, **config, state=first.state)
    assert {(region.rows, region.confirmed) for region, _ in again.regions if region.last != "2026-11-22"} == {
        (0, True)
    }
    # A look more or less at the jobs depends on the time; a question for each window or table would be six at least.
    assert calls(again) - calls(first) <= 4, "one question serves all windows, and all tables but the account's own"


def test_objects_that_are_no_longer_listed_are_counted_apart(run, sandbox):
    config = {"accounts": ["4000000077"], "tables": ["campaign", "creative", "custom_conversion"]}
    again = run_with(run, sandbox, **config, state=run_with(run, sandbox, **config).state)
    assert [region.confirmed for region, _ in again.regions] == [True, True, True]


def calls(outcome):
    """How many requests a run made, as it says itself."""
    points = re.findall(r"METRIC: (\{.*\})", outcome.stderr)
    return sum(p["value"] for p in map(json.loads, points) if p["metric"] == "http_request_count")


def test_each_result_page_is_read_once_and_runs_are_polled_together(run, sandbox):
    one = run_with(run, sandbox, tables=["ad_daily"], accounts=[FIRST], window_days=1)
    both = run_with(run, sandbox, tables=["ad_daily", "ad_daily_actions"], accounts=[FIRST], window_days=1)
    assert len(both.regions) == 2 * len(one.regions) == 14
    # The account itself, and for each of seven days a start and a page; what is left are looks at several runs at once.
    assert calls(both) <= 1 + 2 * 7 + 7


def test_ad_sets_with_different_attribution_settings_have_no_conversions_together(run, sandbox, equals_truth):
    yen = "4003703701"
    outcome = run_with(run, sandbox, size="small", accounts=[yen], tables=["campaign_daily", "ad_set_daily"])
    mixed = [row for row in outcome.rows("campaign_daily") if row["attribution_setting"] is None]
    assert mixed
    assert {row["conversions"] for row in mixed} == {None}
    assert any(row["conversions"] for row in outcome.rows("ad_set_daily"))
    equals_truth(outcome, size="small", tables=["campaign_daily", "ad_set_daily"], accounts=[yen])
