"""The runs of one group: of each shard the newest, and whether all that should have been loaded was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.record.exit_codes import EXIT_ALL_FAILED, EXIT_PARTIAL, EXIT_SUCCESS
from supervisor.record.history import NOT_OURS, History
from supervisor.record.run_name import beginning
from wire.shards import MOST, Shard, parse_shard

_RUNS_OF_A_SHARD = 20


@frozen
class ShardRun:
    """The newest kept run of one shard; `report` is None where it has none: it was never started, or is lost."""

    shard: Shard
    report: Mapping[str, Any] | None

    @property
    def is_complete(self) -> bool:
        return self.report is not None and self.report["exit_code"] == EXIT_SUCCESS

    @property
    def completed(self) -> tuple[str, ...]:
        """The platforms that it completed."""
        parts = self.report["platforms"] if self.report is not None else ()
        return tuple(part["platform_name"] for part in parts if part["status"] == "completed")


@frozen
class RunGroup:
    """All shards of a group, in their order."""

    name: str
    runs: tuple[ShardRun, ...]

    @property
    def exit_code(self) -> int:
        """0 where every shard completed all its platforms, 3 where none completed any, 2 in between."""
        if all(run.is_complete for run in self.runs):
            return EXIT_SUCCESS
        return EXIT_PARTIAL if any(run.completed for run in self.runs) else EXIT_ALL_FAILED


def kept_group(history: History, name: str) -> RunGroup:
    """The group as it is kept now. Raises SinkError where there is none, or where its shards are of several numbers."""
    reports = [
        each for each in history.reports(beginning(name), MOST * _RUNS_OF_A_SHARD) if each.get("run_group") == name
    ]
    if not reports:
        raise SinkError(f"no run of the group {name!r} is kept; RUN_GROUP names the group of a run")
    try:
        newest = _newest(reports)
    except NOT_OURS as cause:
        raise SinkError(f"what is kept of the group {name!r} is no report: {type(cause).__name__}: {cause}") from cause
    counts = sorted({shard.count for shard in newest})
    if len(counts) > 1:
        listed = " and ".join(map(str, counts))
        raise SinkError(f"the group {name!r} has runs of {listed} shards; give each night a RUN_GROUP of its own")
    shards = (Shard(index, counts[0]) for index in range(counts[0]))
    return RunGroup(name, tuple(ShardRun(shard, newest.get(shard)) for shard in shards))


def _newest(reports: Sequence[Mapping[str, Any]]) -> dict[Shard, Mapping[str, Any]]:
    """By shard; a run of all accounts is the only one of one."""
    newest: dict[Shard, Mapping[str, Any]] = {}
    for report in sorted(reports, key=lambda each: str(each["started_at"]), reverse=True):
        shard = parse_shard(report["shard"]) if report.get("shard") else Shard(0, 1)
        newest.setdefault(shard, report)
    return newest
