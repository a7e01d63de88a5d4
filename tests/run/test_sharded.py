"""A run of a shard loads the shard's accounts, and continues runs of the same shard."""

from __future__ import annotations

import json
from typing import Any

import pytest

NIGHT = """
import sys, pathlib
from wire import *
DAILY = Table("daily", (Column("account_id", Type.STRING), Column("date", Type.DATE)), ("account_id", "date"), "date")
def extract(invocation, extraction):
    def load(account, round):
        for window in extraction.due("daily", account, today=today_in("UTC"), lookback_days=2, window_days=31, within_round=round):
            if pathlib.Path("failing").exists() and account in pathlib.Path("failing").read_text().split():
                raise PipelineError(Kind.TRANSIENT, "the platform hung up")
            with open("calls", "a") as calls: calls.write(account + "\\n")
            rows = [{"account_id": account, "date": day} for day in window.days()]
            extraction.replace_window("daily", account, window, rows, today=today_in("UTC"))
    load_accounts(extraction, [str(n) for n in range(20)], load, account_id=str, lookback_days=2, limiter=Limiter(4))
sys.exit(run_pipeline("pipeline-night", (DAILY,), extract))
"""
NONE = {"STORAGE_TYPE": "none"}


@pytest.fixture
def night(house: Any) -> Any:
    house.tap("night", "", shards=True, dates=True)
    (house.directory / "night.py").write_text(NIGHT)
    return house


def calls(house: Any) -> list[str]:
    path = house.directory / "calls"
    made = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return made


def test_shards_load_every_account_once_and_say_which_they_are(night: Any) -> None:
    night.write()
    loaded = []
    for index in range(3):
        told = {"RUN_GROUP": "nightly", "METRICS_TEXTFILE": "night.{shard}.prom"}
        done = night.run("run", "--shard", f"{index}/3", **NONE, **told)
        assert done.returncode == 0, done.stderr
        metrics = (night.directory / f"night.{index}-of-3.prom").read_text()
        series = [line for line in metrics.splitlines() if not line.startswith("#")]
        assert len(series) > 20
        assert not [line for line in series if f'shard="{index}/3"' not in line]
        assert f"Shard {index}/3: only its accounts are loaded" in done.stderr
        report = json.loads((night.directory / f"execution_report.{index}-of-3.json").read_text())
        assert (report["shard"], report["run_group"]) == (f"{index}/3", "nightly")
        assert report["run_id"].startswith("nightly.") and report["run_id"].endswith(f".{index}-of-3")
        loaded += calls(night)
    assert sorted(set(loaded), key=int) == [str(n) for n in range(20)]
    assert len(loaded) == len(set(loaded)) * loaded.count("0")


def test_the_engine_is_asked_and_named(night: Any) -> None:
    night.write()
    slurm = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "0"}
    done = night.run("run", "--shard", "auto", **NONE, **slurm)
    assert done.returncode == 0, done.stderr
    assert "Shard 1/2, as a Slurm job array (SLURM_ARRAY_TASK_ID) tells: only its accounts" in done.stderr


def test_a_failed_shard_goes_on_where_it_ended_whatever_others_did_since(night: Any) -> None:
    night.write()
    variables = {"DUCKDB_PATH": "social_ads.{shard}.duckdb"}
    (night.directory / "failing").write_text("0 1 2 3 4 5 6 7 8 9")
    assert night.run("run", "--shard", "1/2", **variables).returncode == 3
    first = set(calls(night))
    assert first
    (night.directory / "failing").unlink()
    assert night.run("run", "--shard", "0/2", **variables).returncode == 0
    calls(night)
    assert night.run("run", "--shard", "1/2", **variables).returncode == 0
    assert not first & set(calls(night)), "what the failed run had loaded was loaded again"


def test_a_pipeline_that_knows_no_shards_is_loaded_whole_by_the_first(house: Any) -> None:
    house.tap("prices", "assert '--shard' not in sys.argv\nschema(); row(id='1', n=1); state({'a': 1})")
    house.write()
    assert house.run("run", "--shard", "0/2", **NONE).returncode == 0
    done = house.run("run", "--shard", "1/2", **NONE)
    assert done.returncode == 1
    assert "nothing is left for shard 1/2: shard 0 loads prices whole; see the key `shards`" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--shard", "2/2"), "SHARD: shards count from 0: of 2 the last is 1/2"),
        (("--shard", "0/2", "--full-refresh"), "--full-refresh forgets the days of all shards; give --since"),
    ],
)
def test_what_cannot_be_is_refused_before_the_start(night: Any, arguments: tuple[str, ...], says: str) -> None:
    night.write()
    done = night.run("run", *arguments, **NONE)
    assert done.returncode == 1 and says in done.stderr
    assert not calls(night)


def test_a_group_is_shown_as_one_and_its_exit_code_says_whether_all_is_there(night: Any) -> None:
    night.write()

    def shard(index: int, count: int = 3) -> None:
        night.run("run", "--shard", f"{index}/{count}", **NONE, RUN_GROUP="monday")

    def shown(group: str = "monday") -> tuple[int, str]:
        done = night.run("show", "--group", group, **NONE)
        return done.returncode, done.stdout + done.stderr

    (night.directory / "failing").write_text(" ".join(map(str, range(20))))
    shard(1)
    code, text = shown()
    assert code == 3
    assert "Group monday: 0 of 3 shards complete" in text
    assert "0/3  no run is kept of it" in text
    assert "1/3 night failed: " in text
    (night.directory / "failing").unlink()
    shard(0)
    assert shown()[0] == 2
    shard(1)
    shard(2)
    code, text = shown()
    assert code == 0
    assert "Group monday: 3 of 3 shards complete" in text
    assert "night: completed by 3 of 3 shards" in text
    run_id = json.loads((night.directory / "execution_report.1-of-3.json").read_text())["run_id"]
    assert "  shard    1/3: its accounts alone" in night.run("show", run_id, **NONE).stdout
    shard(0, count=2)
    code, text = shown()
    assert code == 1 and "the group 'monday' has runs of 2 and 3 shards; give each night a RUN_GROUP of its own" in text
    code, text = shown("tuesday")
    assert code == 1 and "no run of the group 'tuesday' is kept" in text
    assert night.run("show", **NONE).returncode == 1
