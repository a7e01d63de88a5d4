"""Accounts side by side: the same rows whatever the order, and whatever goes wrong meanwhile stays where it belongs."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import signal
import threading
import time
from decimal import Decimal

import pytest

from sandbox.google.truth import TABLES, truth
from sandbox.world import World
from wire import Kind

AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
FAR = dt.date(2026, 12, 31)
FIRST_DAY = dt.date(2026, 9, 1)
FEW = {"tables": ["campaign", "campaign_daily", "ad_daily"], "start_date": "2026-11-01"}
EIGHT = {"concurrency": 8}
PACED = ("--latency", "30ms")


def comparable(rows):
    """Rows in an order of their own, as text; 25.000000 is 25."""
    return sorted(repr(sorted((name, plain(value)) for name, value in row.items())) for row in rows)


def plain(value):
    return value.normalize() if isinstance(value, Decimal) else value


def as_the_truth(result, world, tables, first):
    for table in tables:
        assert comparable(result.database.rows[table]) == comparable(truth(world, table, first, FAR)), table
    return True


@pytest.fixture(scope="module")
def eight(serving):
    """A server of ten accounts, which takes its time."""
    with serving(accounts=10, first_day=FIRST_DAY, pace=PACED) as server:
        yield server


def test_rows_and_state_do_not_depend_on_the_concurrency(eight):
    """Three rounds of days, one request at a time and eight."""
    settings = {"tables": ["campaign", "ad", "campaign_daily"], "start_date": FIRST_DAY.isoformat(), "window_days": 30}
    one, more = (eight.run({**settings, "concurrency": number}) for number in (1, 8))
    assert (one.status, more.status) == (0, 0)
    assert [comparable(one.database.rows[name]) for name in settings["tables"]] == [
        comparable(more.database.rows[name]) for name in settings["tables"]
    ]
    assert one.state == more.state
    assert comparable(regions(one)) == comparable(regions(more))
    assert regions(one) != regions(more), "eight at once have kept the order of one, so this proves nothing"
    assert as_the_truth(more, eight.world, settings["tables"], FIRST_DAY)


def regions(result):
    return [{"stream": each.stream, **each.where, "first": each.first, "rows": each.rows} for each in result.regions]


def test_recent_days_of_all_come_before_the_backfill_of_any(eight):
    settings = {"tables": ["ad_daily"], "start_date": FIRST_DAY.isoformat(), "lookback_days": 10, "window_days": 40}
    result = eight.run({**settings, **EIGHT})
    first_days = [region.first for region in result.regions]
    live = sum(not account.closed for account in eight.world.accounts("google"))
    recent = [day for day in first_days if day >= "2026-11-11"]
    assert len(recent) == live
    assert set(first_days[:live]) == set(recent)
    assert "the backfill continues" not in result.log


def test_a_closed_account_leaves_no_days_to_the_next_run(eight):
    settings = {"tables": ["ad_daily"], "start_date": FIRST_DAY.isoformat(), "lookback_days": 5}
    closed = next(account.id for account in eight.world.accounts("google") if account.closed)
    result = eight.run({**settings, "accounts": [closed]})
    assert result.status == 0
    assert result.log.count("only its customer row is loaded") == 1
    assert "the backfill continues" not in result.log


@pytest.mark.parametrize("wrong", [0, 65, -1, "8", 1.5, True, None])
def test_a_concurrency_that_makes_no_sense_is_named(sandbox, wrong):
    result = sandbox.run({**FEW, "concurrency": wrong})
    assert (result.status, [error.kind for error in result.errors]) == (78, [Kind.CONFIG])
    assert "settings.concurrency" in result.errors[0].message
    assert result.regions == []


def test_an_account_that_hangs_keeps_nobody(serving):
    """Its question gets no answer until the time limit; all the others are done by then, and it is loaded after."""
    with serving("hang@6", accounts=10) as sandbox:
        result = sandbox.run({**FEW, **EIGHT, "request_timeout": 6})
        assert (result.status, result.errors) == (0, [])
        assert as_the_truth(result, sandbox.world, FEW["tables"], dt.date(2026, 11, 1))
    late = re.search(r"account (\d+): .*no complete answer within the time limit", result.log)[1]
    order = [region.where["account_id"] for region in result.regions]
    assert order[-1] == late


def test_a_throttle_of_the_login_is_waited_for_by_all_and_one_of_an_account_by_itself(serving, monkeypatch):
    accounts = World.at(AS_OF, "tiny", accounts=10).accounts("google")
    for scope in ("DEVELOPER", "ACCOUNT"):
        monkeypatch.setenv("SANDBOX_GOOGLE_QUIRKS", f"exhaust {accounts[2].id} 4 {scope}")
        with serving(accounts=10) as sandbox:
            result, times = timed(sandbox, {**FEW, **EIGHT})
        assert result == 0
        first = [moment for moment, account in times if account != accounts[2].id]
        gap = max(later - earlier for earlier, later in itertools.pairwise(first))
        assert (gap > 3.5) == (scope == "DEVELOPER")


def timed(sandbox, settings):
    """The exit status, and of each region when it came and its account."""
    child = sandbox.start(settings)
    threading.Thread(target=child.stderr.read, daemon=True).start()
    times = []
    for line in child.stdout:
        if b'"STATE"' in line:
            times.append((time.monotonic(), json.loads(line)["replaces"]["where"]["account_id"]))
    return child.wait(60), times


def test_a_login_that_is_used_up_for_an_hour_ends_the_run_and_names_who_was_left_out(serving, monkeypatch):
    monkeypatch.setenv("SANDBOX_GOOGLE_DAILY_OPERATIONS", "12")
    with serving(accounts=10, pace=PACED) as sandbox:
        result = sandbox.run({**FEW, **EIGHT})
        live = [account for account in sandbox.world.accounts("google") if not account.closed]
    assert result.status == 75
    own, runs = result.errors[:-1], result.errors[-1]
    assert {error.kind for error in result.errors} == {Kind.QUOTA}
    assert all(error.account_id for error in own)
    assert runs.account_id is None
    assert runs.retry_after == 3600
    left = int(re.match(r"(\d+) accounts were left out, wholly or in part \(", runs.message)[1])
    whole = {r.where["account_id"] for r in result.regions if r.stream == "ad_daily" and r.first == "2026-11-01"}
    # The closed one is counted where it was not asked.
    assert left + len(own) + len(whole) in (len(live), len(live) + 1)
    assert len(result.regions) <= 12


def test_killed_in_the_middle_and_run_again_is_the_truth(eight, applied):
    """As the second attempt of one run, which asks for nothing that the first has sent."""
    settings, attempt = {**FEW, **EIGHT}, {"WIRE_RESUME": "one run"}
    child = eight.start(settings, environment=attempt)
    threading.Thread(target=child.stderr.read, daemon=True).start()
    said = b""
    while said.count(b'"type":"STATE"') < 14:
        line = child.stdout.readline()
        assert line, "it ended before it was killed"
        said += line
    child.kill()
    said += child.stdout.read()
    assert child.wait(60) == -signal.SIGKILL
    killed = applied(said)
    assert 14 <= len(killed.regions) < 60
    again = eight.run(settings, state=killed.state, database=killed.database, environment=attempt)
    assert (again.status, again.errors) == (0, [])
    sent_twice = {repr(each) for each in regions(killed)} & {repr(each) for each in regions(again)}
    assert not sent_twice
    assert as_the_truth(again, eight.world, FEW["tables"], dt.date(2026, 11, 1))


def test_it_ends_at_once_on_sigterm(serving):
    """All its questions have no answer for a minute."""
    with serving("hang@3x999", accounts=10) as sandbox:
        child = sandbox.start({**FEW, **EIGHT, "request_timeout": 60})
        for line in child.stderr:
            if b": loading" in line:
                break
        time.sleep(0.5)
        began = time.monotonic()
        child.terminate()
        child.communicate(timeout=60)
        assert time.monotonic() - began < 20
        assert child.returncode == -signal.SIGTERM


def test_silence_is_asked_about_once_for_all_rounds(serving, monkeypatch):
    """Weeks that were loaded and are not settled, in three rounds; the account's total is asked for once."""
    settings = {"tables": ["ad_group_daily"], "start_date": FIRST_DAY.isoformat(), "lookback_days": 20}
    first = World.at(AS_OF, "tiny", first_day=FIRST_DAY).accounts("google")[0].id
    loaded = {"ad_group_daily": {"accounts": {first: {"complete": [["2026-09-01", "2026-10-04"]]}}}}
    monkeypatch.setenv("SANDBOX_GOOGLE_QUIRKS", f"empty {first} ad_group")
    with serving(first_day=FIRST_DAY) as sandbox:
        after = sandbox.run({**settings, "accounts": [first]}, state={"bookmarks": loaded})
    assert after.status == 0
    doubted = [region.first for region in after.regions if not region.confirmed]
    assert min(doubted) < "2026-10-06"
    reports = len(after.regions)
    assert calls(after) == reports + 2, "the list of accounts, the reports, and one question"


def calls(result):
    """All of them: a run that takes long counts in several lines."""
    return sum(map(int, re.findall(r'"http_request_count", "value": (\d+)', result.log)))


def test_every_line_about_an_account_names_it(eight):
    result = eight.run({**FEW, **EIGHT}, environment={"LOG_LEVEL": "DEBUG"})
    about = [line for line in result.log.splitlines() if re.search(r"rows$|loading|retry \d", line)]
    assert len(about) > 30
    assert [line for line in about if not re.search(r"\| account \d{10}: ", line)] == []


def test_with_the_limits_on_nobody_fails_and_little_is_refused(serving, monkeypatch):
    """Twenty accounts, all tables; the login has so many requests a second that some are refused."""
    with serving(accounts=20, pace=("--latency", "150ms", "--throttle")) as sandbox:
        result = sandbox.run({"start_date": "2026-11-08", "window_days": 15})
        assert (result.status, result.errors) == (0, [])
        assert as_the_truth(result, sandbox.world, TABLES, dt.date(2026, 11, 8))
    refused = result.log.count("Google limits the rate of requests")
    assert refused <= 0.02 * calls(result)
