"""`supervisor merge`: what shards loaded into files of their own is one database, as if one run had loaded it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from reading import reading

NIGHT = """
import sys, pathlib
from wire import *
COLUMNS = [Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER)]
if pathlib.Path("wider").exists(): COLUMNS.append(Column("clicks", Type.INTEGER))
DAILY = Table("daily", tuple(COLUMNS), ("account_id", "date"), "date")
ENTITY = Table("entity", (Column("account_id", Type.STRING), Column("name", Type.STRING)), ("account_id",))
def extract(invocation, extraction):
    number = int(pathlib.Path("number").read_text())
    def load(account, round):
        if round.is_first:
            extraction.replace_account("entity", account, [] if account == "7" else [{"account_id": account, "name": f"n{number}"}])
        for window in extraction.due("daily", account, today=today_in("UTC"), lookback_days=40, window_days=40, within_round=round):
            rows = [{"account_id": account, "date": day, "n": number} for day in window.days() if account != "7"]
            extraction.replace_window("daily", account, window, rows, today=today_in("UTC"))
    load_accounts(extraction, [str(n) for n in range(12)], load, account_id=str, lookback_days=40, limiter=Limiter(4))
sys.exit(run_pipeline("pipeline-night", (DAILY, ENTITY), extract))
"""
DAILY = "SELECT account_id, date, n FROM night.daily ORDER BY ALL"
STATE = "SELECT platform, stream, account, value->'complete' FROM _supervisor.state ORDER BY ALL"


@pytest.fixture
def night(house: Any) -> Any:
    house.tap("night", "", shards=True)
    (house.directory / "night.py").write_text(NIGHT)
    (house.directory / "number").write_text("1")
    house.write()
    return house


def loaded(night: Any, count: int) -> list[str]:
    """The files of so many shards that ran."""
    for index in range(count):
        done = night.run("run", "--shard", f"{index}/{count}", DUCKDB_PATH="{shard}.duckdb", RUN_GROUP="monday")
        assert done.returncode == 0, done.stderr
    return [f"{index}-of-{count}.duckdb" for index in range(count)]


def rows(night: Any, file: str, query: str) -> list[tuple[Any, ...]]:
    with reading(night.directory / file) as connection:
        return connection.execute(query).fetchall()


def test_merged_files_are_what_one_run_would_have_loaded_and_can_be_merged_anew(night: Any) -> None:
    assert night.run("run", DUCKDB_PATH="whole.duckdb").returncode == 0
    files = loaded(night, 3)
    done = night.run("merge", *files, DUCKDB_SNAPSHOT="true")
    assert done.returncode == 0, done.stderr
    assert "night.daily: 341 rows of 12 accounts" in done.stdout
    assert f"3 files merged into {night.directory}/social_ads.duckdb" in done.stdout
    for query in (DAILY, STATE, "SELECT account_id, name FROM night.entity ORDER BY ALL"):
        assert rows(night, "social_ads.duckdb", query) == rows(night, "whole.duckdb", query)
    assert rows(night, "social_ads.snapshot.duckdb", DAILY) == rows(night, "whole.duckdb", DAILY)
    shown = night.run("show", "--group", "monday")
    assert shown.returncode == 0 and "3 of 3 shards complete" in shown.stdout
    # Restated numbers, a new column and one shard alone the night after; the merged file can be run on, too.
    (night.directory / "number").write_text("2")
    (night.directory / "wider").touch()
    assert night.run("run", "--shard", "1/3", DUCKDB_PATH="{shard}.duckdb").returncode == 0
    assert night.run("merge", files[1]).returncode == 0
    own = {account for account, *_ in rows(night, files[1], DAILY)}
    assert {(account in own, n) for account, _, n in rows(night, "social_ads.duckdb", DAILY)} == {(True, 2), (False, 1)}
    assert night.run("run").returncode == 0
    assert {n for _, _, n in rows(night, "social_ads.duckdb", DAILY)} == {2}


def test_an_account_that_two_files_hold_is_refused_and_nothing_is_changed(night: Any) -> None:
    files = [*loaded(night, 2), *loaded(night, 3)]
    assert night.run("merge", *files[:2]).returncode == 0
    before = rows(night, "social_ads.duckdb", DAILY)
    (night.directory / "number").write_text("2")
    done = night.run("merge", *files)
    assert done.returncode == 1
    assert "both hold night.daily of the accounts " in done.stderr
    assert "after a change of the number of shards begin with new files" in done.stderr
    assert rows(night, "social_ads.duckdb", DAILY) == before


def test_what_cannot_be_merged_is_one_sentence(night: Any, tmp_path: Path) -> None:
    files = loaded(night, 2)
    with duckdb.connect(str(tmp_path / "foreign.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    (tmp_path / "text.duckdb").write_text("no database")

    def told(*arguments: str, **variables: str) -> str:
        done = night.run("merge", *arguments, **variables)
        assert done.returncode == 1
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, done.stderr
        return str(lines[0])

    assert "there is no file " in told("nowhere.duckdb")
    assert "one of the files is named twice" in told(files[0], files[0])
    assert "foreign.duckdb has no state of any platform: it is no file that a run has filled" in told("foreign.duckdb")
    assert "a file cannot be opened: " in told("text.duckdb")
    assert "is the file to merge into" in told(files[0], "--into", files[0])
    assert "would have the name of the schema ads; rename it" in told(files[0], "--into", "ads.duckdb")
    assert "DUCKDB_PATH: {shard} stands for a shard" in told(files[0], DUCKDB_PATH="{shard}.duckdb")
    with duckdb.connect(str(tmp_path / files[0])):
        assert f"the DuckDB file {tmp_path}/{files[0]} is in use by pid " in told(*files)
    with duckdb.connect(str(tmp_path / files[1])) as connection:
        connection.execute("ALTER TABLE night.daily ALTER n TYPE VARCHAR")
    assert night.run("merge", files[0]).returncode == 0
    assert "night.daily: the column 'n' is VARCHAR in " in told(files[1])
    assert rows(night, "social_ads.duckdb", DAILY) == rows(night, files[0], DAILY)
