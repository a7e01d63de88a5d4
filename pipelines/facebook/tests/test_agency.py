"""Many accounts side by side: the same rows at every concurrency, jobs of all together, and nobody who stops others."""

from __future__ import annotations

import collections
import datetime as dt
import json
import signal
import time

import pytest

from sandbox.facebook.truth import truth
from sandbox.world import World
from wire import Kind

FIRST, SECOND = "4001234567", "4002469134"
WEEK = {"start_date": "2026-11-16", "lookback_days": 6}
DAILY = ["campaign_daily", "ad_daily"]


def calls(outcome):
    points = metrics_of(outcome)
    return sum(point["value"] for point in points if point["metric"] == "http_request_count")


def metrics_of(outcome):
    return [json.loads(line.partition("METRIC: ")[2]) for line in outcome.stderr.splitlines() if "METRIC: {" in line]


@pytest.fixture
def equals_truth(store, same, as_of):
    def equals_truth(outcome, *, tables, size="agency", accounts=None, without=()):
        store.load(outcome)
        world = World.at(as_of, size, accounts=accounts)
        for name in tables:
            expected = truth(world, name, dt.date(2026, 11, 16), as_of.date() + dt.timedelta(days=1))
            wanted = [row for row in expected if row["account_id"] not in without]
            same(store[name], wanted, outcome.tables[name].key)

    return equals_truth


def test_rows_and_state_are_the_same_at_every_concurrency(sandbox, run):
    """Nine accounts, two rounds of days, and entities over several pages."""
    config = {"start_date": "2026-11-12", "lookback_days": 4, "tables": ["campaign", "ad_daily"], "page_size": 4}

    def lines(concurrency):
        with sandbox("agency", options=["--accounts", "6"]) as environment:
            outcome = run(environment, config=config | {"concurrency": concurrency}).read()
        assert outcome.status == 0, outcome.stderr
        regions = sorted(
            (region.stream, region.where["account_id"], region.first or "", sorted(map(str, rows)))
            for region, rows in outcome.regions
        )
        return regions, outcome.state

    assert lines(1) == lines(8)


def test_jobs_of_many_accounts_are_in_the_making_together(sandbox, run, equals_truth):
    """Fourteen accounts, whose jobs take a second and a half each: one after the other they would take a minute."""
    began = time.monotonic()
    with sandbox("agency", options=["--accounts", "11", "--job-seconds", "1.5"]) as environment:
        outcome = run(environment, config=WEEK | {"tables": DAILY, "concurrency": 4, "poll_interval": 1})
    assert time.monotonic() - began < 45
    outcome.read()
    assert outcome.status == 0, outcome.stderr
    equals_truth(outcome, tables=DAILY, accounts=11)


def test_accounts_that_are_asked_for_are_read_together_and_one_that_is_unknown_leaves_the_others(sandbox, run):
    with sandbox("agency", options=["--accounts", "20"]) as environment:
        config = {"tables": ["account"], "concurrency": 4}
        known = [
            account.id for account in World.at(dt.datetime.now(dt.UTC), "agency", accounts=20).accounts("facebook")
        ]
        outcome = run(environment, config=config | {"accounts": known}).read()
        assert (outcome.status, calls(outcome)) == (0, 1)
        again = run(environment, config=config | {"accounts": [*known, "999"]}).read()
    assert again.status == 78
    assert [error.account_id for error in again.errors] == ["999"]
    assert {row["account_id"] for row in again.rows("account")} == set(known)


def test_an_account_that_hangs_leaves_the_others(sandbox, run, equals_truth):
    with sandbox("agency", options=["--accounts", "4"], faults=[f"hang/{FIRST}x9999"]) as environment:
        config = WEEK | {"tables": ["campaign"], "request_timeout": 0.7, "retry_attempts": 2}
        outcome = run(environment, config=config).read()
    assert outcome.status == 75
    assert [(error.account_id, error.kind) for error in outcome.errors] == [(FIRST, Kind.TRANSIENT)]
    assert f"account {FIRST}: " in outcome.stderr
    equals_truth(outcome, tables=["campaign"], accounts=4, without=[FIRST])


def test_a_limited_account_fails_alone(sandbox, run, equals_truth):
    with sandbox("agency", options=["--accounts", "4"], faults=[f"rate_limit/{SECOND}x9999"]) as environment:
        outcome = run(environment, config=WEEK | {"tables": ["campaign"], "retry_attempts": 3}).read()
    assert outcome.status == 75
    assert [(error.account_id, error.kind) for error in outcome.errors] == [(SECOND, Kind.RATE_LIMIT)]
    equals_truth(outcome, tables=["campaign"], accounts=4, without=[SECOND])


def test_a_limit_of_the_app_costs_one_patience_and_names_every_account_that_is_missing(sandbox, run):
    with sandbox("agency", options=["--accounts", "12"], faults=["error=4@3x9999"]) as environment:
        outcome = run(environment, config=WEEK | {"tables": ["campaign"], "retry_attempts": 3, "concurrency": 4}).read()
    assert outcome.status == 75
    assert {error.kind for error in outcome.errors} == {Kind.RATE_LIMIT}
    named = collections.Counter(error.account_id for error in outcome.errors)
    assert set(named.values()) == {1}
    assert len(named) + len(outcome.regions) == 15
    assert calls(outcome) <= 3 + (3 + 1) * 4, "each of the four may have begun one more when the first gave up"


def test_with_documented_limits_twenty_accounts_are_loaded_with_few_refusals(sandbox, run, equals_truth):
    """The app's total, which Meta does not publish, is set so low that it is met."""
    options = ["--accounts", "17", "--throttle", "--latency", "10ms"]
    with sandbox("agency", options=options, variables={"SANDBOX_FACEBOOK_APP_CALLS": "80"}) as environment:
        outcome = run(environment, config=WEEK | {"tables": DAILY, "usage_pause": 60, "retry_first_wait": 2}).read()
    assert outcome.status == 0, outcome.stderr
    refused = outcome.stderr.count("; retry ")
    pauses = [point["value"] for point in metrics_of(outcome) if point["metric"] == "throttled_duration"]
    assert sum(pauses) > 0, "the limit was never near"
    assert refused <= 0.02 * calls(outcome)
    equals_truth(outcome, tables=DAILY, accounts=17)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (0, "settings.concurrency: expected `int` >= 1"),
        (33, "settings.concurrency: expected `int` <= 32"),
        (True, "settings.concurrency: expected `int`, got `bool`"),
    ],
)
def test_a_concurrency_that_cannot_be_is_a_sentence(given, told, tiny, run):
    outcome = run(tiny, config={"concurrency": given}).read()
    assert outcome.status == 78
    assert told in outcome.errors[0].message


def test_sigterm_ends_it_at_once_whatever_eight_accounts_wait_for(sandbox, started):
    with sandbox("agency", options=["--accounts", "12", "--job-seconds", "60"]) as environment:
        process = started(environment, WEEK | {"tables": ["account", *DAILY]})
        assert process.stdout.readline()
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        process.wait(60)
    assert time.monotonic() - began < 20, "its jobs take a minute"


def test_a_kill_in_the_middle_of_eight_accounts_loses_nothing(sandbox, started, parsed, run, store, equals_truth):
    with sandbox("agency", options=["--accounts", "12"]) as served:
        environment = {**served, "WIRE_RESUME": "one run"}
        process = started(environment, WEEK | {"tables": ["campaign", *DAILY]})
        lines = []
        while sum(b'"STATE"' in line for line in lines) < 12:
            lines.append(process.stdout.readline())
            assert lines[-1]
        process.kill()
        cut = parsed(b"".join(lines))
        store.load(cut)
        outcome = run(environment, config=WEEK | {"tables": ["campaign", *DAILY]}, state=cut.state).read()
    assert outcome.status == 0, outcome.stderr
    sent, again = ({repr(region) for region, _ in each.regions} for each in (cut, outcome))
    assert sent and not sent & again, "the second attempt asks for the rest alone"
    outcome.tables = cut.tables | outcome.tables
    equals_truth(outcome, tables=["campaign", *DAILY], accounts=12)
