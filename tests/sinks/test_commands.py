"""The commands, against every storage: check, run, state, history, freshness, and what they say when they cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from storage import Storage
from until import until

ACCOUNT = {"complete": [["2026-11-01", "2026-11-20"]], "settled": [["2026-11-01", "2026-11-02"]]}
STATE = {"bookmarks": {"t": {"accounts": {"1": ACCOUNT, "2": ACCOUNT}}}}
TAP = f"""
schema()
row(id="1", n=1)
state({STATE!r})
open("given.json", "a").write((open(given["--state"]).read() if "--state" in given else "none") + "\\n")
if os.path.exists("wait"):
    open("there", "w")
    while os.path.exists("wait"): time.sleep(0.05)
"""


@pytest.fixture
def loaded(storage: Storage, house: Any) -> Any:
    house.environment |= storage.variables
    house.tap("ours", TAP)
    house.write()
    done = house.run("run")
    assert done.returncode == 0, done.stderr
    return house


def test_a_run_can_be_asked_for_afterwards(storage: Storage, loaded: Any) -> None:
    done = loaded.run("check")
    assert done.returncode == 0, done.stderr
    run_id = json.loads((loaded.directory / "execution_report.json").read_text())["run_id"]
    done = loaded.run("history")
    assert (done.returncode, done.stdout.count("completed")) == (0, 1), done.stderr
    done = loaded.run("show", run_id)
    assert (done.returncode, f"Run {run_id}: exit code 0" in done.stdout) == (0, True), done.stderr
    if storage.keeps_state:
        done = loaded.run("freshness", "--max-age", "100000")
        assert (done.returncode, done.stdout.count("2026-11-20")) == (0, 2), done.stderr
        (text,) = loaded.run("state", "show", "--json").stdout.splitlines()
        assert json.loads(text) == STATE


@pytest.mark.needs("keeps_state")
def test_what_is_forgotten_is_not_given_to_the_next_run(loaded: Any) -> None:
    done = loaded.run("state", "reset", "--platform", "ours", "--account", "1")
    assert done.returncode == 0, done.stderr
    shown = loaded.run("state", "show").stdout.splitlines()
    assert [line.split()[:3] for line in shown[1:]] == [["ours", "t", "2"]]
    assert loaded.run("run").returncode == 0
    given = (loaded.directory / "given.json").read_text().splitlines()
    assert (given[0], list(json.loads(given[1])["bookmarks"]["t"]["accounts"])) == ("none", ["2"])
    assert loaded.run("history").stdout.count("completed") == 2
    assert loaded.run("state", "reset", "--all").returncode == 0
    assert loaded.run("state", "show").stdout == "no such state is stored\n"


@pytest.mark.needs("keeps_state")
def test_a_second_run_ends_at_once_and_is_told_who_holds_the_storage(loaded: Any) -> None:
    (loaded.directory / "wait").touch()
    first = loaded.start("run")
    until((loaded.directory / "there").exists)
    second = loaded.run("run")
    reset = loaded.run("state", "reset", "--all")
    (loaded.directory / "wait").unlink()
    assert first.wait(60) == 0
    first.stdout.close()
    first.stderr.close()
    for done in (second, reset):
        assert done.returncode == 1
        assert f"pid {first.pid}" in done.stderr and "in use by" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_no_secret_of_the_storage_reaches_a_pipeline_or_a_log(storage: Storage, house: Any) -> None:
    house.environment |= storage.variables
    house.tap("nosy", "schema()\nprint(dict(os.environ), file=sys.stderr)\nrow(id='1', n=1)")
    house.write()
    done = house.run("run", LOG_LEVEL="DEBUG")
    assert done.returncode == 0, done.stderr
    told = done.stderr + done.stdout + (house.directory / "execution_report.json").read_text()
    for name in ("VERTICA_PASSWORD", "AZURE_STORAGE_CONNECTION_STRING"):
        if name in storage.variables:
            secret = storage.variables[name].split("AccountKey=")[-1].split(";")[0]
            assert name not in told and secret not in told
