"""A night of many accounts, run as a real process: the order of days, the budget of the backfill, and who starves."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from wire.rounds import rounds

PIPELINE = """
import sys, time
from wire import *
C = (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER))
DAILY = Table("daily", C, ("account_id", "date"), "date")
ENTITY = Table("entity", (Column("account_id", Type.STRING), Column("name", Type.STRING)), ("account_id",))
def extract(invocation, extraction):
    settings = invocation.settings
    limiter = Limiter(concurrency(settings, default=4, most=8))
    def load(account, round):
        if account == settings.get("broken"): raise PipelineError(Kind.TRANSIENT, "the platform hung up")
        if account == settings.get("refused"): raise PipelineError(Kind.AUTH, "the token is refused")
        if round.is_first:
            extraction.replace_account("entity", account, [{"account_id": account, "name": "n"}])
        for window in extraction.due("daily", account, today=today_in("UTC"), lookback_days=5, window_days=7, within_round=round):
            with limiter.place():
                time.sleep(settings.get("seconds", 0))
            rows = [{"account_id": account, "date": day, "n": 1} for day in window.days()]
            extraction.replace_window("daily", account, window, rows, today=today_in("UTC"))
    load_accounts(extraction, settings["accounts"], load, account_id=str, lookback_days=5, limiter=limiter)
sys.exit(run_pipeline("pipeline-test", (DAILY, ENTITY), extract))
"""
ACCOUNTS = ["1", "2", "3"]
SHORT_NIGHT = """
import os, sys
from wire import *
C = (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER))
DAILY = Table("daily", C, ("account_id", "date"), "date")
seconds = 0
def extract(invocation, extraction):
    def load(account, round):
        global seconds
        today = today_in("UTC")
        for window in extraction.due("daily", account, today=today, lookback_days=30, window_days=31, within_round=round):
            seconds += 1
            if seconds > invocation.settings["timeout"]: os._exit(9)
            row = {"account_id": account, "date": window.last, "n": 1}
            extraction.replace_window("daily", account, window, [row], today=today)
    accounts = [str(n) for n in range(200)]
    load_accounts(extraction, accounts, load, account_id=str, lookback_days=30, limiter=Limiter(1), clock=lambda: seconds)
sys.exit(run_pipeline("pipeline-night", (DAILY,), extract))
"""
"""Two hundred accounts, a second for each window of each; killed when its time is over."""


def run(
    tmp_path: Path,
    *options: str,
    state: Any = None,
    now: str = "2026-11-20T12:00:00Z",
    chain: str = "",
    **settings: Any,
) -> Any:
    settings = {"start_date": "2026-10-01", "accounts": ACCOUNTS} | settings
    (tmp_path / "config.json").write_text(json.dumps(settings))
    (tmp_path / "state.json").write_text(json.dumps(state or {}))
    done = subprocess.run(
        [sys.executable, "-c", PIPELINE, "--config", tmp_path / "config.json", "--state", tmp_path / "state.json", *options],
        capture_output=True, text=True, timeout=120, env={"PIPELINE_NOW": now, "WIRE_RESUME": chain},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [line for line in lines if line["type"] in ("STATE", "ERROR")], done.stderr


def last_state(lines: Any) -> Any:
    return next(line["value"] for line in reversed(lines) if line["type"] == "STATE")


def days(lines: Any) -> list[tuple[str, str]]:
    found = [line["replaces"] for line in lines if line["type"] == "STATE"]
    return [(each["where"]["account_id"], each["to"]) for each in found if "to" in each]


def test_recent_days_of_all_accounts_come_before_any_backfill_which_goes_in_turn(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, concurrency=1)
    assert status == 0
    assert days(lines)[:3] == [("1", "2026-11-20"), ("2", "2026-11-20"), ("3", "2026-11-20")]
    backfill = days(lines)[3:]
    assert {account for account, _ in backfill[:5]} == {"1"} and backfill[5][0] == "2"
    newest = [[day for account, day in backfill if account == each] for each in ACCOUNTS]
    assert newest[0] == newest[1] == newest[2] == sorted(newest[0], reverse=True)


def test_side_by_side_the_same_regions_are_sent_whole(tmp_path: Path) -> None:
    alone, together = run(tmp_path, concurrency=1)[1], run(tmp_path, concurrency=8, seconds=0.01)[1]
    assert sorted(days(alone)) == sorted(days(together))
    assert sum(line["replaces"]["rows"] for line in together) == sum(line["replaces"]["rows"] for line in alone)
    assert alone[-1]["value"] == together[-1]["value"]


def test_a_budget_leaves_backfill_for_the_next_nights_until_all_is_loaded(tmp_path: Path) -> None:
    state, nights = None, 0
    while True:
        nights += 1
        status, lines, stderr = run(tmp_path, state=state, concurrency=1, seconds=0.05, backfill_budget=0.1)
        assert status == 0
        assert [account for account, day in days(lines) if day == "2026-11-20"] == ACCOUNTS
        state = lines[-1]["value"]
        if "the backfill continues in the next run" not in stderr:
            break
        assert nights < 20
    assert nights > 1
    for account in ACCOUNTS:
        assert state["bookmarks"]["daily"]["accounts"][account]["complete"] == [["2026-10-01", "2026-11-19"]]


def nights(tmp_path: Path, number: int, *, timeout: int) -> Any:
    """After each of so many nights: its exit status, and the days that are complete, newest first, by account."""
    (tmp_path / "config.json").write_text(json.dumps({"start_date": "2024-11-20", "timeout": timeout}))
    state: dict[str, Any] = {}
    for night in range(number):
        (tmp_path / "state.json").write_text(json.dumps({"bookmarks": {"daily": {"accounts": state}}}))
        today = dt.date(2026, 11, 20) + dt.timedelta(days=night)
        done = subprocess.run(
            [sys.executable, "-c", SHORT_NIGHT, "--config", "config.json", "--state", "state.json"], cwd=tmp_path,
            capture_output=True, text=True, timeout=180,
            env={"PIPELINE_NOW": f"{today}T12:00:00Z", "WIRE_STATE": "patch", "WIRE_BACKFILL_SECONDS": str(timeout / 2)},
        )  # fmt: skip
        for line in map(json.loads, done.stdout.splitlines()):
            if line["type"] == "STATE":
                state |= line["patch"]["bookmarks"]["daily"]["accounts"]
        yield done.returncode, {account: part["complete"][::-1] for account, part in state.items()}


def test_a_night_of_a_tenth_of_the_work_loads_the_recent_days_of_all_and_backfill_in_turn(tmp_path: Path) -> None:
    """Two years of 200 accounts are some 5,000 seconds."""
    for night, (status, complete) in enumerate(nights(tmp_path, 2, timeout=500)):
        assert (status, len(complete)) == (0, 200)
        yesterday = dt.date(2026, 11, 19) + dt.timedelta(days=night)
        oldest = [dt.date.fromisoformat(days[0][0]) for days in complete.values()]
        assert {days[0][1] for days in complete.values()} == {yesterday.isoformat()}
        assert max(oldest) <= yesterday - dt.timedelta(days=29)
        assert max(oldest) - min(oldest) == dt.timedelta(days=30), "nobody is more than one turn ahead"


def test_in_nights_too_short_for_all_nobody_starves(tmp_path: Path) -> None:
    after = list(nights(tmp_path, 4, timeout=80))
    assert [(status, len(complete)) for status, complete in after] == [(9, 80), (9, 160), (9, 200), (9, 200)]
    newest = [days[0][1] for days in after[-1][1].values()]
    assert min(newest) == "2026-11-20", "everybody was loaded in one of the last three nights"


def test_who_waited_longest_comes_first(tmp_path: Path) -> None:
    state = run(tmp_path, accounts=["1", "3"], concurrency=1)[1][-1]["value"]
    state = run(tmp_path, accounts=["3"], state=state, concurrency=1, now="2026-11-21T12:00:00Z")[1][-1]["value"]
    _, lines, _ = run(tmp_path, state=state, concurrency=1, now="2026-11-22T12:00:00Z")
    assert [account for account, day in days(lines) if day == "2026-11-22"] == ["2", "1", "3"]


def test_a_broken_account_is_named_once_and_the_others_are_loaded_whole(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, broken="2", seconds=0.01)
    errors = [line for line in lines if line["type"] == "ERROR"]
    assert (status, [each["account_id"] for each in errors]) == (75, ["2"])
    assert {account for account, _ in days(lines)} == {"1", "3"}


def test_a_refused_login_ends_the_run_with_its_sentence(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, refused="1", seconds=0.01)
    assert (status, lines[-1]["kind"], lines[-1]["message"]) == (77, "auth", "the token is refused")


def test_named_days_are_one_round(tmp_path: Path) -> None:
    _, lines, _ = run(tmp_path, "--since", "2026-09-01", "--until", "2026-09-10", concurrency=1)
    assert days(lines) == [(account, day) for account in ACCOUNTS for day in ("2026-09-10", "2026-09-03")]


@hypothesis.settings(deadline=None)
@given(span=st.integers(0, 900), lookback=st.integers(0, 60), step=st.integers(1, 90), ahead=st.integers(-1, 1))
def test_rounds_hold_every_day_once(span: int, lookback: int, step: int, ahead: int) -> None:
    today = dt.date(2026, 11, 20)
    start, accounts_today = today - dt.timedelta(days=span), today + dt.timedelta(days=ahead)
    found: list[dt.date] = []
    for each in rounds(start=start, today=today, lookback_days=lookback, step_days=step):
        first, last = each.days(accounts_today)
        found += [
            day
            for n in range((accounts_today - start).days + 1)
            if first <= (day := start + dt.timedelta(days=n)) <= last
        ]
    assert len(found) == len(set(found)) == max(0, (accounts_today - start).days + 1)


def test_a_second_attempt_loads_only_what_the_first_did_not(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, broken="2", concurrency=1, chain="night-1")
    first, state = days(lines), last_state(lines)
    assert (status, {account for account, _ in first}) == (75, {"1", "3"})
    status, lines, _ = run(tmp_path, state=state, concurrency=1, chain="night-1")
    second = days(lines)
    assert (status, {account for account, _ in second}) == (0, {"2"})
    state = last_state(lines)
    assert days(run(tmp_path, state=state, concurrency=1, chain="night-1")[1]) == []
    next_night = days(run(tmp_path, state=state, concurrency=1, chain="night-2")[1])
    assert sorted(next_night) == [(account, "2026-11-20") for account in ACCOUNTS]
    without_a_name = days(run(tmp_path, state=state, concurrency=1)[1])
    assert sorted(without_a_name) == sorted(next_night)
