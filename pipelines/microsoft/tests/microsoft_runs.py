"""The real pipeline as a child process against the real sandbox as another, and what came out of it as typed rows."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from starting import Forked

from wire import Table, Type
from wire.reader import Failure, Reader, Rows, Schema, State

ROOT = Path(__file__).resolve().parents[3]
COMMAND = ROOT / ".venvs/microsoft/bin/pipeline-microsoft"
AS_OF = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC)
FAST = {"poll_interval": 0.02, "retry_first_wait": 0.05, "rate_limit_wait": 0.05, "request_timeout": 20}


@dataclass
class Sandbox:
    """A running server and the world that it shows."""

    environment: dict[str, str]
    as_of: dt.datetime


@dataclass
class Outcome:
    """One run: the database that its messages make of an empty one, or of `before`."""

    status: int
    log: str
    stdout: bytes
    tables: dict[str, list[dict[str, Any]]]
    schemas: dict[str, Table]
    state: dict[str, Any]
    regions: list[tuple[str, str, str | None, str | None, int]] = field(default_factory=list)
    failures: list[Any] = field(default_factory=list)
    confirmed: list[tuple[str, str]] = field(default_factory=list)


Serve = Callable[..., Sandbox]
Run = Callable[..., Outcome]


def start_sandbox(
    *faults: str,
    size: str = "tiny",
    as_of: dt.datetime = AS_OF,
    first_day: str | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Any:
    command = [sys.executable, "-m", "sandbox.serve", "microsoft", "--size", size, "--as-of", as_of.isoformat()]
    command += ["--first-day", first_day] if first_day else []
    command += [word for fault in faults for word in ("--fault", fault)]
    process = Forked(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["environment"]


def stop_sandbox(process: Any) -> None:
    process.stdin.close()
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()


def start_run(
    directory: Path,
    sandbox: Sandbox | None,
    *options: str,
    settings: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    environment: Mapping[str, str | None] | None = None,
) -> subprocess.Popen[bytes]:
    """The pipeline as a child process whose both outputs are pipes."""
    config = directory / "config.json"
    config.write_text(json.dumps(FAST | (settings or {})))
    arguments = [str(COMMAND), "--config", str(config), *options]
    if state is not None:
        (directory / "state.json").write_text(json.dumps(state))
        arguments += ["--state", str(directory / "state.json")]
    given: dict[str, str | None] = {"PATH": os.environ["PATH"], "HOME": str(directory), "LOG_LEVEL": "DEBUG"}
    if sandbox is not None:
        given |= sandbox.environment | {"PIPELINE_NOW": sandbox.as_of.isoformat()}
    told = {name: value for name, value in (given | dict(environment or {})).items() if value is not None}
    return Forked(arguments, env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read(status: int, stdout: bytes, log: str, before: dict[str, list[dict[str, Any]]]) -> Outcome:
    """What a sink would make of the messages."""
    outcome = Outcome(status, log, stdout, {name: list(rows) for name, rows in before.items()}, {}, {})
    reader, pending = Reader(), dict[str, list[dict[str, Any]]]()
    for event in reader.feed(stdout):
        match event:
            case Schema(table=table):
                outcome.schemas[table.name] = table
                outcome.tables.setdefault(table.name, [])
            case Rows(stream=stream, data=data):
                table = outcome.schemas[stream]
                pending.setdefault(stream, []).extend(typed(table, line) for line in data.splitlines())
            case State(value=value, replaces=replaces):
                outcome.state = msgspec.json.decode(value)
                assert replaces is not None
                rows = pending.pop(replaces.stream, [])
                assert len(rows) == replaces.rows
                region = replaces.stream, replaces.where["account_id"], replaces.first, replaces.last, len(rows)
                outcome.regions.append(region)
                if replaces.confirmed:
                    outcome.confirmed.append(region[:2])
                kept = [row for row in outcome.tables[replaces.stream] if not in_region(row, replaces)]
                outcome.tables[replaces.stream] = kept + rows
            case Failure(error=error):
                outcome.failures.append(error)
    reader.finish()
    assert not pending
    return outcome


def in_region(row: dict[str, Any], replaces: Any) -> bool:
    if row["account_id"] != replaces.where["account_id"]:
        return False
    return replaces.first is None or replaces.first <= row["date"].isoformat() <= replaces.last


def typed(table: Table, line: bytes) -> dict[str, Any]:
    """One record with every column of its table, in Python's types."""
    record = json.loads(line)
    assert set(record) == {column.name for column in table.columns}
    convert: dict[Type, Callable[[Any], Any]] = {
        Type.DECIMAL: Decimal,
        Type.DATE: dt.date.fromisoformat,
        Type.NUMBER: float,
    }
    return {
        column.name: None if record[column.name] is None else convert.get(column.type, lambda v: v)(record[column.name])
        for column in table.columns
    }
