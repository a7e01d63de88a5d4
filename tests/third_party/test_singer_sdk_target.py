"""Our pipelines' rows in somebody else's target: meltanolabs-target-csv, which is built with the Meltano SDK.

It appends rows to a file per stream and merges nothing, so a reader takes the last row of each key.
"""

from __future__ import annotations

import ast
import csv
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from starting import ForkedSandbox

from sandbox.world import World

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / ".venvs" / "target-csv" / "bin" / "target-csv"
AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 11, 8)
PLATFORMS = ("google", "microsoft", "facebook", "linkedin")
PRICES = """
schema(stream="price-list", key=("id",), id="string", n="integer")
row(stream="price-list", id="a", n=1)
state({"seen": json.load(open(given["--state"]))["seen"] + 1 if "--state" in given else 1})
"""


class Pull:
    """Runs of real pipelines into the target, each into a directory of its own."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.runs = 0

    def run(self) -> str:
        """A run that must go well; its log."""
        self.runs += 1
        config = self.house.directory / "config.json"
        config.write_text(json.dumps({"output_path": str(self.house.directory / f"run-{self.runs}")}))
        options = ("--size", "tiny", "--as-of", AS_OF.isoformat(), "--first-day", FIRST_DAY.isoformat())
        self.house.write()
        google = ROOT / ".venvs" / "google" / "bin" / "python"
        with ForkedSandbox(PLATFORMS, options=options, interpreters={"google": google}) as sandbox:
            done = self.house.run(
                "run",
                **sandbox.environment,
                PIPELINE_NOW=AS_OF.isoformat(),
                STORAGE_TYPE="singer",
                SINGER_TARGET_COMMAND=f"{TARGET} --config {config}",
                SINGER_TARGET_TIMEOUT="60",
            )
        assert done.returncode == 0, done.stderr
        return str(done.stderr)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.house.directory / "singer_state.json").read_text())
        return found

    def records(self, stream: str) -> list[dict[str, str]]:
        """The rows of a stream as text, those of the latest run last."""
        found = []
        for run in range(1, self.runs + 1):
            with (self.house.directory / f"run-{run}" / f"{stream}.csv").open(newline="") as file:
                found += list(csv.DictReader(file))
        return found


@pytest.fixture
def pull(house: Any) -> Pull:
    settings = {"start_date": FIRST_DAY.isoformat(), "lookback_days": 7, "retry_first_wait": 0.05, "request_timeout": 5}
    for name in PLATFORMS:
        house.platforms.append({"name": name, "timeout": 200, "settings": settings, "retry": {"max_attempts": 1}})
    house.tap("price-shop", PRICES)
    return Pull(house)


def value(text: str, true: Any) -> Any:
    """A text of a CSV file as what the truth says that it is."""
    readers: dict[type, Callable[[str], Any]] = {
        bool: lambda t: {"True": True, "False": False}[t],
        int: int,
        float: float,
        Decimal: Decimal,
        dt.datetime: lambda t: dt.datetime.fromisoformat(t).astimezone(dt.UTC),
        dt.date: dt.date.fromisoformat,
        dict: ast.literal_eval,
        list: ast.literal_eval,
        type(None): lambda t: t or None,
    }
    return readers.get(type(true), str)(text)


def wanted(platform: str) -> dict[str, list[dict[str, Any]]]:
    """What each table of a platform must hold."""
    world = World.at(AS_OF, "tiny", first_day=FIRST_DAY)
    module = import_module(f"sandbox.{platform}.truth")
    last = AS_OF.date() + dt.timedelta(days=1)
    return {table: list(module.truth(world, table, FIRST_DAY, last)) for table in module.TABLES}


def assert_same(found: list[dict[str, str]], true: list[dict[str, Any]], what: str) -> None:
    """Every true row is there, every value exactly, and nothing else; of two rows with one key the last one counts."""
    key = [
        n
        for n in true[0]
        if n.endswith(("_id", "date", "term", "type", "window", "metric", "query", "_action", "goal"))
    ]
    last = {tuple(row[name] for name in key): row for row in found}
    assert len(last) == len(true), f"{what}: {len(last)} rows, and {len(true)} in truth"
    for row in true:
        mine = last[tuple("" if row[name] is None else str(row[name]) for name in key)]
        different = {n: (mine[n], row[n]) for n in row if value(mine[n], row[n]) != row[n]}
        assert not different, f"{what}: (file, truth) differ in {different} of {row}"


def without_the_run(states: dict[str, Any]) -> dict[str, Any]:
    """The states without the name of the run that loaded each part last."""
    kept: dict[str, Any] = json.loads(json.dumps(states))
    for state in kept.values():
        for table in state.get("bookmarks", {}).values():
            for account in table["accounts"].values():
                del account["loaded"]
    return kept


def test_real_pipelines_fill_a_real_target(pull: Pull) -> None:
    log = pull.run()
    assert "singer target of linkedin | " in log
    assert "METRIC" not in log
    count = 0
    for platform in PLATFORMS:
        for table, true in wanted(platform).items():
            assert_same(pull.records(f"{platform}__{table}"), true, f"{platform}.{table}")
            count += len(true)
    assert count > 1000
    assert pull.records("price_shop__price_list") == [{"id": "a", "n": "1"}]
    states = pull.state()
    assert states["price-shop"] == {"seen": 1}
    days = states["linkedin"]["bookmarks"]["campaign_daily"]["accounts"]["5001234567"]
    assert days["complete"] == [[FIRST_DAY.isoformat(), "2026-11-19"]]

    pull.run()
    for platform in PLATFORMS:
        for table, true in wanted(platform).items():
            assert_same(pull.records(f"{platform}__{table}"), true, f"{platform}.{table}, second run")
    assert without_the_run(pull.state()) == without_the_run(states) | {"price-shop": {"seen": 2}}
    fewer = len(pull.records("linkedin__campaign_daily")) < 2 * len(wanted("linkedin")["campaign_daily"])
    assert fewer, "the second run resumed from the state"
