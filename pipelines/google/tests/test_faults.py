"""Whatever the platform does, the run ends complete, or says in one line why not."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from sandbox.google.truth import truth
from sandbox.world import World
from wire import Kind

AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
FEW = {"tables": ["campaign", "campaign_daily"], "start_date": "2026-11-01"}
IN_TURN = {"concurrency": 1}
"""One request at a time, so that a fault strikes whom it is meant for."""


def complete(result, world):
    """Both tables hold the truth; numbers are compared as they are, keys included."""
    for table in FEW["tables"]:
        rows = truth(world, table, dt.date(2026, 11, 1), dt.date(2026, 12, 31))
        names = ("account_id", "campaign_id", *(("date",) if table.endswith("daily") else ()))

        def key(row, names=names):
            return tuple(row[name] for name in names)

        assert sorted(result.database.rows[table], key=key) == sorted(rows, key=key)
    return True


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (
            ("html", "rate_limit@3x2", "server_error@5x3"),
            ("the token endpoint failed", "Google limits the rate of requests", "Google's server failed"),
        ),
        (
            ("rate_limit", "expired_token@4", "broken_connection@7"),
            ("Google limits the rate", "the access token is refused; fetching a new one", "Google's server failed"),
        ),
    ],
)
def test_passing_faults_cost_time_only(serving, faults, told):
    with serving(*faults) as sandbox:
        result = sandbox.run(FEW, environment={"LOG_LEVEL": "DEBUG"})
        assert (result.status, result.errors) == (0, [])
        assert complete(result, sandbox.world)
        for sentence in told:
            assert sentence in result.log


def test_a_hanging_server_is_left_at_the_time_limit(serving):
    with serving("hang@3") as sandbox:
        began = time.monotonic()
        result = sandbox.run({**FEW, **IN_TURN, "request_timeout": 1.5})
        assert time.monotonic() - began < 100
        assert result.status == 0
        assert complete(result, sandbox.world)
        assert "no complete answer within the time limit" in result.log
        assert "asking for fewer days at a time" in result.log


@pytest.mark.parametrize("fault", ["revoked_token", "revoked_token@4"])
def test_a_revoked_token_ends_the_run_at_once(serving, fault):
    with serving(fault) as sandbox:
        result = sandbox.run(FEW, environment={"LOG_LEVEL": "DEBUG"})
        assert result.status == 77
        assert [error.kind for error in result.errors] == [Kind.AUTH]
        assert "invalid_grant" in result.errors[0].message
        assert "; retry 1 in " not in result.log


def test_an_outage_that_outlasts_the_patience_gives_up_account_by_account(serving):
    """The first account fails for good; the others are loaded, and what is loaded is right."""
    refused = min(account.id for account in World.at(AS_OF, "tiny").accounts("google"))
    with serving(f"rate_limit/{refused}x3") as sandbox:
        result = sandbox.run({**FEW, "retry_attempts": 3})
        assert result.status == 75
        assert [error.kind for error in result.errors] == [Kind.RATE_LIMIT]
        failed = result.errors[0].account_id
        assert result.errors[0].retry_after == pytest.approx(0.1)
        assert failed == refused
        expected = truth(sandbox.world, "campaign_daily", dt.date(2026, 11, 1), dt.date(2026, 12, 31))
        assert len(result.database.rows["campaign_daily"]) == len(expected)


def test_a_used_up_daily_quota_ends_the_run_without_waiting(serving, monkeypatch):
    """The quota is the project's: the account in hand fails, and the others are not even asked for."""
    monkeypatch.setenv("SANDBOX_GOOGLE_DAILY_OPERATIONS", "4")
    with serving() as sandbox:
        began = time.monotonic()
        result = sandbox.run({**FEW, **IN_TURN})
        assert time.monotonic() - began < 100
        assert result.status == 75
        empty = min(account.id for account in sandbox.world.accounts("google"))
        assert [(error.kind, error.account_id) for error in result.errors] == [(Kind.QUOTA, empty), (Kind.QUOTA, None)]
        assert [error.retry_after for error in result.errors] == [3600, 3600]
        assert len(result.regions) == 3


def test_a_failure_of_the_account_list_is_the_runs(serving):
    with serving("server_error@0x9") as sandbox:
        result = sandbox.run({**FEW, "retry_attempts": 2})
        assert result.status == 75
        assert [(error.kind, error.account_id) for error in result.errors] == [(Kind.TRANSIENT, None)]
        assert result.regions == []


def test_nothing_of_a_broken_answer_is_sent(serving):
    """The stream breaks after its first batch, for good: the account's region stays untouched."""
    with serving("broken_connection@2x99") as sandbox:
        account = sandbox.world.accounts("google")[0].id
        result = sandbox.run({"tables": ["campaign_daily"], "retry_attempts": 2, "accounts": [account]})
        assert result.status == 75
        assert [error.account_id for error in result.errors] == [account]
        assert len(result.windows("campaign_daily", account)) == 1


def test_an_unreachable_endpoint_is_an_outage(sandbox):
    result = sandbox.run({**FEW, "retry_attempts": 1}, environment={"GOOGLE_ADS_ENDPOINT": "localhost:9"})
    assert result.status == 75
    assert result.errors[0].kind == Kind.TRANSIENT


def test_an_unreachable_token_endpoint_is_an_outage(sandbox):
    result = sandbox.run({**FEW, "retry_attempts": 1}, environment={"GOOGLE_TOKEN_URI": "http://127.0.0.1:9/token"})
    assert result.status == 75
    assert "the token endpoint cannot be reached" in result.errors[0].message
