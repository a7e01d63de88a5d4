"""Four runs at once, each with a shard, into one storage that they share: rows equal the truth, whatever dies meanwhile."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from starting import SUPERVISOR, Forked, ForkedSandbox
from until import until

from sandbox.linkedin.truth import truth
from sandbox.world import World
from wire.shards import Shard

AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 11, 6)
ACCOUNTS = 12
WORLD = World.at(AS_OF, "tiny", first_day=FIRST_DAY, accounts=ACCOUNTS)
OPTIONS = ("--size", "tiny", "--as-of", AS_OF.isoformat(), "--first-day", FIRST_DAY.isoformat())


class Night:
    """The runs of the shards of one night, side by side."""

    def __init__(self, directory: Path, variables: Mapping[str, str], count: int) -> None:
        self._directory = directory
        self._variables = dict(variables)
        self.count = count
        self._started: list[Any] = []
        self.runs = [self.start(index) for index in range(count)]

    def __enter__(self) -> Night:
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._started:
            run.terminate()
            run.wait(60)

    def start(self, index: int) -> Any:
        shard = Shard(index, self.count)
        with (self._directory / f"{shard.label}.log").open("a") as log:
            run = Forked(
                [SUPERVISOR, "run", "--only", "linkedin", "--shard", str(shard)],
                cwd=self._directory,
                env=self._variables | {"RUN_GROUP": f"night-of-{self.count}", "LOG_LEVEL": "INFO"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(run)
        return run

    def log(self, index: int) -> str:
        return (self._directory / f"{Shard(index, self.count).label}.log").read_text()

    def report(self, index: int) -> dict[str, Any]:
        name = f"execution_report.{Shard(index, self.count).label}.json"
        told: dict[str, Any] = json.loads((self._directory / name).read_text())
        return told


def test_four_shards_at_once_one_of_them_killed_and_another_number_the_next_night(
    stored_pull: Any, check_truth: Any
) -> None:
    pull = stored_pull
    pull.first_day = FIRST_DAY
    pull.configure({"linkedin": {"lookback_days": 2}}, {})
    with (
        ForkedSandbox(("linkedin",), options=(*OPTIONS, "--accounts", str(ACCOUNTS), "--latency", "20ms")) as sandbox,
        ExitStack() as nights,
    ):
        own = {"PATH": os.environ["PATH"], "HOME": str(pull.directory), "PIPELINE_NOW": AS_OF.isoformat()}
        variables = own | pull.variables | sandbox.environment
        night = nights.enter_context(Night(pull.directory, variables, 4))
        killed = 2
        until(lambda: "Platform 'linkedin' started" in night.log(killed))
        # A hold of Azure's outlives a process that is killed, by a minute and a half; see tests/sinks/test_azure_table.py.
        has_a_lock = pull.variables["STORAGE_TYPE"] == "vertica"
        night.runs[killed].send_signal(signal.SIGKILL if has_a_lock else signal.SIGTERM)
        assert night.runs[killed].wait(60) != 0
        until(lambda: night.start(killed).wait(300) == 0, seconds=300)
        for index, run in enumerate(night.runs):
            assert index == killed or run.wait(300) == 0, night.log(index)
        check_truth(pull, "linkedin", accounts=ACCOUNTS)
        if has_a_lock:
            leaving = [index for index in range(4) if "left to the one that ends last" in night.log(index)]
            assert len(leaving) == 3
            told = truth(WORLD, "campaign_group_daily", FIRST_DAY, AS_OF.date())
            (found,) = pull.query("SELECT count(*), count(DISTINCT account_id) FROM ads.campaign_daily")
            assert tuple(found) == (len(told), len({row["account_id"] for row in told}))
        shown = pull.command("show", "--group", "night-of-4")
        assert shown.returncode == 0, shown.stdout + shown.stderr

        later = nights.enter_context(Night(pull.directory, variables, 3))
        for index, run in enumerate(later.runs):
            assert run.wait(300) == 0, later.log(index)
        check_truth(pull, "linkedin", accounts=ACCOUNTS)
        # Another number loads the days that are always loaded anew, and entities: nobody's former days.
        again = Counter[str]()
        for index in range(later.count):
            again.update(later.report(index)["platforms"][0]["rows_by_table"])
        for table in ("creative_daily", "campaign_daily"):
            assert 0 < again[table] < len(pull.table("linkedin", table)) / 2
