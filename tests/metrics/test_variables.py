"""METRICS_* variables stand in for the configuration, and a run that cannot start tells so too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

GOOD = "schema(); row(id='1', n=1); state({'a': 1})"


def value(path: Path, name: str) -> float:
    (found,) = re.findall(rf"^{re.escape(name)} (.*)$", path.read_text(), re.M)
    return float(found)


def test_variables_turn_the_metrics_on(house: Any) -> None:
    house.tap("one", GOOD)
    house.write(metrics={"textfile": "other.prom"})
    done = house.run("run", METRICS_TEXTFILE="mine.prom", METRICS_PORT="0", METRICS_HOST="localhost")
    assert done.returncode == 0 and "Metrics: http://localhost:" in done.stderr, done.stderr
    assert value(house.directory / "mine.prom", "supervisor_run_exit_code") == 0
    assert not (house.directory / "other.prom").exists()


def test_what_is_wrong_with_them_is_said_before_the_start(house: Any) -> None:
    house.tap("one", GOOD)
    house.write()
    done = house.run("run", METRICS_TEXTFILE="mine.txt", METRICS_PORT="http", METRICS_PUSHGATEWAY="gateway:9091")
    assert done.returncode == 1
    assert 'METRICS_TEXTFILE: expected a path that ends in ".prom"' in done.stderr
    assert "METRICS_PORT: expected a port" in done.stderr and "METRICS_PUSHGATEWAY: expected an address" in done.stderr


def test_a_run_that_cannot_start_writes_its_exit_code_and_keeps_the_rest(house: Any) -> None:
    house.tap("one", GOOD)
    house.write(metrics={"textfile": "run.prom"})
    file = house.directory / "run.prom"
    assert house.run("run").returncode == 0
    success = 'supervisor_last_success_timestamp_seconds{platform="one"}'
    before = value(file, success)
    assert house.run("run", LOG_LEVEL="LOUD").returncode == 1
    assert (value(file, "supervisor_run_exit_code"), value(file, success)) == (1, before)
    assert house.run("run").returncode == 0
    assert value(file, "supervisor_run_exit_code") == 0
    before = value(file, success)
    (house.directory / "orchestrator_config.yml").write_text("platforms: [")
    assert house.run("run", METRICS_TEXTFILE="run.prom").returncode == 1
    assert (value(file, "supervisor_run_exit_code"), value(file, success)) == (1, before)
