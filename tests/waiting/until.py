"""Waiting for what a test needs to have happened, however slow the machine is; any test may `from until import until`.

A test never sleeps to let something happen, and the bounds here are none that a working machine reaches.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 60) -> T:
    """The first answer of `condition` that is true; fails the test when none came in `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"it did not happen in {seconds:g} s"
        time.sleep(0.01)
    return answer


def until_told(process: subprocess.Popen[Any], text: str, seconds: float = 60) -> str:
    """Read a process's standard error up to the line that has `text`, and return it; fails when it never comes."""
    assert process.stderr
    watchdog = threading.Timer(seconds, process.kill)
    watchdog.start()
    try:
        told = []
        for line in process.stderr:
            told.append(line)
            if text in line:
                return str(line)
    finally:
        watchdog.cancel()
    raise AssertionError(f"{text!r} was not told, but {''.join(told)!r}")
