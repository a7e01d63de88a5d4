"""Which finished regions wait for each other, and for how long."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from memory import Memory, line, load
from until import until

from supervisor.load.gathering import MOST_REGIONS, Gathering
from supervisor.load.loader import ALONE_BYTES, Loader
from supervisor.sinks import Commit, Refusal, Result
from wire.messages import Replaces
from wire.schema import Column, Table, Type

TABLE = Table(
    "a", (Column("id", Type.STRING), Column("n", Type.INTEGER), Column("date", Type.DATE)), ("id", "date"), "date"
)
HEAD = line(
    type="SCHEMA", stream="a", key_properties=["id", "date"], bookmark_properties=["date"],
    schema={"properties": {"id": {"type": "string"}, "text": {"type": ["null", "string"]}, "date": {"type": "string", "format": "date"}}},
)  # fmt: skip


def region(who: str, day: str = "2026-01-01", rows: int = 1, text: str = "") -> bytes:
    records = [line(type="RECORD", stream="a", record={"id": who, "text": text, "date": day}) for _ in range(rows)]
    replaces = {"stream": "a", "where": {"id": who}, "from": day, "to": day, "rows": rows}
    return b"".join([*records, line(type="STATE", value={"last": who}, replaces=replaces)])


def waiting(*regions: Replaces) -> Gathering:
    gathering = Gathering()
    for each in regions:
        gathering.add(Commit(streams=("a",), replaces=each), 1, 1)
    return gathering


def of(first: str | None = None, last: str | None = None, **where: str) -> Replaces:
    return Replaces(stream="a", where=where, first=first, last=last)


@pytest.mark.parametrize(
    ("known", "new", "room"),
    [
        (of(id="1"), of(id="2"), True),
        (of(id="1"), of(id="1"), False),
        (of("2026-01-01", "2026-01-31", id="1"), of("2026-01-01", "2026-01-31", id="2"), True),
        (of("2026-01-01", "2026-01-31", id="1"), of("2026-02-01", "2026-02-28", id="1"), True),
        (of("2026-01-01", "2026-01-31", id="1"), of("2026-01-31", "2026-02-28", id="1"), False),
        (of("2026-01-01", "2026-01-31", id="1"), of("2026-02-01", id="1"), False),
        (of("2026-01-01", "2026-01-31", id="1"), of(id="2"), False),
        (of("2026-01-01", "2026-01-31"), of("2026-01-05", "2026-01-06", id="1"), False),
        (of(n="1"), of(n="2"), False),
    ],
)
def test_regions_that_may_share_rows_are_not_replaced_together(known: Replaces, new: Replaces, room: bool) -> None:
    assert waiting(known).has_room_for(TABLE, new) is room


def test_they_are_due_when_they_are_many_or_have_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.load.gathering.WAIT_SECONDS", 60.0)
    gathering = waiting(of(id="1"))
    assert not gathering.is_full and not gathering.have_waited
    monkeypatch.setattr("supervisor.load.gathering.WAIT_SECONDS", 0.01)
    time.sleep(0.02)
    assert gathering.have_waited
    assert len(gathering.take()) == 1 and gathering.is_empty and not gathering.have_waited
    assert waiting(*(of(id=str(n)) for n in range(MOST_REGIONS))).is_full


def test_small_regions_share_a_transaction_and_a_large_one_has_its_own(tmp_path: Path) -> None:
    session = Memory()
    small = b"".join(region(str(n)) for n in range(50))
    large = region("large", rows=ALONE_BYTES // 10_000 * 2, text="x" * 10_000)
    loader = load(session, [HEAD + small, large, b"".join(region(f"b{n}", rows=2) for n in range(5))], tmp_path)
    assert loader.error is None
    assert [state["last"] for _, state in session.committed] == [
        *map(str, range(50)),
        "large",
        *(f"b{n}" for n in range(5)),
    ]
    assert [len(rows["a"]) for rows, _ in session.committed] == [1] * 50 + [ALONE_BYTES // 10_000 * 2] + [2] * 5
    assert len(session.transactions) < 10


def test_what_was_finished_is_stored_soon_though_the_pipeline_is_silent(tmp_path: Path) -> None:
    session = Memory()
    read, write = os.pipe()
    loader = Loader(session, tmp_path, notice=lambda _: None)
    loader.start(read)
    half = line(type="RECORD", stream="a", record={"id": "2", "date": "2026-01-01"})
    os.write(write, HEAD + region("1") + half)
    until(lambda: session.committed)
    assert [rows["a"][0]["id"] for rows, _ in session.committed] == ["1"]
    os.write(
        write,
        half.replace(b"01-01", b"01-02")
        + line(type="STATE", value={"last": "2"}, replaces={"stream": "a", "where": {"id": "2"}, "rows": 2}),
    )
    os.close(write)
    assert loader.wait(60)
    loader.finish(keep=False)
    assert [len(rows["a"]) for rows, _ in session.committed] == [1, 2]
    assert loader.error is None and not list(tmp_path.iterdir())


def test_the_regions_before_a_broken_line_or_a_failed_account_are_stored(tmp_path: Path) -> None:
    error = line(type="ERROR", kind="data", message="odd", account_id="2")
    half = line(type="RECORD", stream="a", record={"id": "2", "date": "2026-01-01"})
    session = Memory()
    loader = load(session, [HEAD + region("1") + half + error + region("3") + b"Loading...\n"], tmp_path)
    assert [state["last"] for _, state in session.committed] == ["1", "3"]
    assert "not a message" in str(loader.error)
    assert [failure.account_id for failure in loader.progress.failures] == ["2"]


def test_a_refused_region_is_its_accounts_failure(tmp_path: Path) -> None:
    class Strict(Memory):
        def commit_one(self, commit: Commit) -> Result:
            stored = super().commit_one(commit)
            assert commit.replaces is not None
            return Refusal("it holds rows") if commit.replaces.where["account_id"] == "2" else stored

    head = HEAD.replace(b'"id"', b'"account_id"')
    text = head + b"".join(region(str(n)).replace(b'"id"', b'"account_id"') for n in (1, 2, 3))
    loader = load(Strict(), [text], tmp_path)
    assert loader.error is None
    assert [(failure.account_id, failure.message) for failure in loader.progress.failures] == [("2", "it holds rows")]
    assert loader.progress.rows_by_account == {"a": {"1": 1, "3": 1}}
