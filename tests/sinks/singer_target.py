"""A small Singer target of our own, and the storage that it fills, as the suite sees it.

The target is as strict as its specification: a RECORD needs a SCHEMA and must fit it, keys are merged, and a state is
echoed when all rows before it are in the file. MISCHIEF lets it do what targets should not.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
import shlex
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from supervisor.config.environment import SingerAccess
from supervisor.sinks.singer.names import stream_name
from supervisor.sinks.singer.sink import SingerSink
from wire.schema import Column, Table, Type

TARGET = """
import json, os, signal, sqlite3, subprocess, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA synchronous = OFF")
database.execute("CREATE TABLE IF NOT EXISTS records (stream TEXT, key TEXT, record TEXT, UNIQUE (stream, key))")
mischief, _, amount = os.environ.get("MISCHIEF", "").partition("=")
amount = int(amount or 1)
schemas, waiting, rows, state, states = {}, [], 0, None, 0
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
         "null": type(None)}

def fits(value, described):
    kinds = described["type"] if isinstance(described["type"], list) else [described["type"]]
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, KINDS[kind]) for kind in kinds)

def take_record(stream, record):
    schema, keys = schemas[stream]
    assert all(name in record for name in keys), f"{stream}: a key is missing in {record}"
    for name, value in record.items():
        assert fits(value, schema["properties"][name]), f"{stream}.{name}: {value!r} does not fit"
    key = json.dumps([record[name] for name in keys]) if keys else None
    waiting.append((stream, key, json.dumps(record)))

def store():
    database.execute("BEGIN")
    database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", waiting)
    database.execute("COMMIT")
    waiting.clear()

def echo(value):
    if mischief != "mute":
        print(json.dumps(value), flush=True)

if mischief == "ignores":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mischief == "grandchild":
    subprocess.Popen(["sleep", "60"])
if mischief == "heir":
    subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # and holds our input
    sys.exit("Error: no license")
if mischief == "secret":
    print("the password is " + os.environ["TARGET_PASSWORD"], file=sys.stderr, flush=True)
    print(json.dumps(sorted(os.environ)), file=sys.stderr, flush=True)
if mischief == "deaf" or mischief == "ignores":
    time.sleep(60)
for line in sys.stdin:
    message = json.loads(line)
    kind = message["type"]
    assert kind in ("SCHEMA", "RECORD", "STATE"), kind
    if kind == "SCHEMA":
        assert message["schema"]["properties"], line
        schemas[message["stream"]] = message["schema"], message["key_properties"]
    elif kind == "RECORD":
        rows += 1
        if mischief == "dies" and rows == amount:
            sys.exit("Error: the warehouse is full")
        if mischief == "leaves" and rows == amount:
            sys.exit(0)
        if mischief == "stalls" and rows == amount:
            time.sleep(60)
        take_record(message["stream"], message["record"])
        if len(waiting) == 1000:
            store()
    else:
        state, states = message["value"], states + 1
        if mischief == "garbage":
            print("hello!", flush=True)
        if mischief == "other":
            print(json.dumps({"somebody": "else's"}), flush=True)
        if mischief == "each":
            store()
            echo(state)
        if mischief == "once" and states == 1:
            store()
            echo(state)
store()
if mischief == "lingers":
    time.sleep(60)
if state is not None and mischief != "once":
    echo(state)
    if mischief == "again":
        echo(state)
if mischief == "fails":
    sys.exit("Error: the last batch was refused")
"""


class SingerTarget:
    keeps_rows: ClassVar[bool] = True
    keeps_state: ClassVar[bool] = True
    replaces: ClassVar[bool] = False
    isolated: ClassVar[bool] = False
    widest: ClassVar[int] = 1000
    longest_text: ClassVar[int] = 5_000_000

    def __init__(self, directory: Path, mischief: str = "", *, timeout: float = 30, **environment: str) -> None:
        self.directory = directory
        self.state_path = directory / "singer_state.json"
        self._history = directory / "history.jsonl"
        self._script = directory / "target.py"
        self._script.write_text(TARGET)
        self.access = SingerAccess(
            command=(sys.executable, str(self._script), str(directory / "x.sqlite")),
            environment={"MISCHIEF": mischief} | environment,
            state_path=self.state_path,
            timeout=timeout,
        )

    @property
    def variables(self) -> dict[str, str]:
        return {
            "STORAGE_TYPE": "singer",
            "SINGER_TARGET_COMMAND": shlex.join(self.access.command),
            "SINGER_STATE_PATH": str(self.state_path),
            "HISTORY_PATH": str(self._history),
        }

    def open(self) -> SingerSink:
        visible = {"PATH": os.environ["PATH"]}
        return SingerSink(self.access, visible=visible, history_path=self._history)

    def rows(self, platform: str, table: Table) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.directory / "x.sqlite")) as database:
            try:
                found = database.execute(
                    "SELECT record FROM records WHERE stream = ?", [stream_name(platform, table.name)]
                ).fetchall()
            except sqlite3.OperationalError:
                return []
        records = [json.loads(text) for (text,) in found]
        return [{c.name: _read(c, record.get(c.name)) for c in table.columns} for record in records]

    def occupy(self, platform: str, table: Table) -> None:
        raise AssertionError("it has no tables that somebody else could have made")

    def leave_old_state(self, platform: str, state: str) -> None:
        self.state_path.write_text(f'{{"{platform}":{state}}}\n')

    def state_writes(self, run_id: str) -> int | None:
        return None

    def forget_dead_run(self) -> None:
        pass

    def close(self) -> None:
        pass


def _read(column: Column, value: Any) -> Any:
    """A value that travelled as JSON, as a database has it."""
    if value is None:
        return None
    match column.type:
        case Type.NUMBER:
            return float(value)
        case Type.DECIMAL:
            return decimal.Decimal(value)
        case Type.DATE:
            return dt.date.fromisoformat(value)
        case Type.DATETIME:
            moment = dt.datetime.fromisoformat(value)
            return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return value
