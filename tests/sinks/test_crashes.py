"""A process that is killed between staging and committing, or in the middle of a run, leaves nothing half done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from storage import DAILY, Storage, day, load
from until import until

from supervisor.sinks import Sink
from wire.messages import Replaces

JANUARY = Replaces(stream="daily", where={"account_id": "1"}, first="2026-01-01", last="2026-01-31")
STAGES = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from storage import DAILY, day, stage
from supervisor.config.environment import read_environment
from supervisor.sinks import open_sink

session = open_sink(read_environment()).session("p", "run-1")
session.prepare(DAILY)
stage(session, DAILY, *(day("1", str(n), "2026-01-05", n) for n in range(500)), directory=Path(sys.argv[2]))
print("staged", flush=True)
time.sleep(60)
"""


def test_what_was_staged_dies_with_the_process(storage: Storage, tmp_path: Path) -> None:
    sink = storage.open()
    load(sink, tmp_path, DAILY, day("1", "before", "2026-01-05", 1), replaces=JANUARY, state=b'{"n": 1}')
    sink.close()
    child = subprocess.Popen(
        [sys.executable, "-c", STAGES, str(Path(__file__).parent), str(tmp_path)],
        env={"PATH": os.environ["PATH"], **storage.variables}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == b"staged\n"
    child.kill()
    child.wait()
    child.stdout.close()
    storage.forget_dead_run()
    sink = storage.open()
    if storage.keeps_rows:
        assert [row["campaign_id"] for row in storage.rows("p", DAILY)] == ["before"]
    if storage.keeps_state:
        session = sink.session("p", "run-2")
        assert json.loads(session.state() or b"null") == {"n": 1}
        session.close()
    assert load(sink, tmp_path, DAILY, day("1", "after", "2026-01-05", 2), replaces=JANUARY) == {"daily": 1}
    sink.close()


TAP = """
say(type="SCHEMA", stream="daily", schema={"properties": {
    "account_id": {"type": "string"}, "campaign_id": {"type": "string"}, "date": {"type": "string", "format": "date"},
    "n": {"type": "integer"}, "cost": {"type": "string", "format": "singer.decimal"}}},
    key_properties=["account_id", "campaign_id", "date"], bookmark_properties=["date"])
done = json.load(open(given["--state"])) if "--state" in given else {}
for number in range(1, 9):
    date = f"2026-01-{number:02d}"
    for account in map(str, range(8)):
        if done.get(account, 0) >= number: continue
        for campaign in range(20):
            row("daily", account_id=account, campaign_id=str(campaign), date=date, n=number, cost=f"{number}.{campaign:03d}")
        done[account] = number
        state(done, stream="daily", where={"account_id": account}, **{"from": date, "to": date, "rows": 20})
    open(str(number), "w").close()
    time.sleep(0.05)
"""


@pytest.mark.needs("replaces")
def test_a_run_that_is_killed_is_taken_up_by_the_next_one(storage: Storage, house: Any) -> None:
    """Eight accounts whose regions share transactions: rows and state agree after the kill, and the next run sends what
    is missing and nothing else."""
    house.environment |= storage.variables
    house.tap("p", TAP)
    house.write()
    run = house.start("run")
    until((house.directory / "4").exists)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    storage.forget_dead_run()
    done = house.run("run")
    assert done.returncode == 0, done.stderr
    rows = storage.rows("p", DAILY)
    found = {(row["account_id"], row["date"].day, row["campaign_id"]): (row["n"], str(row["cost"])) for row in rows}
    assert len(found) == len(rows) == 8 * 8 * 20
    assert all(
        n == number and float(cost) == float(f"{number}.{int(c):03d}") for (_, number, c), (n, cost) in found.items()
    )


def test_the_sink_is_closed_and_opened_without_a_trace(storage: Storage) -> None:
    for _ in range(3):
        opened: Sink = storage.open()
        opened.close()
