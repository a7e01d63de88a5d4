"""Shards of one number share a storage; whoever could load the same account is refused, and told by whom."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from azurite import AzureTables
from storage import DAILY, day, load
from vertica_double import VerticaDatabase

from supervisor.cli.stored_state import reset_state
from supervisor.config.errors import SinkError
from supervisor.sinks.sharing import is_in_the_way
from wire.messages import Replaces
from wire.shards import Shard

Shared = VerticaDatabase | AzureTables
FIRST, SECOND = Shard(0, 2), Shard(1, 2)


@pytest.fixture(params=[VerticaDatabase, AzureTables], ids=["vertica", "azure_table"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    (tmp_path / "storage").mkdir()
    made = request.param(tmp_path / "storage")
    yield made
    made.close()


def all_at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call on a thread of its own gives, or raises, all begun in the same moment."""
    start, results = threading.Barrier(len(calls)), [None] * len(calls)

    def call(number: int) -> None:
        start.wait()
        try:
            results[number] = calls[number]()
        except SinkError as error:
            results[number] = error

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(calls))]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
    return results


def test_shards_make_the_same_tables_at_once_and_keep_the_rows_and_states_of_each(
    shared: Shared, tmp_path: Path
) -> None:
    sinks = [shared.open(shard=Shard(index, 3)) for index in range(3)]

    def night(index: int) -> None:
        directory = tmp_path / str(index)
        directory.mkdir()
        for n in range(4):
            account = f"{index}{n}"
            region = Replaces(stream="daily", where={"account_id": account}, first="2026-01-01", last="2026-01-31")
            state = {"bookmarks": {"daily": {"accounts": {account: {"complete": [["2026-01-01", "2026-01-31"]]}}}}}
            rows = [day(account, "c", f"2026-01-{date:02}", date) for date in range(1, 6)]
            commit = {"replaces": region, "state": json.dumps(state).encode(), "is_patch": True}
            load(sinks[index], directory, DAILY, *rows, run=f"run-{index}", **commit)
        sinks[index].publish()

    assert all_at_once(*(lambda index=index: night(index) for index in range(3))) == [None] * 3
    for sink in sinks:
        sink.close()
    assert len(shared.rows("p", DAILY)) == 3 * 4 * 5
    sink = shared.open()
    kept = json.loads(sink.session("p", "run-9").state() or b"null")
    sink.close()
    assert set(kept["bookmarks"]["daily"]["accounts"]) == {f"{index}{n}" for index in range(3) for n in range(4)}


def test_of_shards_that_end_in_the_same_moment_one_makes_the_views(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = VerticaDatabase(tmp_path)
    caplog.set_level(logging.INFO)
    for _ in range(5):
        sinks = [database.open(shard=Shard(index, 3), in_group=True) for index in range(3)]
        caplog.clear()
        assert all_at_once(*(sink.publish for sink in sinks)) == [None] * 3
        # Two may do it, one after the other, where one was held up between giving the database back and looking.
        assert caplog.text.count("the views are left to the one that ends last") <= 2
        for sink in sinks:
            sink.close()
    database.close()


@pytest.mark.parametrize(
    ("held", "wanted", "says"),
    [
        (FIRST, FIRST, "a run of shard 0/2 that started {when}; wait until that run ends"),
        (FIRST, Shard(1, 3), "shard 1/3 could have accounts of it, so wait until all runs of 2 shards have ended"),
        (FIRST, None, "a run of shard 0/2 that started {when}; wait until all runs of 2 shards have ended"),
        (None, FIRST, "a run that started {when}; wait until that run ends"),
    ],
    ids=["the same", "of another number", "all accounts", "beside all accounts"],
)
def test_who_could_load_the_same_account_is_refused(
    shared: Shared, held: Shard | None, wanted: Shard | None, says: str
) -> None:
    holder = shared.open(shard=held)
    beside = shared.open(shard=SECOND) if held and wanted != FIRST else None
    before, _, after = says.partition("{when}")
    with pytest.raises(SinkError) as caught:
        shared.open(shard=wanted)
    told = str(caught.value)
    assert f"in use by pid {os.getpid()} on " in told
    assert after in told if beside else before in told and after in told
    holder.close()
    if beside:
        with pytest.raises(SinkError, match="a run of shard 1/2 "):
            shared.open(shard=wanted)
        beside.close()
    shared.open(shard=wanted).close()


def test_a_state_is_reset_beside_no_shard_whichever_the_variables_are_of(
    shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (shared.variables | {"SHARD": str(SECOND), "RUN_GROUP": "night"}).items():
        monkeypatch.setenv(name, value)
    holder = shared.open(shard=FIRST)
    load(holder, tmp_path, DAILY, day("1", "c", "2026-01-01", 1), state=b'{"seen": 1}', is_patch=True)
    with pytest.raises(SinkError, match=r"a run of shard 0/2 .*; wait until all runs of 2 shards have ended"):
        list(reset_state(None, None, None))
    holder.close()
    assert list(reset_state(None, None, None)) == [
        "p: the whole state is forgotten; the next run loads those days anew"
    ]


def test_of_all_that_come_at_once_none_is_beside_one_that_it_may_not_be_with(shared: Shared) -> None:
    wanted = [FIRST, SECOND, FIRST, Shard(0, 3), Shard(2, 3), None]
    were_in = 0
    for _ in range(4):
        found = all_at_once(*(lambda shard=shard: shared.open(shard=shard) for shard in wanted))
        inside = [shard for shard, sink in zip(wanted, found, strict=True) if not isinstance(sink, SinkError)]
        assert not [pair for pair in combinations(inside, 2) if is_in_the_way(*pair)]
        were_in += len(inside)
        for sink in found:
            if not isinstance(sink, SinkError):
                sink.close()
    assert were_in, "nobody ever got in"


def test_a_state_that_a_former_version_left_whole_is_taken_apart_by_a_run_of_all_accounts(
    shared: Shared, tmp_path: Path
) -> None:
    accounts = {"1": {"complete": []}, "2": {"complete": []}}
    shared.leave_old_state("p", json.dumps({"bookmarks": {"daily": {"accounts": accounts}}}))
    with pytest.raises(SinkError, match=r"the state of p is kept whole, .*; run once without --shard"):
        shared.open(shard=FIRST)
    sink = shared.open()
    load(sink, tmp_path, DAILY, day("1", "c", "2026-01-01", 1), state=b'{"seen": 1}', is_patch=True)
    sink.close()
    shared.open(shard=FIRST).close()
