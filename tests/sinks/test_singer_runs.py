"""Whole runs into a Singer target, through the command line."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import Any

from singer_target import TARGET
from until import until

TAP = """
schema()
start = json.load(open(given["--state"]))["n"] if "--state" in given else 0
for n in range(start, start + 3):
    for i in range(2000): row(id=f"{n}-{i}", n=i)
    state({"n": n + 1})
"""


def test_kill_9_of_the_supervisor_leaves_no_target_and_a_clean_next_run(house: Any) -> None:
    (house.directory / "target.py").write_text(TARGET)
    house.environment |= {
        "STORAGE_TYPE": "singer",
        "SINGER_TARGET_COMMAND": f"{sys.executable} target.py x.sqlite",
        "SINGER_TARGET_ENVIRONMENT": "MISCHIEF",
        "TARGET_PASSWORD": "unseen",
    }
    house.tap("t", TAP + "time.sleep(300)")
    house.write()
    process = house.start("run", MISCHIEF="each")
    state_path = house.directory / "singer_state.json"
    until(lambda: state_path.exists() and json.loads(state_path.read_text()) == {"t": {"n": 3}})
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until(house.is_deserted)
    house.tap("t", TAP)
    house.write()
    done = house.run("run", MISCHIEF="each")
    assert done.returncode == 0, done.stderr
    assert json.loads(state_path.read_text()) == {"t": {"n": 6}}
    history = house.run("history", MISCHIEF="each")
    assert history.returncode == 0, history.stderr


def test_neither_sees_the_others_variables(house: Any) -> None:
    (house.directory / "target.py").write_text(TARGET)
    house.tap("t", 'print(json.dumps(sorted(os.environ)), file=sys.stderr)\nschema()\nrow(id="a", n=1)')
    house.platforms[-1]["pass_environment"] = ["TAP_TOKEN"]
    house.write()
    done = house.run(
        "run",
        STORAGE_TYPE="singer",
        SINGER_TARGET_COMMAND=f"{sys.executable} target.py x.sqlite",
        SINGER_TARGET_ENVIRONMENT="MISCHIEF,TARGET_PASSWORD",
        MISCHIEF="secret",
        TARGET_PASSWORD="swordfish-1",
        TAP_TOKEN="a-taps-own-token",
        GOOGLE_REFRESH_TOKEN="a-platforms-token",
    )
    assert done.returncode == 0, done.stderr
    assert "swordfish" not in done.stdout + done.stderr
    assert "the password is [redacted]" in done.stderr
    of_target, of_tap = (
        next(json.loads(line.rpartition("| ")[2]) for line in done.stderr.splitlines() if f"| {who} | [" in line)
        for who in ("singer target of t", "t")
    )
    assert "TARGET_PASSWORD" in of_target
    assert not {"TAP_TOKEN", "GOOGLE_REFRESH_TOKEN", "SINGER_TARGET_COMMAND"} & set(of_target)
    assert "TAP_TOKEN" in of_tap
    assert not {"TARGET_PASSWORD", "MISCHIEF", "SINGER_TARGET_COMMAND"} & set(of_tap)


def test_a_target_that_hangs_does_not_keep_a_stopped_run(house: Any) -> None:
    (house.directory / "target.py").write_text(TARGET)
    house.environment |= {
        "STORAGE_TYPE": "singer",
        "SINGER_TARGET_COMMAND": f"{sys.executable} target.py x.sqlite",
        "SINGER_TARGET_ENVIRONMENT": "MISCHIEF",
        "MISCHIEF": "lingers",
    }
    house.tap("t", TAP)
    house.write()
    process = house.start("run")
    sqlite = house.directory / "x.sqlite"
    until(lambda: sqlite.exists() and sqlite.stat().st_size > 100_000)
    began = time.monotonic()
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, log = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode == 130
    assert "and the sink did not end in time" in log
    assert not (house.directory / "singer_state.json").exists()
