"""Fixtures: sandboxes that end with their test, and a run of the pipeline that must leave nothing alive."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "src"), str(_HERE.parents[2])]

from microsoft_runs import AS_OF, COMMAND, Outcome, Run, Sandbox, Serve, read, start_run, start_sandbox, stop_sandbox  # noqa: E402 - needs the paths above


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts sandboxes of one test; all end with it."""
    processes = []

    def start(*faults: str, as_of: dt.datetime = AS_OF, **how: Any) -> Sandbox:
        process, environment = start_sandbox(*faults, as_of=as_of, **how)
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
        child = start_run(tmp_path, sandbox, *options, settings=settings, state=state, environment=environment)
        try:
            stdout, stderr = child.communicate(timeout=120)
        except BaseException:
            child.kill()
            raise
        return read(child.returncode, stdout, stderr.decode(), before or {})

    yield once
    mine = [each for each in psutil.Process().children(recursive=True) if each.pid not in others]
    assert not [each for each in mine if COMMAND.name in " ".join(each.cmdline())]
