"""Accounts side by side: the same rows whatever the order, and whatever goes wrong meanwhile stays where it belongs."""

from __future__ import annotations

import datetime as dt
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from microsoft_runs import AS_OF, Outcome, Run, Sandbox, Serve, read, start_run, start_sandbox, stop_sandbox
from test_end_to_end import assert_holds, expected

from sandbox.microsoft import truth as shown
from sandbox.world import World
from wire import Kind, Window

FIRST_DAY = "2026-09-01"
EIGHT = {"concurrency": 8}
FEW = {"tables": ["campaign", "campaign_daily", "ad_daily"], "start_date": "2026-11-01", "window_days": 31}
WORLD = World.at(AS_OF, "tiny", first_day=dt.date.fromisoformat(FIRST_DAY), accounts=10)
LIVE = [account.id for account in WORLD.accounts("microsoft") if not account.closed]


def as_the_truth(outcome: Outcome, tables: list[str], first: str, world: World = WORLD) -> None:
    since = {each.id: Window(dt.date.fromisoformat(first), world.today(each)) for each in world.accounts("microsoft")}
    for table in tables:
        assert_holds(outcome, table, expected(world, table, since))


def comparable(rows: list[Any]) -> list[str]:
    return sorted(map(repr, rows))


def metric(log: str, name: str, reason: str = "") -> int:
    """The sum of a metric's points, of one reason where it is given."""
    found = re.findall(rf'"metric": "{name}", "value": ([\d.]+).*?\}}', log)
    if reason:
        lines = [line for line in log.splitlines() if f'"{name}"' in line and f'"{reason}"' in line]
        found = [number for line in lines for number in re.findall(r'"value": ([\d.]+)', line)]
    return int(sum(map(float, found)))


@pytest.fixture(scope="module")
def ten() -> Iterator[Sandbox]:
    """A server of ten accounts, which takes its time."""
    options = ("--accounts", "10", "--latency", "30ms")
    process, environment = start_sandbox(first_day=FIRST_DAY, options=options)
    yield Sandbox(environment, AS_OF)
    stop_sandbox(process)


def test_rows_and_state_do_not_depend_on_the_concurrency(ten: Sandbox, run: Run) -> None:
    """Three rounds of days, one request at a time and eight."""
    settings = {"tables": ["campaign", "ad", "campaign_daily"], "start_date": FIRST_DAY}
    one, more = (run(ten, settings={**settings, "concurrency": number}) for number in (1, 8))
    assert (one.status, more.status) == (0, 0)
    for name in settings["tables"]:
        assert comparable(one.tables[name]) == comparable(more.tables[name])
    assert one.state == more.state
    assert comparable(one.regions) == comparable(more.regions)
    assert one.regions != more.regions, "eight at once have kept the order of one, so this proves nothing"
    as_the_truth(more, settings["tables"], FIRST_DAY)


def test_recent_days_of_all_come_before_the_backfill_of_any(ten: Sandbox, run: Run) -> None:
    settings = {"tables": ["ad_daily"], "start_date": FIRST_DAY, "lookback_days": 10, "window_days": 40}
    outcome = run(ten, settings={**settings, **EIGHT})
    first_days = [region[2] or "" for region in outcome.regions]
    recent = {day for day in first_days if day >= "2026-11-09"}
    assert set(first_days[: len(LIVE)]) == recent
    assert len([day for day in first_days if day in recent]) == len(LIVE)
    assert "the backfill continues" not in outcome.log


@pytest.mark.parametrize("wrong", [0, 11, -1, "8", 1.5, True, None])
def test_a_concurrency_that_makes_no_sense_is_named(ten: Sandbox, run: Run, wrong: object) -> None:
    outcome = run(ten, settings={**FEW, "concurrency": wrong})
    assert (outcome.status, [error.kind for error in outcome.failures]) == (78, [Kind.CONFIG])
    assert "settings.concurrency" in outcome.failures[0].message
    assert outcome.regions == []


def test_an_account_that_hangs_keeps_nobody(serve: Serve, run: Run) -> None:
    """Its report gets no answer until the time limit; all the others are done by then, and it is loaded after."""
    sandbox = serve(f"hang/{LIVE[3]}", options=("--accounts", "10"), first_day=FIRST_DAY)
    outcome = run(sandbox, settings={**FEW, **EIGHT, "request_timeout": 6})
    assert (outcome.status, outcome.failures) == (0, [])
    as_the_truth(outcome, FEW["tables"], FEW["start_date"])
    assert "no answer within the request_timeout" in outcome.log
    assert outcome.regions[-1][1] == LIVE[3]


def test_no_more_reports_are_made_than_microsoft_allows(serve: Serve, run: Run) -> None:
    """It makes six at once; the pipeline may have twenty, learns that, and goes on with what it may have."""
    sandbox = serve(options=("--accounts", "10", "--job-seconds", "0.5"), first_day=FIRST_DAY)
    outcome = run(sandbox, settings={**FEW, **EIGHT})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    as_the_truth(outcome, FEW["tables"], FEW["start_date"])
    assert re.search(r"Microsoft makes no more than \d+ reports at once", outcome.log)
    assert 0 < metric(outcome.log, "http_retry_count", "rate_limit") <= 6


def test_runs_that_share_the_places_of_a_user_do_not_wait_for_long(serve: Serve, tmp_path: Path) -> None:
    """Twelve shards want reports at once, and six are made: who has none asks again soon, not after ten minutes."""
    sandbox = serve(options=("--accounts", "24", "--job-seconds", "0.5"), first_day=FIRST_DAY)
    began, runs = time.monotonic(), []
    for index in range(12):
        (tmp_path / str(index)).mkdir()
        settings = {**FEW, "concurrency": 2, "rate_limit_wait": 600}
        runs.append(start_run(tmp_path / str(index), sandbox, "--shard", f"{index}/12", settings=settings))
    told = [run.communicate(timeout=500) for run in runs]
    assert [run.returncode for run in runs] == [0] * 12, [log.decode() for _, log in told]
    assert time.monotonic() - began < 300
    assert sum(metric(log.decode(), "http_retry_count", "rate_limit") for _, log in told) > 0, "nobody was refused"


def test_reports_of_many_accounts_are_in_the_making_with_few_requests_under_way(serve: Serve, run: Run) -> None:
    """Twenty reports that take two seconds each, six at once, with two requests under way: not one after the other."""
    sandbox = serve(options=("--accounts", "10", "--job-seconds", "2s"), first_day=FIRST_DAY)
    began = time.monotonic()
    outcome = run(sandbox, settings={**FEW, "tables": FEW["tables"][1:], "concurrency": 2, "max_reports_in_flight": 6})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    assert time.monotonic() - began < 2 * 2 * len(LIVE)


def test_a_customer_with_too_many_calls_is_held_back_and_little_is_refused(serve: Serve, run: Run) -> None:
    """No Bulk files at all, so ten accounts are walked: some three times as many calls as a customer may make."""
    limits = {"SANDBOX_MICROSOFT_LIMITS": "60 3 0"}
    sandbox = serve(options=("--accounts", "10", "--throttle"), environment=limits, first_day=FIRST_DAY)
    outcome = run(sandbox, settings={"tables": ["campaign", "ad_group", "ad"], "rate_limit_wait": 3, **EIGHT})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    as_the_truth(outcome, ["campaign", "ad_group", "ad"], FIRST_DAY)
    refused = metric(outcome.log, "http_retry_count", "rate_limit")
    assert 0 < refused <= 12, "it was refused again and again, or never"


def test_a_throttle_that_lasts_ends_as_the_accounts_own_failures(serve: Serve, run: Run) -> None:
    sandbox = serve("error=117x9999", options=("--accounts", "10"), first_day=FIRST_DAY)
    outcome = run(sandbox, settings={**FEW, **EIGHT, "accounts": LIVE})
    assert outcome.status == 75
    assert {error.kind for error in outcome.failures} == {Kind.RATE_LIMIT}
    assert outcome.regions == []


def test_killed_in_the_middle_and_run_again_is_the_truth(ten: Sandbox, run: Run, tmp_path: Path) -> None:
    settings = {**FEW, **EIGHT}
    child = start_run(tmp_path, ten, settings=settings)
    assert child.stdout is not None
    assert child.stderr is not None
    threading.Thread(target=child.stderr.read, daemon=True).start()
    said, regions = b"", 0
    while regions < 10:
        line = child.stdout.readline()
        assert line, "it ended before it was killed"
        said += line
        regions += b'"type":"STATE"' in line
    child.kill()
    said += child.stdout.read()
    assert child.wait(60) == -signal.SIGKILL
    whole = said[: said.rindex(b"\n", 0, said.rindex(b'"type":"STATE"')) + 1]
    last_line = said[len(whole) : said.index(b"\n", len(whole)) + 1] if b"\n" in said[len(whole) :] else b""
    killed = read(0, whole + last_line, "", {})
    assert 10 <= len(killed.regions) < 3 * len(LIVE)
    again = run(ten, settings=settings, state=killed.state, before=killed.tables)
    assert (again.status, again.failures) == (0, [])
    as_the_truth(again, FEW["tables"], FEW["start_date"])


def test_it_ends_at_once_on_sigterm(serve: Serve, tmp_path: Path) -> None:
    """All its questions about accounts have no answer for a minute."""
    hang = [f"hang/{account}x999" for account in LIVE]
    sandbox = serve(*hang, options=("--accounts", "10"), first_day=FIRST_DAY)
    child = start_run(tmp_path, sandbox, settings={**FEW, **EIGHT, "request_timeout": 60})
    assert child.stderr is not None
    for line in child.stderr:
        if b"can be used" in line:
            break
    time.sleep(0.5)
    began = time.monotonic()
    child.terminate()
    child.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert child.returncode == -signal.SIGTERM


def test_every_line_about_an_account_names_it(ten: Sandbox, run: Run) -> None:
    outcome = run(ten, settings={**FEW, **EIGHT})
    about = [line for line in outcome.log.splitlines() if re.search(r"rows|retry \d| campaign$| campaign,", line)]
    assert len(about) > 2 * len(LIVE)
    assert [line for line in about if not re.search(r"\| account \d+[:,]", line)] == []


def test_with_the_limits_on_nobody_fails_and_little_is_refused(serve: Serve, run: Run) -> None:
    """Twenty accounts, all tables."""
    world = World.at(AS_OF, "tiny", accounts=20)
    sandbox = serve(options=("--accounts", "20", "--latency", "30ms", "--throttle", "--job-seconds", "0.2"))
    outcome = run(sandbox, settings={"start_date": "2026-11-08", "window_days": 15})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    as_the_truth(outcome, list(shown.TABLES), "2026-11-08", world)
    refused = metric(outcome.log, "http_retry_count", "rate_limit")
    assert refused <= 0.02 * metric(outcome.log, "http_request_count")
