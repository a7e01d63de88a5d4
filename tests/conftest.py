"""Configurations whose pipelines are small real programs, run as their users would run them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from reading import reading
from starting import SUPERVISOR, Forked

ROOT = Path(__file__).resolve().parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Whoever started the tests in the background had Ctrl-C ignored, and every child would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # The same of nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

TAP_HEAD = """
import json, os, signal, subprocess, sys, time
def say(**message): print(json.dumps(message), flush=True)
def schema(stream="t", key=("id",), day=None, **columns):
    columns = columns or {"id": "string", "n": "integer"}
    properties = {name: {"type": ["null", kind]} for name, kind in columns.items()}
    if day: properties[day] = {"type": "string", "format": "date"}
    say(type="SCHEMA", stream=stream, schema={"properties": properties}, key_properties=list(key),
        bookmark_properties=[day] if day else None)
def row(stream="t", **record): say(type="RECORD", stream=stream, record=record)
def state(value, **replaces): say(type="STATE", value=value, **({"replaces": replaces} if replaces else {}))
def error(kind, message, **other): say(type="ERROR", kind=kind, message=message, **other)
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
"""


class House:
    """A directory with a configuration, run through the command line."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.platforms: list[dict[str, Any]] = []
        self.orchestrator: dict[str, Any] = {}
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "TMPDIR": str(directory / "tmp"),
            "LOG_LEVEL": "INFO",
            # The copy for readers, and the proof that it is whole, are a fifth of a small run; tests of it ask for it.
            "DUCKDB_SNAPSHOT": "false",
        }
        (directory / "tmp").mkdir()

    def tap(self, name: str, body: str, **settings: Any) -> None:
        """A platform whose pipeline is `body`, a Python program that may use the functions of TAP_HEAD."""
        (self.directory / f"{name}.py").write_text(TAP_HEAD + textwrap.dedent(body))
        retry = {"max_attempts": 1, "backoff_seconds": 0.05, "max_backoff_seconds": 1}
        platform = {
            "name": name,
            "command": [sys.executable, f"{name}.py"],
            "retry": retry,
            "kill_grace": 1,
            "timeout": 30,
        }
        self.platforms = [each for each in self.platforms if each["name"] != name] + [platform | settings]

    def write(self, **other: Any) -> Path:
        path = self.directory / "orchestrator_config.yml"
        path.write_text(yaml.safe_dump({"orchestrator": self.orchestrator, "platforms": self.platforms} | other))
        return path

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`supervisor ARGUMENTS` with the configuration as it is now."""
        return Forked(
            [SUPERVISOR, *arguments],
            cwd=self.directory, env=self.environment | environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*(arguments or ("run",)), **environment)
        try:
            out, err = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def is_deserted(self) -> bool:
        """Whether no process of a run is left, its keepers included."""
        return not any(process.info["cwd"] == str(self.directory) for process in psutil.process_iter(["cwd"]))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with reading(self.directory / "social_ads.duckdb") as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A `House`; fails the test if a process that was started in it is still alive afterwards."""
    made = House(tmp_path)
    yield made
    left = [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(tmp_path)]
    for process in left:
        process.kill()
    assert not left, f"still alive: {left}"
    assert not list((tmp_path / "tmp").iterdir()), "temporary files were left behind"


@pytest.fixture
def configured(house: House) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Write the configuration and run `supervisor run`."""

    def run(*arguments: str, **other: Any) -> subprocess.CompletedProcess[str]:
        house.write(**other)
        return house.run("run", *arguments)

    return run
