"""What only this sink has: a process that gets the rows, and that may do with them what it likes."""

from __future__ import annotations

import json
import logging
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from singer_target import SingerTarget
from storage import DAILY, ENTITY, commit_one, day, load, stage
from until import until

from supervisor.config.errors import SinkError
from supervisor.record.log import log
from supervisor.sinks import Commit
from supervisor.sinks.singer.sink import SingerSink
from wire.schema import Table

ROW = day("1", "a", "2026-01-01", 1)
Opened = Callable[..., SingerSink]


def children() -> list[str]:
    """What of ours is alive, and no zombie."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def descriptors() -> set[tuple[str, str]]:
    """Each one's number and what it is of."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            found.add((path.name, str(path.readlink())))
    return found


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Whatever a target does, no process, descriptor or thread of it may be left."""
    others = children(), descriptors(), set(threading.enumerate())  # what other tests share, or left and may end now
    yield
    assert children() == others[0]
    assert descriptors() <= others[1]
    assert set(threading.enumerate()) <= others[2]


@pytest.fixture
def a_target(tmp_path: Path) -> Callable[..., SingerTarget]:
    def make(mischief: str = "", **other: Any) -> SingerTarget:
        (tmp_path / "storage").mkdir(exist_ok=True)
        return SingerTarget(tmp_path / "storage", mischief, **other)

    return make


@pytest.fixture
def opened(a_target: Callable[..., SingerTarget]) -> Iterator[Opened]:
    """Opens the sink of a target that is up to something."""
    sinks: list[SingerSink] = []

    def make(mischief: str = "", **other: Any) -> SingerSink:
        sinks.append(a_target(mischief, **other).open())
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.close()


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """The messages of the log."""
    lines: list[str] = []
    handler = _Kept(lines)
    log.addHandler(handler)
    level = log.level
    log.setLevel("DEBUG")
    yield lines
    log.removeHandler(handler)
    log.setLevel(level)


class _Kept(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def states(sink: SingerSink) -> Any:
    path = sink._access.state_path
    return json.loads(path.read_text()) if path.exists() else None


def rows_of(count: int) -> list[dict[str, Any]]:
    return [day("1", f"c{n}", "2026-01-01", n) for n in range(count)]


def test_state_is_stored_when_it_is_echoed_and_not_before(opened: Opened, tmp_path: Path) -> None:
    sink = opened()
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    stage(session, DAILY, ROW, directory=tmp_path)
    commit_one(session, Commit(streams=("daily",), state=b'{"a": 1}'))
    time.sleep(0.3)
    assert session.state() is None
    session.flush()
    assert session.state() == b'{"a":1}'
    session.close()
    assert stat.S_IMODE(sink._access.state_path.stat().st_mode) == 0o600


def test_an_early_echo_is_stored_at_once(opened: Opened, tmp_path: Path) -> None:
    session = opened("each").session("p", "run-1")
    session.prepare(DAILY)
    for n in (1, 2):
        stage(session, DAILY, ROW, directory=tmp_path)
        commit_one(session, Commit(streams=("daily",), state=b'{"a":%d}' % n))
        until(lambda n=n: session.state() == b'{"a":%d}' % n)
    session.flush()
    session.close()


def test_one_that_echoes_its_state_twice_is_understood(opened: Opened, tmp_path: Path) -> None:
    sink = opened("again")
    load(sink, tmp_path, DAILY, ROW, state=b'{"a":1}')
    assert states(sink) == {"p": {"a": 1}}


def test_one_that_never_echoes_leaves_the_state_as_it_was(opened: Opened, tmp_path: Path) -> None:
    sink = opened("mute")
    sink.put_state("p", b'{"a":0}')
    with pytest.raises(SinkError, match="without echoing the last state"):
        load(sink, tmp_path, DAILY, ROW, state=b'{"a":1}')
    assert states(sink) == {"p": {"a": 0}}


def test_the_last_state_must_come_back_and_what_came_before_is_kept(opened: Opened, tmp_path: Path) -> None:
    sink = opened("once")
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    for n in (1, 2):
        stage(session, DAILY, ROW, directory=tmp_path)
        commit_one(session, Commit(streams=("daily",), state=b'{"a":%d}' % n))
    with pytest.raises(SinkError, match="without echoing the last state"):
        session.flush()
    session.close()
    assert states(sink) == {"p": {"a": 1}}


def test_without_a_state_a_good_end_is_enough(opened: Opened, tmp_path: Path) -> None:
    assert load(opened("mute"), tmp_path, DAILY, ROW) == {"daily": 1}


@pytest.mark.parametrize(("mischief", "said"), [("garbage", "hello!"), ("other", '{"somebody": "else\'s"}')])
def test_what_was_never_sent_is_no_echo(opened: Opened, tmp_path: Path, mischief: str, said: str) -> None:
    sink = opened(mischief)
    with pytest.raises(SinkError, match="none of the states") as found:
        load(sink, tmp_path, DAILY, ROW, state=b'{"a":1}')
    assert said in str(found.value)
    assert states(sink) is None


@pytest.mark.parametrize(
    ("mischief", "sentence"),
    [
        ("dies=50", "ended with exit status 1 before it had all rows; its last line was: Error: the warehouse is full"),
        ("leaves=50", "ended with exit status 0 before it had all rows; it wrote nothing to its log"),
        ("heir", "ended with exit status 1 before it had all rows; its last line was: Error: no license"),
        ("fails", "ended with exit status 1; its last line was: Error: the last batch was refused"),
    ],
)
def test_a_target_that_ends_is_reported_with_its_last_words(
    opened: Opened, tmp_path: Path, mischief: str, sentence: str
) -> None:
    sink = opened(mischief)
    with pytest.raises(SinkError) as found:
        load(sink, tmp_path, DAILY, *rows_of(30_000), state=b'{"a":1}')
    assert sentence in str(found.value)
    assert (states(sink) or {}).keys() == ({"p"} if mischief == "fails" else set())


@pytest.mark.parametrize("mischief", ["deaf", "ignores", "stalls=1"])
def test_a_target_that_takes_nothing_is_given_up(opened: Opened, tmp_path: Path, mischief: str) -> None:
    began = time.monotonic()
    with pytest.raises(SinkError, match=r"takes no rows: not a byte for 0.5 s \(SINGER_TARGET_TIMEOUT\)"):
        load(opened(mischief, timeout=0.5), tmp_path, DAILY, *rows_of(30_000))
    assert time.monotonic() - began < 30


def test_a_target_that_does_not_end_is_given_up(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="did not end, and gave no sign for 0.5 s"):
        load(opened("lingers", timeout=0.5), tmp_path, DAILY, ROW)


@pytest.mark.parametrize("verb", ["write", "flush"])
@pytest.mark.parametrize("mischief", ["stalls=1", "ignores"])
def test_an_interruption_ends_the_verb_soon(opened: Opened, tmp_path: Path, verb: str, mischief: str) -> None:
    session = opened(mischief).session("p", "run-1")
    session.prepare(DAILY)
    stage(session, DAILY, *rows_of(30_000 if verb == "write" else 1), directory=tmp_path)
    if verb == "flush":
        commit_one(session, Commit(streams=("daily",)))
    over = threading.Event()

    def interrupt() -> None:
        while not over.wait(0.1):
            session.interrupt()

    thread = threading.Thread(target=interrupt)
    began = time.monotonic()
    thread.start()
    with pytest.raises(SinkError, match="was stopped in the middle of its work"):
        session.flush() if verb == "flush" else commit_one(session, Commit(streams=("daily",)))
    over.set()
    thread.join()
    assert time.monotonic() - began < 30
    session.discard()
    session.close()


def test_an_interruption_of_nothing_is_none(opened: Opened, tmp_path: Path) -> None:
    session = opened().session("p", "run-1")
    session.interrupt()
    session.prepare(DAILY)
    session.interrupt()
    stage(session, DAILY, ROW, directory=tmp_path)
    assert commit_one(session, Commit(streams=("daily",))) == {"daily": 1}
    session.flush()
    session.close()


def test_a_session_starts_nothing_and_discarded_rows_are_not_sent(a_target: Any, tmp_path: Path) -> None:
    target = a_target()
    sink = target.open()
    session = sink.session("p", "run-1")
    assert not any("target.py" in command for command in children())
    session.prepare(DAILY)
    assert any("target.py" in command for command in children())
    stage(session, DAILY, ROW, directory=tmp_path)
    session.discard()
    stage(session, DAILY, day("1", "b", "2026-01-01", 2), directory=tmp_path)
    assert commit_one(session, Commit(streams=("daily",))) == {"daily": 1}
    session.flush()
    session.close()
    sink.close()
    assert [row["campaign_id"] for row in target.rows("p", DAILY)] == ["b"]


def test_a_grandchild_is_ended_and_named(opened: Opened, tmp_path: Path, logged: list[str]) -> None:
    load(opened("grandchild"), tmp_path, DAILY, ROW, state=b'{"a":1}')
    assert any("singer target of p left processes behind: pid" in line and "(sleep)" in line for line in logged)


def test_what_a_target_was_told_in_confidence_is_not_in_the_log(
    opened: Opened, tmp_path: Path, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_REFRESH_TOKEN", "a-platforms-token")
    load(opened("secret", TARGET_PASSWORD="swordfish-1\nswordfish-line-2"), tmp_path, DAILY, ROW)
    told = [line for line in logged if line.startswith("singer target of p | ")]
    assert "singer target of p | the password is [redacted]" in told
    assert "singer target of p | [redacted]" in told
    names = next(json.loads(line.partition("| ")[2]) for line in told if '"PATH"' in line)
    assert set(names) - {"LC_CTYPE"} == {"MISCHIEF", "PATH", "SUPERVISOR_ATTEMPT", "TARGET_PASSWORD"}  # Python adds it


def test_two_platforms_have_targets_and_streams_of_their_own(a_target: Any, tmp_path: Path) -> None:
    target = a_target()
    sink = target.open()
    load(sink, tmp_path, ENTITY, {"account_id": "1", "campaign_id": "a", "name": "x"}, platform="a-b", state=b"1")
    load(sink, tmp_path, ENTITY, {"account_id": "1", "campaign_id": "a", "name": "y"}, platform="c", state=b"2")
    assert [row["name"] for row in target.rows("a-b", ENTITY)] == ["x"]
    assert [row["name"] for row in target.rows("c", ENTITY)] == ["y"]
    assert states(sink) == {"a-b": 1, "c": 2}
    for platform, stream, name in (("a_b", "campaign", "a_b__campaign"), ("c", "CAMPAIGN", "c__CAMPAIGN")):
        session = sink.session(platform, "run-1")
        with pytest.raises(SinkError, match=f"and {platform}.{stream} would both be called {name} in the target"):
            session.prepare(Table(stream, ENTITY.columns, ENTITY.key))
        session.close()
    sink.close()
