"""The pipeline as a real process, against the sandbox's server as another; what it says is applied as a sink would."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from starting import Forked

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "pipelines/google/src")]

from sandbox.world import World  # noqa: E402 - the path to it is set above
from wire import Table, Type  # noqa: E402 - the same
from wire import reader as wire_reader  # noqa: E402 - the same

PYTHON = ROOT / ".venvs/google/bin/python"
PIPELINE = ROOT / ".venvs/google/bin/pipeline-google"
AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
QUICK = {"retry_first_wait": 0.05, "request_timeout": 20}


class Database:
    """Rows by table, changed only as the wire says: a region is deleted, its new rows are inserted."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self._tables: dict[str, Table] = {}
        self._waiting: dict[str, list[dict[str, Any]]] = {}

    def apply(self, event: Any) -> None:
        if isinstance(event, wire_reader.Schema):
            self._tables[event.table.name] = event.table
            self.rows.setdefault(event.table.name, [])
        elif isinstance(event, wire_reader.Rows):
            parsed = [_parsed(self._tables[event.stream], json.loads(line)) for line in event.data.splitlines()]
            self._waiting.setdefault(event.stream, []).extend(parsed)
        elif isinstance(event, wire_reader.State) and event.replaces:
            self._replace(event.replaces)

    def forget_incomplete(self) -> None:
        """What a sink does with the rows of a region that nothing more comes of."""
        self._waiting.clear()

    def _replace(self, region: Any) -> None:
        new = self._waiting.pop(region.stream, [])
        inside, place = _inside(region), itemgetter(*self._tables[region.stream].key)
        assert region.rows == len(new)
        assert all(map(inside, new)), "a row outside of its region"
        kept = [row for row in self.rows[region.stream] if not inside(row)]
        fresh = set(map(place, new))
        assert len(fresh) == len(new), f"{region.stream} has two rows of one key"
        assert fresh.isdisjoint(map(place, kept)), f"{region.stream} has two rows of one key"
        self.rows[region.stream] = kept + new


def _inside(region: Any) -> Callable[[dict[str, Any]], bool]:
    """Whether a row is one of those that a region replaces."""
    where = list(region.where.items())
    if region.first is None:
        return lambda row: all(row[name] == value for name, value in where)
    first, last = dt.date.fromisoformat(region.first), dt.date.fromisoformat(region.last)
    return lambda row: first <= row["date"] <= last and all(row[name] == value for name, value in where)


def _parsed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    kinds = {column.name: column.type for column in table.columns}
    assert set(row) == set(kinds), "every column is in every row"
    into = {Type.DECIMAL: Decimal, Type.DATE: dt.date.fromisoformat}
    return {
        name: into[kinds[name]](value) if value is not None and kinds[name] in into else value
        for name, value in row.items()
    }


@dataclass
class Result:
    """What one run of the pipeline said."""

    status: int
    log: str
    database: Database
    regions: list[Any] = field(default_factory=list)
    state: Any = None
    errors: list[Any] = field(default_factory=list)

    def windows(self, table: str, account: str) -> list[tuple[str, str]]:
        regions = [region for region in self.regions if region.stream == table]
        return [(region.first, region.last) for region in regions if region.where == {"account_id": account}]


@dataclass
class Sandbox:
    """A running server, with the secrets that must appear nowhere."""

    environment: dict[str, str]
    world: World

    @property
    def secrets(self) -> list[str]:
        lines = Path(self.environment["GOOGLE_CONFIG_FILE"]).read_text().splitlines()
        keys = dict(line.split(": ", 1) for line in lines)
        return [keys["client_secret"], keys["refresh_token"], "ya29."]

    def run(
        self,
        settings: dict[str, Any] | None = None,
        *,
        state: Any = None,
        database: Database | None = None,
        arguments: tuple[str, ...] = (),
        environment: dict[str, str | None] | None = None,
    ) -> Result:
        """Run the pipeline to its end; no secret may be seen and no process may be left."""
        variables = self._variables(environment)
        child = self.start(settings, state=state, arguments=arguments, environment=environment)
        try:
            out, err = child.communicate(timeout=120)
        finally:
            child.kill()
            child.wait()
        with pytest.raises(ProcessLookupError):
            os.killpg(child.pid, 0)
        said = err.decode()
        for secret in self.secrets:
            assert secret.encode() not in out, "a secret on standard output"
            assert secret not in said, "a secret in the log"
        assert "Traceback" not in said or variables.get("LOG_LEVEL") == "DEBUG"
        return read(out, Result(child.returncode, said, database or Database()))

    def start(
        self,
        settings: dict[str, Any] | None = None,
        *,
        state: Any = None,
        arguments: tuple[str, ...] = (),
        environment: dict[str, str | None] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start the pipeline, the leader of a process group."""
        folder = Path(self.environment["GOOGLE_CONFIG_FILE"]).parent
        options = ["--config", str(_written(folder / "settings.json", {**QUICK, **(settings or {})}))]
        options += ["--state", str(_written(folder / "state.json", state))] if state is not None else []
        return Forked(
            [PIPELINE, *options, *arguments],
            env={name: value for name, value in self._variables(environment).items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def _variables(self, more: dict[str, str | None] | None) -> dict[str, str | None]:
        own = {**self.environment, "PATH": os.environ["PATH"], "PIPELINE_NOW": self.world.as_of.isoformat()}
        return {**own, **(more or {})}


def _written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def read(out: bytes, result: Result, *, whole: bool = True) -> Result:
    """Apply what a pipeline said; one that was killed may have stopped in the middle of a line."""
    reader = wire_reader.Reader()
    for event in reader.feed(out):
        result.database.apply(event)
        if isinstance(event, wire_reader.State):
            result.state = json.loads(event.value)
            result.regions.append(event.replaces)
        elif isinstance(event, wire_reader.Failure):
            result.errors.append(event.error)
    if whole:
        reader.finish()
    else:
        result.database.forget_incomplete()
    return result


@contextmanager
def started(
    *faults: str,
    size: str = "tiny",
    as_of: dt.datetime = AS_OF,
    first_day: dt.date | None = None,
    accounts: int | None = None,
    pace: tuple[str, ...] = (),
) -> Iterator[Sandbox]:
    """A world's server as a process of its own; `pace` are more of its options."""
    options = ["--size", size, "--as-of", as_of.isoformat(), *pace]
    options += ["--accounts", str(accounts)] if accounts else []
    options += ["--first-day", first_day.isoformat()] if first_day else []
    for fault in faults:
        options += ["--fault", fault]
    command = [PYTHON, "-m", "sandbox.serve", "google", *options]
    with Forked(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        try:
            environment = json.loads(server.stdout.readline())["environment"]
            yield Sandbox(environment, World.at(as_of, size, first_day=first_day, accounts=accounts))
        finally:
            server.stdin.close()
            assert server.wait(60) == 0, "the sandbox does not end with its standard input"
    assert not Path(environment["GOOGLE_CONFIG_FILE"]).parent.exists()


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[Sandbox]]:
    return started


@pytest.fixture(scope="session")
def applied() -> Callable[[bytes], Result]:
    """What a sink has of a pipeline that was killed."""
    return lambda out: read(out, Result(-9, "", Database()), whole=False)


@pytest.fixture(scope="session")
def pipeline() -> Path:
    """The installed command."""
    return PIPELINE


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter that has the SDK."""
    return PYTHON


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A server without faults, shared by a module's tests."""
    with started() as server:
        yield server
