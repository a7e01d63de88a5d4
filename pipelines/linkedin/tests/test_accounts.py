"""Accounts, lists and tokens that are odd: each is one account's matter, and the others are loaded."""

from __future__ import annotations

from typing import Any

import pytest

from wire import Kind

FIRST, SECOND = "5001234567", "5002469134"
TABLE = "creative_daily"
ALL = (
    *("account", "campaign_group", "campaign", "creative", "conversion"),
    *("campaign_group_daily", "campaign_daily", "creative_daily", "account_daily", "campaign_conversion_daily"),
)


def streams_of(run: Any, account: str) -> set[str]:
    return {region.stream for region in run.regions if region.where["account_id"] == account}


def loaded(run: Any) -> set[str]:
    return {row["account_id"] for row in run.store().rows[TABLE]}


def test_a_closed_account_keeps_its_last_days(start: Any) -> None:
    """REMOVED and CANCELED accounts stay readable because of their performance data."""
    with start(environment={"SANDBOX_LINKEDIN_CLOSED": FIRST}) as sandbox:
        run = sandbox.run(start_date="2026-11-12")
        store = run.store()
        expected = sandbox.truth(store.tables[TABLE], sandbox.world.as_of.date().replace(day=12))
    assert (run.status, run.errors) == (0, [])
    assert store.keyed(TABLE) == expected
    assert {row["status"] for row in store.rows["account"] if row["account_id"] == FIRST} == {"CANCELED"}


def test_a_closed_account_that_may_not_be_read_is_no_failure(sandbox: Any) -> None:
    closed = next(account.id for account in sandbox.world.accounts("linkedin") if account.closed)
    run = sandbox.run(start_date="2026-11-19", accounts=[closed])
    assert (run.status, run.errors) == (0, [])
    assert streams_of(run, closed) == {"account"}
    assert f"account {closed} is CANCELED and may not be read any more" in run.log
    assert "ACCESS_DENIED" in run.log


def test_an_account_without_currency_has_no_amounts_that_could_be_taken_for_others(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_MISSING": f"currency@{FIRST}"}) as sandbox:
        run = sandbox.run(start_date="2026-11-19")
    assert run.status == 65
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.DATA, FIRST)]
    assert "no currency" in run.errors[0].message
    assert streams_of(run, FIRST) == {"account", "campaign_group", "campaign", "creative"}
    assert loaded(run) == {SECOND}


def test_an_account_without_id_is_named_and_the_others_are_loaded(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_MISSING": f"id@{FIRST}"}) as sandbox:
        run = sandbox.run(start_date="2026-11-19")
    assert run.status == 65
    (error,) = run.errors
    assert error.kind is Kind.DATA
    assert "Linkedin Shop 1" in error.message
    assert loaded(run) == {SECOND}


@pytest.mark.parametrize("missing", ["name", "type", "reference", "servingStatuses", "changeAuditStamps", "test"])
def test_any_other_element_may_be_missing(start: Any, missing: str) -> None:
    with start(environment={"SANDBOX_LINKEDIN_MISSING": f"{missing}@{FIRST},{missing}@{SECOND}"}) as sandbox:
        run = sandbox.run(tables=["account"])
    assert (run.status, run.errors) == (0, [])


@pytest.mark.parametrize("odd", ["name", "status", "currency", "test", "id"])
def test_an_odd_value_is_the_accounts_error(start: Any, odd: str) -> None:
    with start(environment={"SANDBOX_LINKEDIN_ODD": f"{odd}@{FIRST}"}) as sandbox:
        run = sandbox.run(start_date="2026-11-19")
    assert run.status == 65
    assert [error.kind for error in run.errors] == [Kind.DATA]
    assert "a bug in this pipeline" not in run.log
    assert loaded(run) == {SECOND}


def test_an_account_that_is_not_listed_any_more_is_named(start: Any) -> None:
    with start() as sandbox:
        state = sandbox.run(tables=["campaign_daily"]).store().state
    with start(environment={"SANDBOX_LINKEDIN_UNLISTED": FIRST}) as sandbox:
        run = sandbox.run(tables=["campaign_daily"], state=state)
        chosen = sandbox.run(tables=["campaign_daily"], state=state, accounts=[SECOND])
    assert run.status == 77
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.AUTH, FIRST)]
    assert "was loaded before" in run.errors[0].message
    assert streams_of(run, FIRST) == set()
    assert streams_of(run, SECOND) == {"campaign_daily"}
    assert (chosen.status, chosen.errors) == (0, [])


def test_a_member_without_any_account_is_told_what_to_do(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_NO_ACCOUNTS": "true"}) as sandbox:
        run = sandbox.run()
        asked = sandbox.run(accounts=[FIRST])
    assert run.status == asked.status == 78
    assert "no access to any ad account" in run.errors[0].message
    assert "give the member a role" in run.errors[0].message
    assert [error.account_id for error in asked.errors] == [FIRST]


def test_what_is_listed_twice_the_same_way_is_one_row(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_REPEATED": "same"}) as sandbox:
        run = sandbox.run(start_date="2026-11-19")
        store = run.store()
        assert (run.status, run.errors) == (0, [])
        for name in ALL:
            assert store.keyed(name) == sandbox.truth(store.tables[name], sandbox.world.as_of.date().replace(day=19))


def test_what_is_listed_twice_in_two_ways_is_the_accounts_error(start: Any) -> None:
    """The first account itself, and a campaign group of each of the others, which the empty one has none of."""
    with start(environment={"SANDBOX_LINKEDIN_REPEATED": "changed"}) as sandbox:
        run = sandbox.run(start_date="2026-11-19")
        empty = sandbox.world.accounts("linkedin")[-2].id
    assert run.status == 65
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.DATA, FIRST), (Kind.DATA, SECOND)]
    assert all("twice, with different contents" in error.message for error in run.errors)
    assert streams_of(run, empty) == set(ALL)


def test_pages_that_name_each_other_end_as_an_error(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_CURSORS": "alternating"}) as sandbox:
        run = sandbox.run()
    assert run.status == 65
    assert "the next page is one that was read before" in run.errors[0].message


def test_a_search_that_is_refused_beside_a_page_token_is_left_to_the_token(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_TOKEN_ALONE": "true"}) as sandbox:
        run = sandbox.run(tables=["account"])
        assert (run.status, run.errors) == (0, [])
        assert len(run.store().rows["account"]) == len(sandbox.world.accounts("linkedin"))


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        ("error=400", Kind.INTERNAL, 70),
        ("error=403", Kind.AUTH, 77),
        ("error=404", Kind.AUTH, 77),
        ("error=409", Kind.INTERNAL, 70),
        ("empty_body", Kind.TRANSIENT, 75),
        ("html", Kind.TRANSIENT, 75),
        ("hang", Kind.TRANSIENT, 75),
    ],
)
def test_a_refusal_of_one_account_is_that_accounts_alone(start: Any, fault: str, kind: Kind, status: int) -> None:
    with start(f"{fault}/{FIRST}x99") as sandbox:
        run = sandbox.run(start_date="2026-11-19", retry_attempts=2, request_timeout=2)
    assert run.status == status
    assert [(error.kind, error.account_id) for error in run.errors] == [(kind, FIRST)]
    assert "a bug in this pipeline" not in run.log
    assert loaded(run) == {SECOND}
    if "=" in fault:
        assert f"HTTP {fault.partition('=')[2]}, " in run.errors[0].message


@pytest.mark.parametrize("code", [401, 426])
def test_a_refusal_of_the_login_ends_everything(start: Any, code: int) -> None:
    with start(f"error={code}/{FIRST}x99") as sandbox:
        run = sandbox.run(start_date="2026-11-19", retry_attempts=2)
    assert run.status == {401: 77, 426: 78}[code]
    assert [error.account_id for error in run.errors] == [None]


def test_a_new_token_may_take_a_moment(start: Any) -> None:
    """LinkedIn may answer 65601 to a token it issued seconds ago."""
    with start(environment={"SANDBOX_LINKEDIN_LATE_TOKENS": "1"}) as sandbox:
        run = sandbox.run(start_date="2026-11-19")
    assert (run.status, run.errors) == (0, [])
    assert "does not take the new access token (HTTP 401, REVOKED_ACCESS_TOKEN" in run.log


def test_a_new_token_that_is_never_taken_ends_as_refused_credentials(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_LATE_TOKENS": "99"}) as sandbox:
        run = sandbox.run(retry_attempts=3)
    assert run.status == 77
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.AUTH, None)]
    assert "authorize the application again" in run.errors[0].message
