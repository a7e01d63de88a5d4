"""The wire is the Singer specification: somebody else's tap runs here, and somebody else's checker accepts our pipelines."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starting import ForkedSandbox

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENTS = ROOT / ".venvs"


def write_dbf(path: Path, rows: list[tuple[str, int]]) -> None:
    """A dBASE III table of two fields, NAME C(20) and AMOUNT N(8): https://www.dbf2002.com/dbf-file-format.html"""
    fields = b"".join(
        struct.pack("<11sc4xBB14x", name, kind, length, 0)
        for name, kind, length in ((b"NAME", b"C", 20), (b"AMOUNT", b"N", 8))
    )
    header = struct.pack("<BBBBIHH20x", 3, 126, 11, 20, len(rows), 32 + len(fields) + 1, 29)
    records = b"".join(b" " + name.encode("ascii").ljust(20) + str(amount).encode().rjust(8) for name, amount in rows)
    path.write_bytes(header + fields + b"\r" + records + b"\x1a")


def test_a_tap_from_pypi_runs_unchanged(house: Any, configured: Any) -> None:
    write_dbf(house.directory / "sales.dbf", [("Shoes", 12), ("Total Brand", 3400), ("Hats", -5)])
    tap = {
        "name": "dbase", "command": [str(ENVIRONMENTS / "tap-dbf" / "bin" / "tap-dbf")], "timeout": 60,
        "settings": {"path": str(house.directory / "sales.dbf")}, "retry": {"max_attempts": 1},
    }  # fmt: skip
    house.platforms.append(tap)
    done = configured()
    assert done.returncode == 0, done.stderr
    (table,) = house.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'dbase'")
    found = house.rows(f'SELECT name, amount FROM dbase."{table[0]}" ORDER BY amount')
    assert found == [("Hats", -5), ("Shoes", 12), ("Total Brand", 3400)]


SDK_TAP = """
import logging, sys
from singer_sdk import metrics
logging.basicConfig(
    stream=sys.stderr, level="INFO", format="{asctime:23s} | {levelname:8s} | {name:20s} | {message}", style="{"
)
with metrics.http_request_counter("users", "/users") as counter:
    counter.increment(3)
for _ in range(3):
    metrics.log(logging.getLogger("tap"), metrics.Point("timer", metrics.Metric.HTTP_REQUEST_DURATION, 0.2))
with metrics.record_counter("users") as counter:
    counter.increment(900)
"""


def test_the_api_calls_that_the_singer_sdk_counts_are_in_the_report(house: Any, configured: Any) -> None:
    (house.directory / "tap.py").write_text(SDK_TAP)
    house.platforms.append({"name": "sdk", "command": [str(ENVIRONMENTS / "tap-dbf" / "bin" / "python"), "tap.py"]})
    done = configured()
    assert done.returncode == 0, done.stderr
    assert "METRIC" not in done.stderr
    report = json.loads((house.directory / "execution_report.json").read_text())
    assert report["platforms"][0]["attempts"][0]["api_calls"] == 3


@pytest.mark.parametrize("platform", ["google", "microsoft", "facebook", "linkedin"])
def test_singer_check_tap_accepts_our_output_with_replaces(platform: str, tmp_path: Path) -> None:
    google = ENVIRONMENTS / "google" / "bin" / "python"
    config = tmp_path / "config.json"
    config.write_text("{}")
    with ForkedSandbox([platform], options=("--size", "tiny"), interpreters={"google": google}) as sandbox:
        output = subprocess.run(
            [ENVIRONMENTS / platform / "bin" / f"pipeline-{platform}", "--config", config],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | sandbox.environment,
            capture_output=True, timeout=400, check=True,
        ).stdout  # fmt: skip
    states = [json.loads(line) for line in output.splitlines() if line.startswith(b'{"type":"STATE"')]
    assert any("replaces" in state for state in states)
    checker = ENVIRONMENTS / "singer-tools" / "bin" / "singer-check-tap"
    told = subprocess.run([checker], input=output, capture_output=True, timeout=400, check=False)
    assert told.returncode == 0, told.stderr.decode()
    assert "The output is valid." in told.stdout.decode()


def test_the_checker_does_refuse_what_is_wrong(tmp_path: Path) -> None:
    checker = ENVIRONMENTS / "singer-tools" / "bin" / "singer-check-tap"
    told = subprocess.run(
        [checker], input=b'{"type":"RECORD","stream":"x","record":{}}\n', capture_output=True, check=False
    )
    assert told.returncode != 0, f"{sys.executable}: {told.stdout.decode()}"
