"""What the platform does wrong, and how it ends."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from wire import Kind

SINCE = dt.date(2026, 11, 12)
TABLE = "creative_daily"


def complete(sandbox: Any, run: Any) -> bool:
    store = run.store()
    return bool(store.keyed(TABLE) == sandbox.truth(store.tables[TABLE], SINCE))


@pytest.mark.parametrize(
    ("faults", "log", "times"),
    [
        (["rate_limit@3x2", "rate_limit@9x2"], "45 million metric values", 2),
        (["rate_limit", "rate_limit@6"], "too many requests", 1),
        (["server_error", "server_error@7x2"], "HTTP 50", 3),
        (["html@1x2", "html@8"], "HTTP 502, an HTML page", 3),
        (["broken_connection", "broken_connection@8"], "the connection broke", 2),
        (["expired_token@2", "expired_token@9"], "the access token is refused; it is renewed", 2),
    ],
)
def test_a_passing_fault_costs_no_row(start: Any, faults: list[str], log: str, times: int) -> None:
    with start(*faults) as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat(), concurrency=1)
        assert (run.status, run.errors) == (0, [])
        assert complete(sandbox, run)
    assert run.log.count(log) == times


@pytest.mark.parametrize("fault", ["hang", "hang@9"])
def test_a_server_that_hangs_is_given_up_and_asked_again(start: Any, fault: str) -> None:
    with start(fault) as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat(), request_timeout=0.4)
        assert (run.status, run.errors) == (0, [])
        assert complete(sandbox, run)
    assert "no answer within 0.4 s" in run.log


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("server_error", Kind.TRANSIENT),
        ("rate_limit", Kind.RATE_LIMIT),
        ("html", Kind.TRANSIENT),
        ("broken_connection", Kind.TRANSIENT),
    ],
)
def test_an_account_that_fails_does_not_take_the_others_along(start: Any, fault: str, kind: Kind) -> None:
    """The fifth request for the first account and its repetition."""
    with start(f"{fault}/5001234567@4x2") as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat(), retry_attempts=2)
        accounts = [account.id for account in sandbox.world.accounts("linkedin")]
        assert run.status == 75
        assert [(error.kind, error.account_id) for error in run.errors] == [(kind, accounts[0])]
        store = run.store()
        others = {
            key: row
            for key, row in sandbox.truth(store.tables[TABLE], SINCE).items()
            if row["account_id"] != accounts[0]
        }
        assert store.keyed(TABLE) == others


def test_a_platform_that_is_down_ends_as_temporary(start: Any) -> None:
    with start("server_error@0x99") as sandbox:
        run = sandbox.run(retry_attempts=3)
    assert run.status == 75
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.TRANSIENT, None)]


@pytest.mark.parametrize("fault", ["revoked_token", "revoked_token@9"])
def test_a_revoked_refresh_token_ends_everything_at_once(start: Any, fault: str) -> None:
    with start(fault) as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat())
    assert run.status == 77
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.AUTH, None)]
    assert "set LINKEDIN_REFRESH_TOKEN" in run.errors[0].message


ALONE = dict.fromkeys(("LINKEDIN_REFRESH_TOKEN", "LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET"))


def test_an_access_token_alone_is_enough(sandbox: Any) -> None:
    run = sandbox.run(start_date=SINCE.isoformat(), environment=ALONE)
    assert (run.status, run.errors) == (0, [])
    assert complete(sandbox, run)


def test_an_access_token_alone_that_expires_ends_everything(start: Any) -> None:
    with start("expired_token@9") as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat(), environment=ALONE)
    assert run.status == 77
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.AUTH, None)]
    assert "EXPIRED_ACCESS_TOKEN" in run.errors[0].message


def test_an_account_that_may_not_be_read_fails_alone(start: Any) -> None:
    forbidden = "5001234567"
    with start(environment={"SANDBOX_LINKEDIN_FORBIDDEN": forbidden}) as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat())
        loaded = {row["account_id"] for row in run.store().rows[TABLE]}
    assert run.status == 77
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.AUTH, forbidden)]
    assert "r_ads_reporting" in run.errors[0].message
    assert loaded == {"5002469134"}


def test_a_daily_quota_is_not_knocked_at_again(start: Any) -> None:
    """One call is refused; the other accounts' reports are given up without another, and entities go on."""
    with start(environment={"SANDBOX_LINKEDIN_DAILY_CALLS": "3"}) as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat(), environment={"LOG_LEVEL": "DEBUG"}, concurrency=1)
        live = [account for account in sandbox.world.accounts("linkedin") if not account.closed]
    assert run.status == 75
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.QUOTA, each.id) for each in live]
    assert {error.retry_after for error in run.errors} == {(24 - 15.5) * 3600}
    assert len(re.findall(r"adAnalytics\?.* 429 ", run.log)) == 1
    assert {row["account_id"] for row in run.store().rows["creative"]} == {each.id for each in live if each.campaigns}


def test_the_log_of_a_debugging_operator_has_no_secret_either(start: Any) -> None:
    with start("expired_token@5", "rate_limit@9") as sandbox:
        run = sandbox.run(start_date=SINCE.isoformat(), environment={"LOG_LEVEL": "DEBUG"})
    assert run.status == 0
    assert "DEBUG" in run.log
