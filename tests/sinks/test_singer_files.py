"""What a Singer target reads, what it writes back, and the files that a run into one leaves: without a running target."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from singer_target import SingerTarget

from supervisor.config.environment import RunEnvironment, StorageType
from supervisor.config.errors import SinkError
from supervisor.sinks.singer import check, open_history
from supervisor.sinks.singer.echoes import Echoes
from supervisor.sinks.singer.messages import Records, schema_line
from supervisor.sinks.singer.names import stream_name
from supervisor.sinks.singer.sink import SingerSink
from wire.schema import Column, Table, Type


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    target = SingerTarget(tmp_path)
    sink = target.open()
    with pytest.raises(SinkError, match=f"state file .* is in use by pid {os.getpid()}, a run"):
        target.open()
    environment = RunEnvironment(storage_type=StorageType.SINGER, singer=target.access)
    assert f"is in use by pid {os.getpid()}" in (check(environment) or "")
    sink.close()
    assert check(environment) is None
    assert not target.state_path.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"p": }', "\udcff"])
def test_a_broken_state_file_is_no_empty_one(tmp_path: Path, content: str) -> None:
    target = SingerTarget(tmp_path)
    target.state_path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(SinkError, match="is broken .* put a copy of it back"):
        target.open()


def test_a_target_that_is_not_there_and_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    access = SingerTarget(tmp_path).access
    absent = evolve(access, command=("target-nobody-has",))
    nowhere = evolve(access, state_path=tmp_path / "absent" / "state.json")
    for broken, said in ((absent, "target-nobody-has is not found"), (nowhere, "is not a writable directory")):
        found = check(RunEnvironment(storage_type=StorageType.SINGER, singer=broken))
        assert found is not None
        assert said in found
        with pytest.raises(SinkError, match=said):
            SingerSink(broken, visible={}, history_path=tmp_path / "h.jsonl")
    assert list(tmp_path.rglob("*.lock")) == []


def test_the_history_knows_the_states(tmp_path: Path) -> None:
    target = SingerTarget(tmp_path)
    sink = target.open()
    sink.put_state("a", b'{"x":1}')
    sink.put_state("b", b"2")
    sink.put_state("a", None)
    sink.close()
    environment = RunEnvironment(
        storage_type=StorageType.SINGER, singer=target.access, history_path=tmp_path / "none.jsonl"
    )
    history = open_history(environment)
    assert [(state.platform, state.value) for state in history.states()] == [("b", "2")]
    with pytest.raises(SinkError, match="there is no history file"):
        history.platform_runs(None, 5)


def test_equal_states_are_equal_however_they_are_written() -> None:
    stored: list[bytes] = []
    echoes = Echoes(stored.append)
    for state in (b'{"a":{"x":1.0,"y":[1e2]}}', b'{"b":"\\u00e9"}', b'{"a":{"x":1.0,"y":[1e2]}}'):
        echoes.sent(state)
    echoes.take(b'{"a": {"y": [100], "x": 1}}\n')
    assert echoes._pending != []
    echoes.take('{"b": "é"}\n'.encode())
    echoes.take(b"\n")
    assert echoes.complete is False
    echoes.take(b' {"a": {"x": 1.0, "y": [100.0]}} \n')
    assert echoes.complete
    assert echoes.error is None
    assert stored == [b'{"a":{"y":[100],"x":1}}', '{"b":"é"}'.encode(), b'{"a":{"x":1.0,"y":[100.0]}}']
    echoes.take(b'{"b": "\xc3\xa9"}\n')
    assert "none of the states" in str(echoes.error)


@given(states=st.lists(st.integers(0, 4), min_size=1, max_size=12), data=st.data())
def test_any_target_that_echoes_in_order_is_understood(states: list[int], data: st.DataObject) -> None:
    stored: list[bytes] = []
    echoes = Echoes(stored.append)
    for state in states:
        echoes.sent(b'{"n": %d}' % state)
    at = sorted(data.draw(st.sets(st.integers(0, len(states) - 1))))
    for index in at:
        for _ in range(data.draw(st.integers(1, 3))):
            echoes.take(b'{"n":%d}\n' % states[index])
    assert echoes.error is None
    if at:
        assert stored[-1] == b'{"n":%d}' % states[at[-1]]
        assert echoes.complete == (states[at[-1]] == states[-1])
    else:
        assert not echoes.complete


@pytest.mark.parametrize("end", ["\n", ""])
@pytest.mark.parametrize("count", [0, 1, 3, 200_000])
def test_records_are_the_spooled_bytes(tmp_path: Path, count: int, end: str) -> None:
    spool = tmp_path / "spool.jsonl"
    rows = [f'{{"n":{n},"t":"ü"}}' for n in range(count)]
    spool.write_text("\n".join(rows) + (end if rows else ""), encoding="utf-8")
    records = Records("p__t", tmp_path)
    records.add(spool)
    records.add(spool)
    sent: list[bytes] = []
    records.send(sent.append)
    records.close()
    wanted = "".join(f'{{"type":"RECORD","stream":"p__t","record":{row}}}\n' for row in rows)
    assert b"".join(sent).decode() == wanted * 2


def test_what_a_schema_line_says() -> None:
    table = Table("days", (Column("id", Type.STRING), Column("j", Type.JSON), Column("m", Type.DECIMAL)), ("id",), "id")
    line = json.loads(schema_line(stream_name("p-q", "a-b"), table))
    anything = line["schema"]["properties"].pop("j")["type"]
    assert set(anything) == {"null", "object", "array", "string", "number", "integer", "boolean"}
    assert line == {
        "type": "SCHEMA",
        "stream": "p_q__a_b",
        "schema": {
            "type": "object",
            "properties": {
                "id": {"type": ["string"]},
                "m": {"type": ["null", "string"], "format": "singer.decimal"},
            },
            "required": ["id"],
        },
        "key_properties": ["id"],
        "bookmark_properties": ["id"],
    }
