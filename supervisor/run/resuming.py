"""Which chain of attempts a platform's run belongs to, so that its pipeline does not load again what the chain loaded.

A chain begins with a run and goes on in its second attempt, and in the next runs as long as the platform has not
completed and the first of them is not older than `resume_within`. The chain is named by the id of its first run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from supervisor.record.history import History, PlatformRun
from supervisor.record.run_name import is_of_shard
from supervisor.record.run_record import Status
from wire.shards import Shard

_RUNS = 20


def chains(
    history: History,
    platforms: Iterable[str],
    *,
    run_id: str,
    now: dt.datetime,
    within_seconds: float,
    shard: Shard | None = None,
) -> dict[str, str]:
    """Platform -> the chain that its run belongs to; `run_id` where it begins one. Raises SinkError.

    A run of a `shard` continues runs of the same one.
    """
    oldest = now - dt.timedelta(seconds=within_seconds)
    most = _RUNS * (shard.count if shard else 1)

    def before(name: str) -> list[PlatformRun]:
        return [run for run in history.platform_runs(name, most) if is_of_shard(run.run_id, shard)]

    return {name: _chain(before(name), oldest) or run_id for name in platforms}


def _chain(runs: Sequence[PlatformRun], oldest: dt.datetime) -> str | None:
    """The first of the newest runs, given newest first, that did not complete, without a gap."""
    first: str | None = None
    for run in runs:
        if run.status == Status.COMPLETED or run.started < oldest:
            break
        first = run.run_id
    return first
