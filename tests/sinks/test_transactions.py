"""Several regions in one transaction: a region that breaks a rule is refused alone, and the others are stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage import DAILY, ENTITY, Storage, commit_one, day, load, write_spool

from supervisor.sinks import Commit, Refusal, Result, Session, Sink
from wire.messages import Replaces
from wire.schema import Table


@frozen
class Region:
    """One account's January of DAILY, or its campaigns, with the rows that are sent for it."""

    account: str
    rows: Sequence[dict[str, Any]]
    table: Table = DAILY
    confirmed: bool = False

    @property
    def commit(self) -> Commit:
        days = {"first": "2026-01-01", "last": "2026-01-31"} if self.table is DAILY else {}
        mark = {"bookmarks": {self.table.name: {"accounts": {self.account: {"loaded": len(self.rows)}}}}}
        where = {"account_id": self.account}
        return Commit(
            streams=(self.table.name,), state=json.dumps(mark).encode(), is_patch=True,
            replaces=Replaces(stream=self.table.name, where=where, confirmed=self.confirmed, **days),
        )  # fmt: skip


def commit(session: Session, directory: Path, *regions: Region) -> Sequence[Result]:
    """One transaction, staged as the loader does it."""
    for table in dict.fromkeys(region.table for region in regions):
        session.prepare(table)
        parts = [region.rows for region in regions if region.table is table]
        rows = [row for part in parts for row in part]
        if rows:
            spool = write_spool(directory, *rows)
            session.stage(table.name, spool, len(rows), [len(part) for part in parts])
    return session.commit([region.commit for region in regions])


def rows_of(storage: Storage, table: Table = DAILY) -> list[tuple[str, ...]]:
    return sorted(tuple(str(row[c.name]) for c in table.columns[:4]) for row in storage.rows("p", table))


def loaded(sink: Sink) -> dict[str, dict[str, int]]:
    session = sink.session("p", "run-9")
    state = json.loads(session.state() or b'{"bookmarks": {}}')
    session.close()
    return {
        table: {account: value["loaded"] for account, value in sorted(known["accounts"].items())}
        for table, known in state["bookmarks"].items()
    }


def campaign(account: str, name: str) -> dict[str, str]:
    return {"account_id": account, "campaign_id": "a", "name": name}


def test_the_good_ones_are_stored_and_the_bad_ones_are_named(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    load(sink, tmp_path, DAILY, day("2", "old", "2026-01-07", 5), day("4", "old", "2026-01-07", 5))
    session = sink.session("p", "run-2")
    results = commit(
        session, tmp_path,
        Region("1", [day("1", "a", "2026-01-05", 1), day("1", "b", "2026-01-05", 2)]),
        Region("2", [day("2", "a", "2026-01-05", 1), day("3", "a", "2026-01-05", 1)]),
        Region("3", [day("3", "b", "2026-01-05", 4)]),
        Region("1", [campaign("1", "x")], ENTITY),
        Region("4", [day("4", "a", "2026-01-05", 1), day("4", "a", "2026-01-05", 2)]),
        Region("5", []),
        Region("2", [campaign("2", "x")], ENTITY),
    )  # fmt: skip
    session.flush()
    session.close()
    assert [result for result in results if not isinstance(result, Refusal)] == [
        {"daily": 2}, {"daily": 1}, {"campaign": 1}, {"daily": 0}, {"campaign": 1},
    ]  # fmt: skip
    refused = {n: result.sentence for n, result in enumerate(results) if isinstance(result, Refusal)}
    assert list(refused) == [1, 4]
    assert "'daily' of account_id 2 for 2026-01-01..2026-01-31 lie outside the region" in refused[1]
    assert "two rows with the key account_id=4, campaign_id=a, date=2026-01-05 that differ in 'n'" in refused[4]
    if storage.replaces:
        assert rows_of(storage) == [
            ("1", "a", "2026-01-05", "1"), ("1", "b", "2026-01-05", "2"), ("2", "old", "2026-01-07", "5"),
            ("3", "b", "2026-01-05", "4"), ("4", "old", "2026-01-07", "5"),
        ]  # fmt: skip
    if storage.keeps_rows:
        assert [row["account_id"] for row in storage.rows("p", ENTITY)] == ["1", "2"]
        assert not any(row["account_id"] == "2" and row["campaign_id"] == "a" for row in storage.rows("p", DAILY))
    if storage.keeps_state:
        assert loaded(sink) == {"campaign": {"1": 1, "2": 1}, "daily": {"1": 2, "3": 1, "5": 0}}


@pytest.mark.needs("keeps_rows")
def test_the_same_row_twice_is_one(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    session = sink.session("p", "run-1")
    twice = day("1", "a", "2026-01-05", 1)
    assert commit(session, tmp_path, Region("1", [twice, twice]), Region("2", [day("2", "a", "2026-01-05", 1)])) == (
        {"daily": 1}, {"daily": 1},
    )  # fmt: skip
    session.flush()
    session.close()
    assert rows_of(storage) == [("1", "a", "2026-01-05", "1"), ("2", "a", "2026-01-05", "1")]


@pytest.mark.needs("replaces")
@pytest.mark.parametrize("table", [DAILY, ENTITY], ids=lambda table: table.name)
def test_a_region_that_holds_rows_is_not_emptied_on_one_word(storage: Storage, tmp_path: Path, table: Table) -> None:
    rows = {
        account: day(account, "a", "2026-01-05", 1) if table is DAILY else campaign(account, "x") for account in "123"
    }
    sink = storage.open()
    session = sink.session("p", "run-1")
    commit(session, tmp_path, *(Region(account, [row], table) for account, row in rows.items()))
    session.close()
    before = rows_of(storage, table)
    session = sink.session("p", "run-2")
    results = commit(
        session, tmp_path,
        Region("1", [], table), Region("2", [], table, confirmed=True), Region("3", [rows["3"]], table), Region("4", [], table),
    )  # fmt: skip
    refusal, *others = results
    assert isinstance(refusal, Refusal) and others == [{table.name: 0}, {table.name: 1}, {table.name: 0}]
    days = " for 2026-01-01..2026-01-31" if table is DAILY else ""
    assert refusal.sentence.startswith(f"{table.name!r} of account_id 1{days} holds 1 rows, and none came")
    assert "--allow-emptying" in refusal.sentence
    assert rows_of(storage, table) == [row for row in before if row[0] != "2"]
    # What the pipeline says later of this account and table includes what was refused, so it is not kept.
    commit(session, tmp_path, Region("1", [rows["1"]], table))
    session.close()
    assert loaded(sink) == {table.name: {"1": 1, "2": 0, "3": 1, "4": 0}}
    sink.close()
    sink = storage.open()
    session = sink.session("p", "run-3")
    session.prepare(table)
    lifted = Region("1", [], table).commit
    assert commit_one(session, Commit(streams=lifted.streams, replaces=lifted.replaces, may_empty=True)) == {
        table.name: 0
    }
    session.close()
    sink.close()
    assert [row[0] for row in rows_of(storage, table)] == ["3"]


@pytest.mark.needs("replaces")
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    transactions=st.lists(
        st.dictionaries(
            st.sampled_from(["1", "2", "1|2", "it's", "ü/#"]),
            st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.booleans()), max_size=3),
            min_size=1,
        ),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_any_regions_in_any_transactions(
    storage: Storage, tmp_path: Path, transactions: list[dict[str, list[tuple[str, int, bool]]]]
) -> None:
    """A row is (campaign, number, whether it is the account's own); a stray one refuses its region and no other."""
    sink = storage.open()
    session = sink.session("p", "run-1")
    model: dict[str, set[tuple[str, str]]] = {}
    for row in storage.rows("p", DAILY):
        model.setdefault(row["account_id"], set()).add((row["campaign_id"], str(row["n"])))
    for transaction in transactions:
        regions = []
        wanted: list[Any] = []
        for account, sent in transaction.items():
            rows = [day(account if own else "9", name, "2026-01-05", n) for name, n, own in sent]
            regions.append(Region(account, rows))
            different = {(name, str(n)) for name, n, own in sent}
            keys = {name for name, _ in different}
            if not all(own for _, _, own in sent) or len(keys) < len(different) or (not sent and model.get(account)):
                wanted.append(None)
            else:
                wanted.append({"daily": len(different)})
                model[account] = different
        results = commit(session, tmp_path, *regions)
        assert [None if isinstance(result, Refusal) else result for result in results] == wanted
        found = {(row["account_id"], row["campaign_id"], str(row["n"])) for row in storage.rows("p", DAILY)}
        assert found == {(account, *row) for account, rows in model.items() for row in rows}
    session.close()
    sink.close()
