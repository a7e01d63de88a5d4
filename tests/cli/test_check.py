"""What `supervisor check` and a command in the wrong place say of files that are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_a_secret_that_cannot_be_read_is_named_once_per_variable(house: Any) -> None:
    house.platforms += [{"name": "linkedin"}, {"name": "facebook"}]
    house.write()
    unreadable = {"LINKEDIN_ACCESS_TOKEN_FILE": "/nowhere", "VERTICA_PASSWORD_FILE": str(house.directory)}
    done = house.run("check", STORAGE_TYPE="vertica", **unreadable)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    for name in unreadable:
        assert sum(name in line for line in lines) == 1, done.stderr
    assert len(lines) == len(set(lines))


@pytest.mark.skipif(not (ROOT / ".venvs" / "google").exists(), reason="the environment of google is not installed")
def test_a_file_of_credentials_that_is_missing_is_found_before_the_run(house: Any) -> None:
    house.platforms.append({"name": "google"})
    house.write()
    done = house.run("check", GOOGLE_CONFIG_FILE="/nowhere/google-ads.yaml")
    assert done.returncode == 1
    assert "GOOGLE_CONFIG_FILE: /nowhere/google-ads.yaml cannot be read: No such file or directory" in done.stderr


def test_a_path_in_the_environment_is_the_working_directorys_and_the_message_says_where_it_looked(house: Any) -> None:
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    house.write()
    place = house.directory / "etc"
    place.mkdir()
    for name in ("orchestrator_config.yml", "one.py"):
        (house.directory / name).rename(place / name)
    done = house.run("run", "--config", "etc/orchestrator_config.yml", DUCKDB_PATH="rows.duckdb")
    assert done.returncode == 0, done.stderr
    assert (house.directory / "rows.duckdb").exists()
    done = house.run("history", DUCKDB_PATH="etc/rows.duckdb")
    assert done.returncode == 1
    assert f"there is no DuckDB file {place / 'rows.duckdb'}" in done.stderr
