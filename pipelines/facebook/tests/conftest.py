"""The real pipeline as a child process, against the real sandbox server as another."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from starting import Forked

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "pipelines" / "facebook" / "src"))

from wire import Table, Type  # noqa: E402 - the paths come first
from wire.messages import ErrorLine, Replaces  # noqa: E402 - the same
from wire.reader import Failure, Reader, Rows, Schema, State  # noqa: E402 - the same

COMMAND = ROOT / ".venvs" / "facebook" / "bin" / "pipeline-facebook"
AS_OF = dt.datetime(2026, 11, 22, 13, 30, tzinfo=dt.UTC)
QUICK = {"retry_first_wait": 0.02, "poll_interval": 0.02, "usage_pause": 0.05}

Row = dict[str, Any]


@dataclass
class Outcome:
    """What one run of the pipeline said."""

    status: int
    stdout: bytes
    stderr: str
    tables: dict[str, Table] = field(default_factory=dict)
    regions: list[tuple[Replaces, list[Row]]] = field(default_factory=list)
    errors: list[ErrorLine] = field(default_factory=list)
    state: Any = None

    def read(self) -> Outcome:
        reader, waiting = Reader(), dict[str, list[Row]]()
        events = list(reader.feed(self.stdout))
        reader.finish()
        for event in events:
            if isinstance(event, Schema):
                self.tables[event.table.name] = event.table
            elif isinstance(event, Rows):
                lines = event.data.decode().splitlines()
                table = self.tables[event.stream]
                waiting.setdefault(event.stream, []).extend(_typed(table, json.loads(line)) for line in lines)
            elif isinstance(event, State):
                assert event.replaces is not None
                rows = waiting.pop(event.replaces.stream, [])
                assert event.replaces.rows == len(rows)
                self.regions.append((event.replaces, rows))
                self.state = json.loads(event.value)
            elif isinstance(event, Failure):
                self.errors.append(event.error)
        assert not waiting
        return self

    def rows(self, name: str) -> list[Row]:
        return [row for region, rows in self.regions if region.stream == name for row in rows]

    def days(self, name: str, account_id: str) -> set[str]:
        """The days whose rows this run replaced."""
        out: set[str] = set()
        for region, _ in self.regions:
            if region.stream == name and region.where == {"account_id": account_id}:
                assert region.first and region.last
                first, last = dt.date.fromisoformat(region.first), dt.date.fromisoformat(region.last)
                out |= {(first + dt.timedelta(days=n)).isoformat() for n in range((last - first).days + 1)}
        return out


class Store:
    """What a sink would hold after some runs: each region replaced by its rows."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {}

    def load(self, outcome: Outcome) -> Store:
        for region, rows in outcome.regions:
            inside = _inside(region)
            kept = [row for row in self.tables.get(region.stream, []) if not inside(row)]
            self.tables[region.stream] = kept + rows
        return self

    def __getitem__(self, name: str) -> list[Row]:
        return self.tables.get(name, [])


def _inside(region: Replaces) -> Callable[[Row], bool]:
    """Whether a row is one of those that a region replaces."""
    where = list(region.where.items())
    if region.first is None:
        return lambda row: all(row[name] == value for name, value in where)
    first, last = (dt.date.fromisoformat(str(day)) for day in (region.first, region.last))
    return lambda row: first <= row["date"] <= last and all(row[name] == value for name, value in where)


CONVERSIONS: Mapping[Type, Callable[[Any], Any]] = {
    Type.DECIMAL: Decimal,
    Type.DATE: dt.date.fromisoformat,
    Type.DATETIME: lambda value: dt.datetime.fromisoformat(value).astimezone(dt.UTC),
    Type.NUMBER: float,
}


def _typed(table: Table, record: Row) -> Row:
    names, conversions = _typing(table)
    assert record.keys() == names
    for name, conversion in conversions:
        if record[name] is not None:
            record[name] = conversion(record[name])
    return record


@cache
def _typing(table: Table) -> tuple[frozenset[str], list[tuple[str, Callable[[Any], Any]]]]:
    """The columns of a table, and what is made of the values of some."""
    kinds = {column.name: column.type for column in table.columns}
    return frozenset(kinds), [(name, CONVERSIONS[kind]) for name, kind in kinds.items() if kind in CONVERSIONS]


@contextmanager
def sandbox_process(
    size: str = "tiny",
    *,
    as_of: dt.datetime = AS_OF,
    first_day: dt.date | None = None,
    faults: Sequence[str] = (),
    options: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> Iterator[dict[str, str]]:
    """A running sandbox server; gives its environment, and fails when the server outlives its standard input."""
    command = [sys.executable, "-m", "sandbox.serve", "facebook", "--size", size, "--as-of", as_of.isoformat()]
    command += options
    if first_day:
        command += ["--first-day", first_day.isoformat()]
    for fault in faults:
        command += ["--fault", fault]
    given = {**os.environ, **(variables or {})}
    with Forked(command, cwd=ROOT, env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        try:
            yield json.loads(server.stdout.readline())["environment"]
        finally:
            server.stdin.close()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                pytest.fail("the sandbox server outlived its standard input")


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`run(environment, *arguments, config=..., state=..., as_of=...)` runs the pipeline to its end."""

    def run(
        environment: Mapping[str, str],
        *arguments: str,
        config: Mapping[str, Any] | None = None,
        state: Any = None,
        as_of: dt.datetime = AS_OF,
    ) -> Outcome:
        folder = tmp_path_factory.mktemp("run")
        (folder / "config.json").write_text(json.dumps(QUICK | dict(config or {})))
        (folder / "state.json").write_text(json.dumps(state or {}))
        files = ["--config", str(folder / "config.json"), "--state", str(folder / "state.json")]
        with Forked(
            [COMMAND, *files, *arguments],
            env={"PATH": os.environ["PATH"], "PIPELINE_NOW": as_of.isoformat(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=120)
            finally:
                process.kill()
        return Outcome(process.returncode, stdout, stderr.decode())

    return run


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """`started(environment, config)`: the pipeline as a process, which is there until it is ended."""
    processes: list[subprocess.Popen[bytes]] = []

    def started(environment: Mapping[str, str], config: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        (tmp_path / "config.json").write_text(json.dumps(QUICK | dict(config)))
        process = Forked(
            [str(COMMAND), "--config", str(tmp_path / "config.json")],
            env={"PATH": os.environ["PATH"], "PIPELINE_NOW": AS_OF.isoformat(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.fixture(scope="session")
def parsed() -> Callable[[bytes], Outcome]:
    """`parsed(lines)`: what the lines of a run that was killed say; rows without their state are dropped."""

    def parsed(lines: bytes) -> Outcome:
        whole = lines[: lines.rindex(b'{"type":"STATE"')]
        last = lines[len(whole) :].partition(b"\n")
        return Outcome(-9, whole + last[0] + last[1], "").read()

    return parsed


@pytest.fixture(scope="session")
def tiny() -> Iterator[dict[str, str]]:
    """The environment of a server over the tiny world, for tests that commit no faults."""
    with sandbox_process("tiny") as environment:
        yield environment


@pytest.fixture
def sandbox() -> Any:
    """`with sandbox(size, as_of=..., first_day=..., faults=[...]) as environment:`"""
    return sandbox_process


@pytest.fixture(scope="session")
def as_of() -> dt.datetime:
    return AS_OF


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture(scope="session")
def same() -> Callable[[list[Row], list[Row], Sequence[str]], None]:
    """`same(rows, expected, key)` fails at the first value that differs."""

    def same(rows: list[Row], expected: list[Row], key: Sequence[str]) -> None:
        place = itemgetter(*key)
        found, wanted = ({place(row): row for row in each} for each in (rows, expected))
        assert (len(found), len(wanted)) == (len(rows), len(expected)), "a key occurs twice"
        assert found.keys() == wanted.keys()
        for where, row in wanted.items():
            assert found[where] == row

    return same
