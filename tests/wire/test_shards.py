"""Every account belongs to one shard, whatever N is, and another N takes up each account where the former left it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.test_extraction import run
from wire.shards import Shard, parse_shard

ACCOUNTS = [str(number) for number in range(12)]


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 300))
def test_every_account_belongs_to_exactly_one_shard(accounts: list[str], count: int) -> None:
    shards = [Shard(index, count) for index in range(count)]
    for account in accounts:
        assert [shard.has(account) for shard in shards].count(True) == 1


def test_shards_are_about_as_large_and_stay_the_same() -> None:
    accounts = [str(2_000_000_000 + number) for number in range(10_000)]
    sizes = [sum(Shard(index, 8).has(account) for account in accounts) for index in range(8)]
    assert min(sizes) > 1_150 and max(sizes) < 1_350
    assert [Shard(0, 4).has(account) for account in accounts[:8]] == SAME


SAME = [False, False, False, False, True, False, True, False]
"""Written down, because another hash would have two shards load an account while an upgrade is under way."""


@given(st.integers(1, 10_000).flatmap(lambda count: st.tuples(st.integers(0, count - 1), st.just(count))))
def test_a_shard_is_read_as_it_is_written(numbers: tuple[int, int]) -> None:
    shard = Shard(*numbers)
    assert parse_shard(str(shard)) == parse_shard(shard.label) == shard


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("4-of-4", "of 4 the last is 3/4"),
        ("0-4", "expected I/N"),
        ("4/4", "of 4 the last is 3/4"),
        ("0/0", "at least 1"),
        ("0/10001", "at most 10,000 shards"),
        ("1", "expected I/N"),
        ("-1/4", "expected I/N"),
        ("1/4/2", "expected I/N"),
        ("٣/٤", "expected I/N"),
        ("", "expected I/N"),
    ],
)
def test_what_is_no_shard_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_shard(text)
    status, _, stderr = run(tmp_path, f"--shard={text}")
    assert status == 64 and says in stderr


def loaded(tmp_path: Path, shard: str | None, state: dict[str, Any] | None) -> tuple[list[tuple[str, str]], Any, str]:
    """(account, first day of a region) of each region, the state afterwards, and the log."""
    options = (f"--shard={shard}",) if shard else ()
    status, lines, stderr = run(tmp_path, *options, pipeline=SHARDED, settings={"accounts": ACCOUNTS}, state=state)
    assert status == 0, stderr
    states = [line for line in lines if line["type"] == "STATE"]
    regions = [(line["replaces"]["where"]["account_id"], line["replaces"]["from"]) for line in states]
    return regions, states[-1]["value"] if states else state, stderr


def test_shards_load_everything_once_and_another_number_goes_on_where_they_ended(tmp_path: Path) -> None:
    whole, _, _ = loaded(tmp_path, None, None)
    state: dict[str, Any] | None = None
    parts: list[tuple[str, str]] = []
    for index in range(3):
        regions, state, log = loaded(tmp_path, f"{index}/3", state)
        assert f"shard {index}/3: " in log and "of 12 accounts, 2 requests at once" in log
        parts += regions
    assert sorted(parts) == sorted(whole)
    again: list[tuple[str, str]] = []
    for index in range(2):
        regions, state, _ = loaded(tmp_path, f"{index}/2", state)
        again += regions
    assert {account for account, _ in again} == set(ACCOUNTS)
    assert min(first for _, first in again) > min(first for _, first in whole), "settled days were loaded again"


SHARDED = """
import sys
from wire import *
T = Table("daily", (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER)), ("account_id", "date"), "date")
def extract(invocation, extraction):
    def load(account, within):
        today = today_in("UTC")
        for window in extraction.due("daily", account, today=today, lookback_days=2, window_days=30, within_round=within):
            extraction.replace_window("daily", account, window, ({"account_id": account, "date": day, "n": 1} for day in window.days()), today=today)
    load_accounts(extraction, invocation.settings["accounts"], load, account_id=str, lookback_days=2, limiter=Limiter(6))
sys.exit(run_pipeline("pipeline-test", (T,), extract))
"""
