"""Fixtures: sandboxes that end with their test, and a run of the pipeline that must leave nothing alive."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "src"), str(_HERE.parents[2])]

from microsoft_runs import AS_OF, COMMAND, FAST, Outcome, Run, Sandbox, Serve, read, start_sandbox, stop_sandbox  # noqa: E402 - needs the paths above


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts sandboxes of one test; all end with it."""
    processes = []

    def start(*faults: str, size: str = "tiny", as_of: dt.datetime = AS_OF, first_day: str | None = None) -> Sandbox:
        process, environment = start_sandbox(*faults, size=size, as_of=as_of, first_day=first_day)
        processes.append(process)
        return Sandbox(environment, as_of)

    yield start
    for process in processes:
        stop_sandbox(process)


@pytest.fixture(scope="session")
def shared() -> Iterator[Sandbox]:
    """A tiny world without faults, for every test that changes nothing in it."""
    process, environment = start_sandbox()
    yield Sandbox(environment, AS_OF)
    stop_sandbox(process)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs the pipeline; afterwards nothing that it started may be alive."""
    others = {each.pid for each in psutil.Process().children(recursive=True)}

    def once(
        sandbox: Sandbox | None,
        *options: str,
        settings: dict[str, Any] | None = None,
        state: dict[str, Any] | None = None,
        before: dict[str, list[dict[str, Any]]] | None = None,
        environment: dict[str, str | None] | None = None,
    ) -> Outcome:
        config = tmp_path / "config.json"
        config.write_text(json.dumps(FAST | (settings or {})))
        arguments = [str(COMMAND), "--config", str(config), *options]
        if state is not None:
            (tmp_path / "state.json").write_text(json.dumps(state))
            arguments += ["--state", str(tmp_path / "state.json")]
        given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LOG_LEVEL": "DEBUG"}
        if sandbox is not None:
            given |= sandbox.environment | {"PIPELINE_NOW": sandbox.as_of.isoformat()}
        given = {name: value for name, value in (given | (environment or {})).items() if value is not None}
        child = subprocess.Popen(arguments, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            stdout, stderr = child.communicate(timeout=60)
        except BaseException:
            child.kill()
            raise
        return read(child.returncode, stdout, stderr.decode(), before or {})

    yield once
    mine = [each for each in psutil.Process().children(recursive=True) if each.pid not in others]
    assert not [each for each in mine if COMMAND.name in " ".join(each.cmdline())]
