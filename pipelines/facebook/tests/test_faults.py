"""What the platform does wrong, and what becomes of it: complete data, or an exit status and the reason."""

from __future__ import annotations

import hashlib
import hmac
import time

import pytest

from sandbox.facebook.truth import TABLES, truth
from sandbox.world import World
from wire import Kind

WEEK = {"start_date": "2026-11-16"}


def assert_no_secret(outcome, environment):
    token, secret = environment["FACEBOOK_ACCESS_TOKEN"], environment["FACEBOOK_APP_SECRET"]
    proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    for hidden in (token, secret, proof):
        assert hidden not in outcome.stderr
        assert hidden.encode() not in outcome.stdout


def run_with(run, sandbox, *faults, size="tiny", **config):
    """Run at LOG_LEVEL=DEBUG, where libraries and tracebacks would tell a secret first."""
    with sandbox(size, faults=faults) as environment:
        outcome = run({**environment, "LOG_LEVEL": "DEBUG"}, config={**WEEK, **config})
        assert_no_secret(outcome, environment)
    return outcome.read()


@pytest.fixture
def assert_complete(store, same, as_of):
    def assert_complete(outcome):
        assert outcome.status == 0, outcome.stderr
        assert not outcome.errors
        store.load(outcome)
        for name in TABLES:
            expected = truth(World.at(as_of, "tiny"), name, as_of.date().replace(day=16), as_of.date())
            same(store[name], expected, outcome.tables[name].key)

    return assert_complete


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("rate_limit", "(#17) User request limit reached"),
        ("rate_limit@7x3", "(#80000)"),
        ("rate_limit", "97 % of the quota is used; the next call waits 0.1 s"),
        ("server_error", "(#2) Service temporarily unavailable"),
        ("server_error@7x4", "HTTP status 500"),
        ("html@2x2", "no Graph API answer"),
        ("empty_body@3x2", "HTTP status 200 and a body that is no Graph API answer"),
        ("html@30x2", "no Graph API answer"),
        ("broken_connection", "no answer from the Graph API"),
        ("broken_connection@25x2", "no answer from the Graph API"),
        ("failed_job", "Job Failed: The sandbox let this job fail."),
        ("failed_job@2x3", "asking for"),
    ],
)
def test_a_passing_fault_is_recovered_with_complete_data(fault, told, run, sandbox, assert_complete):
    # The fault is placed by the number of the request, which says what it asks where accounts follow one another.
    outcome = run_with(run, sandbox, fault, concurrency=1)
    assert_complete(outcome)
    assert told in outcome.stderr


def test_a_hanging_request_is_given_up_and_asked_again(run, sandbox, assert_complete):
    outcome = run_with(run, sandbox, "hang@5", request_timeout=0.4)
    assert_complete(outcome)
    assert "(ReadTimeout)" in outcome.stderr


@pytest.mark.parametrize("fault", ["expired_token", "revoked_token@15", "expired_token@40"])
def test_a_refused_token_ends_the_pipeline_and_asks_for_a_new_one(fault, run, sandbox):
    outcome = run_with(run, sandbox, fault)
    assert outcome.status == 77
    assert [error.kind for error in outcome.errors] == [Kind.AUTH]
    assert "re-authenticate" in outcome.errors[0].message
    assert "FACEBOOK_ACCESS_TOKEN" in outcome.errors[0].message
    assert "retry 1" not in outcome.stderr
    assert bool(outcome.regions) == ("@" in fault)


@pytest.mark.parametrize(
    ("fault", "kind"), [("rate_limit@8x9999", Kind.RATE_LIMIT), ("failed_job@1x9999", Kind.TRANSIENT)]
)
def test_a_lasting_fault_gives_up_each_account_and_says_which(fault, kind, run, sandbox):
    outcome = run_with(run, sandbox, fault, accounts=["4001234567", "act_4002469134"], retry_attempts=3)
    assert outcome.status == 75
    assert {error.account_id for error in outcome.errors} == {"4001234567", "4002469134"}
    assert {error.kind for error in outcome.errors} == {kind}
    assert {region.stream for region, _ in outcome.regions} >= {"account", "campaign"}


def test_one_accounts_failure_leaves_the_others_complete(run, sandbox, as_of):
    config = {"tables": ["campaign_daily"], "retry_attempts": 2, "max_jobs_in_flight": 1, "concurrency": 1}
    # Two jobs each for seven days, three of them, and one: the first account uses up this fault.
    outcome = run_with(run, sandbox, "failed_job@0x6", **config)
    assert outcome.status == 75
    assert [error.account_id for error in outcome.errors] == ["4001234567"]
    assert {row["account_id"] for row in outcome.rows("campaign_daily")} == {"4002469134"}
    world = World.at(as_of, "tiny")
    expected = truth(world, "campaign_daily", as_of.date().replace(day=16), as_of.date())
    assert len(outcome.rows("campaign_daily")) == sum(row["account_id"] == "4002469134" for row in expected)


def test_a_dead_server_is_a_temporary_failure(run):
    environment = {
        "FACEBOOK_APP_ID": "1",
        "FACEBOOK_APP_SECRET": "made-up-app-secret",
        "FACEBOOK_ACCESS_TOKEN": "EAAmadeUpAccessToken",
        "FACEBOOK_GRAPH_URL": "http://127.0.0.1:9",
        "LOG_LEVEL": "DEBUG",
    }
    start = time.monotonic()
    outcome = run(environment, config={"retry_attempts": 2}).read()
    assert_no_secret(outcome, environment)
    assert outcome.status == 75
    assert "(ConnectionError)" in outcome.errors[0].message
    assert time.monotonic() - start < 60
