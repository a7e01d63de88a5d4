"""The real command against the real sandbox, and a small sink that keeps what the wire says."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from starting import Forked

from sandbox.linkedin.truth import truth
from sandbox.world import World
from wire import Table, Type
from wire.messages import ErrorLine, Replaces
from wire.reader import Failure, Reader, Rows, Schema, State

ROOT = Path(__file__).parents[3]
COMMAND = ROOT / ".venvs" / "linkedin" / "bin" / "pipeline-linkedin"
NOW = "2026-11-20T15:30:00+00:00"

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

CONVERSIONS: dict[Type, Callable[[Any], Any]] = {
    Type.DECIMAL: Decimal,
    Type.DATE: dt.date.fromisoformat,
    Type.DATETIME: dt.datetime.fromisoformat,
}


@dataclass
class Store:
    """What a sink would hold: regions are replaced by the rows that came since the stream's last state."""

    tables: dict[str, Table] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def load(self, run: Run, *, whole: bool = True) -> None:
        """Take over what a run sent; one that was killed is not `whole`, and what it had not finished is dropped."""
        waiting: dict[str, list[dict[str, Any]]] = {}
        for event in run.events:
            if isinstance(event, Schema):
                self.tables[event.table.name] = event.table
            elif isinstance(event, Rows):
                typed = (self._typed(event.stream, json.loads(line)) for line in event.data.splitlines())
                waiting.setdefault(event.stream, []).extend(typed)
            elif isinstance(event, State):
                self.state = json.loads(event.value)
                assert event.replaces is not None
                self._replace(event.replaces, waiting.pop(event.replaces.stream, []))
        assert not whole or not any(waiting.values()), "rows without a state after them"

    def _replace(self, region: Replaces, rows: list[dict[str, Any]]) -> None:
        assert region.rows == len(rows)
        assert all(_inside(row, region) for row in rows), "rows outside of the region that they replace"
        kept = [row for row in self.rows.get(region.stream, []) if not _inside(row, region)]
        self.rows[region.stream] = kept + rows

    def _typed(self, stream: str, row: dict[str, Any]) -> dict[str, Any]:
        names, conversions = _typing(self.tables[stream])
        assert row.keys() == names, "a row has every column of its table"
        for name, conversion in conversions:
            if row[name] is not None:
                row[name] = conversion(row[name])
        return row

    def keyed(self, stream: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        return keyed(self.tables[stream], self.rows[stream])


@cache
def _typing(table: Table) -> tuple[frozenset[str], list[tuple[str, Callable[[Any], Any]]]]:
    """The columns of a table, and what is made of the values of some."""
    kinds = {column.name: column.type for column in table.columns}
    return frozenset(kinds), [(name, CONVERSIONS[kind]) for name, kind in kinds.items() if kind in CONVERSIONS]


def _inside(row: Mapping[str, Any], region: Replaces) -> bool:
    if any(row[name] != value for name, value in region.where.items()):
        return False
    if region.first is None or region.last is None:
        return True
    return region.first <= row["date"].isoformat() <= region.last


def keyed(table: Table, rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found = {tuple(row[name] for name in table.key): row for row in rows}
    assert len(found) == len(rows), f"the key of {table.name} is not unique"
    return found


@dataclass
class Run:
    """One finished call of the pipeline."""

    status: int
    output: bytes
    log: str

    @cached_property
    def events(self) -> list[Any]:
        reader = Reader()
        events = list(reader.feed(self.output))
        reader.finish()
        return events

    @property
    def errors(self) -> list[ErrorLine]:
        return [event.error for event in self.events if isinstance(event, Failure)]

    @property
    def regions(self) -> list[Replaces]:
        return [event.replaces for event in self.events if isinstance(event, State) and event.replaces]

    def days(self, stream: str, account_id: str) -> list[tuple[str, str]]:
        return [
            (each.first or "", each.last or "")
            for each in self.regions
            if each.stream == stream and each.where["account_id"] == account_id
        ]

    def store(self, before: Store | None = None) -> Store:
        store = before or Store()
        store.load(self)
        return store


@dataclass
class Sandbox:
    """A running server of the sandbox, and the world that it serves."""

    world: World
    environment: dict[str, str]
    directory: Path

    def run(
        self,
        *arguments: str,
        state: Mapping[str, Any] | None = None,
        environment: Mapping[str, str | None] | None = None,
        **settings: Any,
    ) -> Run:
        """Run the pipeline to its end; retries wait next to nothing unless the settings say otherwise."""
        command, variables = self.called(*arguments, state=state, environment=environment, **settings)
        run = _finished(command, variables)
        # Access tokens rotate; they differ only in their last digits.
        secrets = [self.environment[f"LINKEDIN_{name}"] for name in ("CLIENT_SECRET", "REFRESH_TOKEN", "ACCESS_TOKEN")]
        for secret in secrets:
            assert secret.rstrip("0").encode() not in run.output
            assert secret.rstrip("0") not in run.log
        assert "Traceback" not in run.log
        return run

    def called(
        self,
        *arguments: str,
        state: Mapping[str, Any] | None = None,
        environment: Mapping[str, str | None] | None = None,
        command: Sequence[str] = (str(COMMAND),),
        **settings: Any,
    ) -> tuple[list[str], dict[str, str]]:
        """The command line and the variables of such a run."""
        config = self.directory / "config.json"
        config.write_text(json.dumps({"retry_first_wait": 0.01, "data_limit_wait": 0.01, **settings}))
        given = ["--config", str(config), *arguments]
        if state is not None:
            (self.directory / "state.json").write_text(json.dumps(state))
            given += ["--state", str(self.directory / "state.json")]
        variables = {**self.environment, "PIPELINE_NOW": self.world.as_of.isoformat(), **(environment or {})}
        return [*command, *given], {name: value for name, value in variables.items() if value is not None}

    def kept_of(self, output: bytes) -> Store:
        """What a sink holds of a run that was killed; a line that was cut is none."""
        store = Store()
        store.load(Run(-9, output[: output.rfind(b"\n") + 1], ""), whole=False)
        return store

    def truth(self, table: Table, first: dt.date, last: dt.date | None = None) -> dict[tuple[Any, ...], dict[str, Any]]:
        return keyed(table, truth(self.world, table.name, first, last or self.world.as_of.date()))


def _finished(command: list[str], environment: Mapping[str, str]) -> Run:
    child = (Forked if command[0] == str(COMMAND) else subprocess.Popen)(
        command,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, log = child.communicate(timeout=120)
    finally:
        child.kill()
        child.wait()
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)
    return Run(child.returncode, output, log.decode())


Start = Callable[..., AbstractContextManager[Sandbox]]


@contextmanager
def sandbox_at(
    directory: Path,
    *faults: str,
    size: str = "tiny",
    now: str = NOW,
    first_day: dt.date | None = None,
    accounts: int | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "sandbox.serve", "linkedin", "--size", size, "--as-of", now, *options]
    if accounts:
        command += ["--accounts", str(accounts)]
    for fault in faults:
        command += ["--fault", fault]
    if first_day:
        command += ["--first-day", first_day.isoformat()]
    server = Forked(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}
    )
    assert server.stdin and server.stdout
    try:
        announced = json.loads(server.stdout.readline())["environment"]
        world = World.at(dt.datetime.fromisoformat(now), size, first_day=first_day, accounts=accounts)
        yield Sandbox(world, announced, directory)
        server.stdin.close()
        assert server.wait(timeout=60) == 0, "the sandbox does not end with its standard input"
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        server.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a sandbox of its own for a test that needs faults or another world."""
    return lambda *faults, **options: sandbox_at(tmp_path, *faults, **options)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A tiny world without faults."""
    with sandbox_at(tmp_path_factory.mktemp("linkedin")) as running:
        yield running
