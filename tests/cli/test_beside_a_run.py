"""What other commands say and do while a run holds the storage, and whether they stand in its way."""

from __future__ import annotations

import os
import re
from typing import Any

import duckdb
import pytest
from until import until_told

SLOW = """
schema(); row(id='1', n=1); state({'a': 1}); print('here', file=sys.stderr, flush=True)
while not os.path.exists('go'): time.sleep(0.05)
"""
GOOD = "schema(); row(id='1', n=1); state({'a': 1})"


@pytest.fixture
def running(house: Any) -> Any:
    house.tap("one", SLOW)
    house.write()
    process = house.start("run")
    until_told(process, "here")
    house.pid = process.pid
    yield house
    (house.directory / "go").touch()
    process.communicate(timeout=60)


def test_check_says_who_holds_the_storage_since_when(running: Any) -> None:
    done = running.run("check")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert re.search(rf"DUCKDB_PATH: .* is in use by pid {running.pid}, a run that started 20\d\d-.* UTC;", line), line


def test_a_reader_of_the_database_is_named_to_a_run_and_to_check(house: Any) -> None:
    house.tap("one", GOOD)
    house.write()
    assert house.run("run").returncode == 0
    with duckdb.connect(str(house.directory / "social_ads.duckdb"), read_only=True):
        for command in ("run", "check"):
            done = house.run(command)
            if command == "run":
                assert done.returncode == 1 and f"is in use by pid {os.getpid()}, which is no run" in done.stderr
            assert "Conflicting lock" not in done.stderr


def test_after_a_reset_an_export_reads_the_snapshot(house: Any) -> None:
    house.environment["DUCKDB_SNAPSHOT"] = "true"
    house.tap("one", GOOD)
    house.write()
    assert house.run("run").returncode == 0
    assert house.run("state", "reset", "--all").returncode == 0
    done = house.run("export", "--to", "out")
    assert done.stdout.splitlines()[0] == f"from {house.directory}/social_ads.snapshot.duckdb"
    assert house.run("state", "show").stdout == "no such state is stored\n"
