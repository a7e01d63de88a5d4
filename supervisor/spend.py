"""What was spent per platform, currency and day, asked of a sink that can answer; no run fails for it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from supervisor.sinks import Sink

DAYS = 90


@frozen
class DailySpend:
    """The spend of all accounts of one platform and currency on a day; `final` if the day was over in all of them."""

    platform: str
    currency: str
    day: dt.date
    amount: Decimal
    final: bool = True


@runtime_checkable
class KnowsSpend(Protocol):
    """A sink that can add up what it holds."""

    def daily_spend(self, days: int) -> tuple[DailySpend, ...]:
        """The last `days` days of `ads.campaign_daily`; nothing where that does not exist."""


def read_spend(sink: Sink) -> tuple[DailySpend, ...]:
    """The spend of the last 90 days, or nothing where the sink cannot say."""
    return sink.daily_spend(DAYS) if isinstance(sink, KnowsSpend) else ()
