"""Every call to the system that an attempt makes fails once, in turn, in a real run: it costs that attempt and no more."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VICTIM = """
schema()
for n in range(3): row(id=str(n), n=n)
print("a line of log", file=sys.stderr)
state({"seen": 3})
time.sleep(0.4)
"""
GOOD = "schema(); row(id='1', n=1); state({'a': 1})"
KINDS = ("open", "mkdir", "pipe", "fork", "thread", "write", "unlink", "rmtree", "look")
EVERY = os.environ.get("FAULTS") == "all"
"""Make all of them fail, which takes minutes; otherwise three of each kind: the first, one in the middle, the last."""


COUNTED: dict[str, int] = {}
"""How many calls of each kind an undisturbed run makes, once one has been made."""


def run(house: Any, kind: str, at: int) -> tuple[int, dict[str, int], str]:
    """The exit code, how many calls of each kind there were, and the log."""
    path = house.directory / "count"
    path.unlink(missing_ok=True)
    done = house.run("run", PYTHONPATH=str(Path(__file__).parent / "faults"),
                     FAULT_KIND=kind, FAULT_AT=str(at), FAULT_FILE=str(path), STORAGE_TYPE="none")  # fmt: skip
    return done.returncode, json.loads(path.read_text()), done.stderr


def platforms(house: Any) -> dict[str, dict[str, Any]]:
    report = json.loads((house.directory / "execution_report.json").read_text())
    return {each["platform_name"]: each for each in report["platforms"]}


@pytest.mark.parametrize("kind", KINDS)
def test_each_call_of_an_attempt_may_fail_and_the_other_platform_completes(house: Any, kind: str) -> None:
    house.orchestrator = {"max_parallel": 2}
    house.tap("victim", VICTIM, settings={"a": 1})
    house.tap("other", GOOD)
    house.write()
    if not COUNTED:
        code, counted, log = run(house, kind, 0)
        assert code == 0, log
        COUNTED.update(counted)
    calls = COUNTED.get(kind, 0)
    assert calls > 0, "none of these calls was seen, so none would fail"
    chosen = range(1, calls + 1) if EVERY else sorted({1, (calls + 1) // 2, calls})
    for at in chosen:
        (house.directory / "execution_report.json").unlink(missing_ok=True)
        code, _, log = run(house, kind, at)
        # What the victim itself says of a pipe that nobody reads any more is its own.
        own = [line for line in log.splitlines() if "| victim | " not in line]
        assert not [line for line in own if "Traceback" in line], f"{kind} {at}: {log}"
        found = platforms(house)
        assert found["other"]["status"] == "completed", f"{kind} {at}: {log}"
        victim = found["victim"]
        assert (victim["status"], code) in {("completed", 0), ("failed", 2)}, f"{kind} {at}: {log}"
        if victim["status"] == "failed":
            (attempt,) = victim["attempts"]
            assert attempt["message"] == victim["error_message"]
            assert len(attempt["message"]) > 10


def test_what_fails_once_is_mended_by_the_next_attempt(house: Any) -> None:
    house.tap("victim", VICTIM, retry={"max_attempts": 2, "backoff_seconds": 0.05, "max_backoff_seconds": 1})
    house.write()
    for kind in ("mkdir", "pipe", "fork"):
        code, _, log = run(house, kind, 1)
        assert code == 0, f"{kind}: {log}"
        assert platforms(house)["victim"]["retry_count"] == 1, f"{kind}: {log}"


def limited(house: Any, kind: int, limit: int, *, user: int | None = None) -> tuple[int, str]:
    """`supervisor run` under a limit of the system; as another user where the limit holds for no administrator."""

    def before() -> None:
        resource.setrlimit(kind, (limit, limit))
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)

    done = subprocess.run(
        [str(Path(sys.executable).with_name("supervisor")), "run"], cwd=house.directory, env=house.environment,
        text=True, capture_output=True, timeout=180, check=False, preexec_fn=before,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("descriptors", [16, 20, 24, 28, 36])
def test_few_descriptors_end_in_a_sentence(house: Any, descriptors: int) -> None:
    house.environment["STORAGE_TYPE"] = "none"
    house.orchestrator = {"max_parallel": 2}
    house.tap("one", VICTIM)
    house.tap("two", VICTIM)
    house.write()
    code, log = limited(house, resource.RLIMIT_NOFILE, descriptors)
    assert "Traceback" not in log, log
    assert code in {0, 1, 2, 3}, log
    if code != 1:  # then it said before the start why not
        assert {each["status"] for each in platforms(house).values()} <= {"completed", "failed"}
