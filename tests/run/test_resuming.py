"""What a run has loaded is not loaded again by its second attempt, nor by the run that follows a failed one soon."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.request
from typing import Any

import pytest
from until import until, until_told

NIGHT = """
import sys, time, pathlib
from wire import *
C = (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER))
DAILY = Table("daily", C, ("account_id", "date"), "date")
ENTITY = Table("entity", (Column("account_id", Type.STRING), Column("name", Type.STRING)), ("account_id",))
def extract(invocation, extraction):
    settings = invocation.settings
    failing = pathlib.Path("failing")
    def load(account, round):
        if round.is_first and not extraction.is_loaded("entity", account):
            extraction.replace_account("entity", account, [{"account_id": account, "name": "n"}])
        for window in extraction.due("daily", account, today=today_in("UTC"), lookback_days=5, window_days=7, within_round=round):
            if account == "50" and failing.exists():
                if settings.get("hang"): time.sleep(60)
                failing.unlink()
                raise PipelineError(Kind.TRANSIENT, "the platform hung up")
            with open("calls", "a") as calls: calls.write(account + "\\n")
            rows = [{"account_id": account, "date": day, "n": 1} for day in window.days()]
            extraction.replace_window("daily", account, window, rows, today=today_in("UTC"))
    load_accounts(extraction, [str(n) for n in range(1, 51)], load, account_id=str, lookback_days=5, limiter=Limiter(1))
sys.exit(run_pipeline("pipeline-night", (DAILY, ENTITY), extract))
"""


@pytest.fixture
def night(house: Any) -> Any:
    """Fifty accounts, the last of which fails as long as there is a file `failing`, and then once."""
    house.tap("night", "", dates=True)
    (house.directory / "night.py").write_text(NIGHT)
    (house.directory / "failing").touch()
    return house


def platform(house: Any) -> dict[str, Any]:
    (found,) = json.loads((house.directory / "execution_report.json").read_text())["platforms"]
    return dict(found)


def calls(house: Any) -> int:
    path = house.directory / "calls"
    count = len(path.read_text().splitlines()) if path.exists() else 0
    path.unlink(missing_ok=True)
    return count


def committed(address: str) -> float:
    """How many daily rows the metrics of a run count."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        (rows,) = re.findall(r'^supervisor_rows_total\{.*table="daily".*\} (\S+)$', answer.read().decode(), re.M) or [0]
    return float(rows)


def test_a_second_attempt_loads_what_the_first_could_not_and_rows_count_once(night: Any) -> None:
    night.platforms[0]["retry"]["max_attempts"] = 2
    night.write()
    done = night.run("run")
    assert done.returncode == 0, done.stderr
    found = platform(night)
    (stored,) = night.rows("SELECT (SELECT count(*) FROM night.daily) + (SELECT count(*) FROM night.entity)")
    assert found["rows_processed"] == stored[0]
    first, second = found["attempts"]
    assert (first["accounts"], first["accounts_done"]) == (50, 50)
    backfill = ("backfill_days_total", "backfill_days_left", "backfill_days_done")
    assert [first[name] for name in backfill] == [50 * 25, 25, 49 * 25]
    assert [second[name] for name in backfill] == [50 * 25, 0, 25]
    assert second["failed_accounts"] == []
    assert second["rows"] == 31
    assert calls(night) == 50 * 5, "each window is asked for once by both attempts together"
    assert night.run("run").returncode == 0
    assert calls(night) == 50, "the next night loads the lookback of every account"


def test_a_run_after_a_killed_one_goes_on_where_that_one_was(night: Any) -> None:
    night.platforms[0]["settings"] = {"hang": True}
    night.write(metrics={"port": 0})
    process = night.start("run")
    address = until_told(process, "Metrics: http").split("Metrics: ")[1].strip()
    until(lambda: committed(address) == 49 * 6)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    until(night.is_deserted)
    calls(night)
    (night.directory / "failing").unlink()
    done = night.run("run")
    assert done.returncode == 0, done.stderr
    assert calls(night) <= 1 + 4 * 50, "the recent days of 49 accounts were there"
    assert night.rows("SELECT count(*), count(DISTINCT account_id) FROM night.daily") == [(31 * 50, 50)]
    calls(night)
    night.run("run")
    assert calls(night) == 50


@pytest.mark.parametrize("options", [["--full-refresh"], ["--since", "2026-01-01", "--until", "2026-01-03"]])
def test_what_is_asked_for_by_name_is_loaded_whole(night: Any, options: list[str]) -> None:
    night.write()
    assert night.run("run").returncode == 3
    calls(night)
    assert night.run("run", *options).returncode == 0
    assert calls(night) >= 50


def test_after_resume_within_everything_is_loaded_again(night: Any) -> None:
    night.orchestrator["resume_within"] = "1s"
    night.write()
    assert night.run("run").returncode == 3
    calls(night)
    time.sleep(1.1)
    assert night.run("run").returncode == 0
    assert calls(night) >= 50
