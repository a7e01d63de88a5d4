"""What was spent, asked of a sink that can answer; no run fails for it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from supervisor.record.spend import DailySpend
from supervisor.sinks import Sink

DAYS = 90


@runtime_checkable
class KnowsSpend(Protocol):
    """A sink that can add up what it holds."""

    def daily_spend(self, days: int) -> tuple[DailySpend, ...]:
        """The last `days` days of `ads.campaign_daily`; nothing where that does not exist."""


def read_spend(sink: Sink) -> tuple[DailySpend, ...]:
    """The spend of the last 90 days, or nothing where the sink cannot say."""
    return sink.daily_spend(DAYS) if isinstance(sink, KnowsSpend) else ()
