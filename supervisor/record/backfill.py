"""How far a platform's backfill is, from what its pipeline told in the attempts of a run: see docs/observing.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from supervisor.record.history import History
from supervisor.record.outcome import AttemptResult
from supervisor.record.progress import AttemptProgress

_Attempt = AttemptResult | AttemptProgress | Mapping[str, Any]

_RUNS = 5
"""So many runs back is looked for one that told anything."""


@frozen
class Backfill:
    """Days of all accounts and daily tables before the lookback; `done` were loaded by the run that told it."""

    total: int
    left: int
    done: int

    @property
    def percent(self) -> int:
        """How much of it is there: 100 only where nothing is left."""
        return 100 if not self.left else min(99, 100 * (self.total - self.left) // max(1, self.total))

    @property
    def nights(self) -> int | None:
        """How many more runs like the one that told it are needed; None where that one loaded nothing of it."""
        return -(-self.left // self.done) if self.done else None


def backfill_of(attempts: Sequence[_Attempt]) -> Backfill | None:
    """What the attempts of one platform's run told, ended, under way or as a kept report has them; None for nothing."""
    told = [each for each in map(_told, attempts) if each is not None]
    if not told:
        return None
    return Backfill(told[-1].total, told[-1].left, sum(each.done for each in told))


def last_backfills(history: History, platforms: Iterable[str]) -> dict[str, Backfill]:
    """Platform -> what its newest run that told anything said. Raises SinkError."""
    found = {name: _last(history, name) for name in platforms}
    return {name: backfill for name, backfill in found.items() if backfill is not None}


def _last(history: History, platform: str) -> Backfill | None:
    for run in history.platform_runs(platform, _RUNS):
        for report in history.reports(run.run_id):
            parts = [part for part in report["platforms"] if part["platform_name"] == platform]
            if report["run_id"] == run.run_id and parts and (backfill := backfill_of(parts[0]["attempts"])):
                return backfill
    return None


def _told(attempt: _Attempt) -> Backfill | None:
    total, left, done = (_field(attempt, f"backfill_days_{name}") for name in ("total", "left", "done"))
    return None if total is None or left is None else Backfill(total, left, done or 0)


def _field(attempt: _Attempt, name: str) -> Any:
    return attempt.get(name) if isinstance(attempt, Mapping) else getattr(attempt, name)
