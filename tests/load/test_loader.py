"""What is committed is what was sent, in order and in whole windows, wherever the output is cut."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from memory import Memory, line, load

from supervisor.load.loader import Loader

STREAMS = ("a", "b", "c")


def conversation(chance: random.Random) -> tuple[list[bytes], list[tuple[int, dict[str, list[Any]], Any]]]:
    """Lines over three interleaved streams, and after which line what must be committed with which state."""
    properties = {"id": {"type": "string"}, "n": {"type": ["null", "integer"]}, "text": {"type": ["null", "string"]}}
    lines = [line(type="SCHEMA", stream=s, schema={"properties": properties}, key_properties=["id"]) for s in STREAMS]
    waiting: dict[str, list[Any]] = {stream: [] for stream in STREAMS}
    commits: list[tuple[int, dict[str, list[Any]], Any]] = []
    for n in range(chance.randrange(1, 120)):
        stream = chance.choice(STREAMS)
        if chance.random() < 0.85:
            record = {"id": str(n), "n": n, "text": chance.choice(("", "ü" * chance.randrange(3000), '"}}\n'))}
            waiting[stream].append(record)
            lines.append(line(type="RECORD", stream=stream, record=record))
            continue
        of_one = chance.random() < 0.5
        given = {stream: waiting[stream]} if of_one else {s: rows for s, rows in waiting.items() if rows}
        replaces = {"stream": stream, "where": {"id": "x"}, "rows": len(waiting[stream])}
        lines.append(line(type="STATE", value={"n": n}, **({"replaces": replaces} if of_one else {})))
        commits.append((len(lines), given, {"n": n}))
        waiting |= {each: [] for each in given}
    return lines, commits


def cut(text: bytes, chance: random.Random) -> list[bytes]:
    edges = sorted({0, len(text), *(chance.randrange(len(text) + 1) for _ in range(chance.choice((0, 3, 40))))})
    return [text[a:b] for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize("seed", range(30))
def test_any_interleaving_cut_anywhere_commits_the_whole_windows_before_the_cut(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    lines, commits = conversation(chance)
    text = b"".join(lines)
    end = len(text) if seed % 3 == 0 else chance.randrange(len(text))
    session = Memory(slow=chance.choice((0.0, 0.002)))
    loader = load(session, cut(text[:end], chance), tmp_path, keep=False)
    whole = text[:end].count(b"\n")
    expected = [(given, state) for at, given, state in commits if at <= whole]
    assert session.committed == expected
    assert loader.progress.rows == sum(len(rows) for given, _ in expected for rows in given.values())
    assert (loader.error is None) == text[:end].endswith(b"\n") or end == 0
    assert loader.progress.bytes_read == end


@pytest.mark.parametrize("seed", range(10))
def test_a_sink_that_refuses_stops_the_loading_there(seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"refuses {seed}")
    lines, commits = conversation(chance)
    text = b"".join(lines)
    session = Memory(refuses=len(commits) // 2)
    loader = load(session, cut(text, chance), tmp_path)
    assert session.committed == [(given, state) for _, given, state in commits[: len(commits) // 2]]
    assert not commits or str(loader.error) == "the disk is full"


@pytest.mark.parametrize("held", [False, True], ids=["closed", "held open"])
def test_after_the_end_what_is_in_the_pipe_is_still_taken(tmp_path: Path, held: bool) -> None:
    properties = {"id": {"type": "string"}}
    text = line(type="SCHEMA", stream="a", schema={"properties": properties}, key_properties=["id"])
    for n in range(10):
        text += line(type="RECORD", stream="a", record={"id": str(n)}) + line(type="STATE", value={"n": n})
    session = Memory(slow=0.1)
    read, write = os.pipe()
    os.write(write, text)
    if not held:
        os.close(write)
    loader = Loader(session, tmp_path, notice=lambda _: None)
    loader.start(read)
    loader.stop()
    assert loader.wait(60)
    loader.finish(keep=True)
    if held:
        os.close(write)
    assert len(session.committed) == 10
    assert loader.error is None


@pytest.mark.parametrize("pause", [0.0, 0.2], ids=["flood", "drip"])
def test_who_goes_on_writing_after_the_end_is_not_listened_to(tmp_path: Path, pause: float) -> None:
    properties = {"id": {"type": "string"}}
    read, write = os.pipe()
    os.write(write, line(type="SCHEMA", stream="a", schema={"properties": properties}, key_properties=["id"]))
    loader = Loader(Memory(), tmp_path, notice=lambda _: None)
    loader.start(read)
    loader.stop()
    block = line(type="RECORD", stream="a", record={"id": "x" * 30000})
    with pytest.raises(BrokenPipeError):
        for _ in range(10000):
            os.write(write, block)
            time.sleep(pause)
    os.close(write)
    assert loader.wait(60)
    loader.finish(keep=False)


def test_time_behind_a_slow_sink_is_the_sinks(tmp_path: Path) -> None:
    properties = {"id": {"type": "string"}}
    text = line(type="SCHEMA", stream="a", schema={"properties": properties}, key_properties=["id"])
    for n in range(8):
        text += line(type="RECORD", stream="a", record={"id": str(n)}) + line(type="STATE", value={"n": n})
    begun = time.monotonic()
    loader = load(Memory(slow=0.1), [text], tmp_path)
    assert loader.progress.commits == 8
    assert 0.3 < loader.progress.blocked_seconds < time.monotonic() - begun


def test_a_sink_that_loses_what_it_took_fails_the_loading(tmp_path: Path) -> None:
    properties = {"id": {"type": "string"}}
    text = line(type="SCHEMA", stream="a", schema={"properties": properties}, key_properties=["id"])
    text += line(type="RECORD", stream="a", record={"id": "1"}) + line(type="STATE", value={"n": 1})
    loader = load(Memory(refuses_to_flush=True), [text], tmp_path)
    assert str(loader.error) == "what was sent never arrived"


def test_a_sink_that_hangs_is_interrupted(tmp_path: Path) -> None:
    properties = {"id": {"type": "string"}}
    text = line(type="SCHEMA", stream="a", schema={"properties": properties}, key_properties=["id"])
    for n in range(10):
        text += line(type="RECORD", stream="a", record={"id": str(n)}) + line(type="STATE", value={"n": n})
    session = Memory(slow=600)
    begun = time.monotonic()

    class Hasty(Loader):
        def start(self, descriptor: int) -> None:
            super().start(descriptor)
            threading.Timer(0.3, lambda: self.interrupt("the database does not answer")).start()

    loader = load(session, [text], tmp_path, kind=Hasty)
    assert time.monotonic() - begun < 60
    assert (str(loader.error), session.committed) == ("the database does not answer", [])
    assert not list(tmp_path.iterdir())


def test_the_windows_before_a_broken_line_stay_committed(tmp_path: Path) -> None:
    properties = {"id": {"type": "string"}}
    text = line(type="SCHEMA", stream="a", schema={"properties": properties}, key_properties=["id"])
    for n in range(3):
        text += line(type="RECORD", stream="a", record={"id": str(n)}) + line(type="STATE", value={"n": n})
    session = Memory(slow=0.05)
    loader = load(session, [text + b"Loading...\n"], tmp_path)
    assert [state for _, state in session.committed] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert "not a message" in str(loader.error)
