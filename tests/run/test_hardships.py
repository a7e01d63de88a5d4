"""What the machine lacks for real costs the attempts that need it a sentence, and nobody anything else."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "chaos"))

from hardships import Before, Clock, few_processes, missing, small_tmpdir

SMALL = "schema(); row(id='1', n=1); state({'a': 1})"
LARGE = "schema(id='string', n='string')\nfor n in range(3000): row(id=str(n), n='x' * 1000)\nstate({'a': 1})"


def needs(hardship: str) -> None:
    if hardship in missing():
        pytest.skip(missing()[hardship])


def run(house: Any, *, before: Before | None = None, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("supervisor")), "run"], cwd=house.directory,
        env=house.environment | environment, text=True, capture_output=True, timeout=120, check=False, preexec_fn=before,
    )  # fmt: skip
    assert "keeper.py" not in done.stderr and "\nTraceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def platforms(house: Any) -> dict[str, dict[str, Any]]:
    report = json.loads((house.directory / "execution_report.json").read_text())
    return {each["platform_name"]: each for each in report["platforms"]}


def test_a_directory_for_temporary_files_that_is_really_full(house: Any) -> None:
    needs("full TMPDIR")
    house.orchestrator = {"max_parallel": 1}  # one after the other: what the first leaves behind fails the second
    house.tap("large", LARGE)
    house.tap("small", SMALL)
    house.write()
    with small_tmpdir(house.directory / "tmp", 256 * 1024):
        code, log = run(house)
        assert (code, platforms(house)["small"]["status"]) == (2, "completed"), log
        assert "No space left on device" in platforms(house)["large"]["error_message"]
        assert not list((house.directory / "tmp").iterdir())


@pytest.mark.parametrize("most", [3, 8, 16])
def test_few_processes_end_in_a_sentence(house: Any, most: int) -> None:
    needs("few processes")
    house.tap("one", SMALL)
    house.tap("two", SMALL)
    house.write()
    with few_processes(most) as join:
        code, log = run(house, before=join, STORAGE_TYPE="none")
    assert code in {0, 1, 2, 3}, log
    if code == 1:
        assert "error: " in log
    else:
        assert all(
            each["status"] == "completed" or len(each["error_message"]) > 10 for each in platforms(house).values()
        )


def test_a_clock_that_jumps_ends_no_attempt(house: Any) -> None:
    """An attempt's time, its stall and its durations are measured by the clock that only goes forward."""
    needs("clock jump")
    clock = Clock(house.directory)
    wait = "schema(); row(id='1', n=1); state({'a': 1})\nwhile not os.path.exists('jumped'): time.sleep(0.02)"
    house.tap("waits", wait, timeout=60, stall_timeout=50)
    house.write()
    process = house.start("run", **clock.variables)
    over = threading.Event()

    def jump() -> None:
        for offset in ("-86400", "+172800", "-3600"):
            over.wait(0.7)
            clock.jump(offset)
        over.wait(0.7)
        (house.directory / "jumped").touch()

    jumper = threading.Thread(target=jump)
    jumper.start()
    _, log = process.communicate(timeout=120)
    jumper.join()
    assert process.returncode == 0, log
    assert 0 <= platforms(house)["waits"]["duration_seconds"] < 100
