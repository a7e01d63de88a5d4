"""The order of a night: the days that platforms restate of every account first, then everybody's backfill in turn.

A run that reaches its time limit has then loaded yesterday of every account, instead of two years of the first ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from msgspec import Struct

BACKFILL_DAYS = 30
"""How many days of an account's backfill are loaded before the next account has its turn."""


class Round(Struct, frozen=True):
    """Some days of every account, counted back from its own today; `oldest` is None where there is no end.

    Entities, which have no days, belong to the first round.
    """

    newest: int
    oldest: int | None

    @property
    def is_first(self) -> bool:
        return self.newest == 0

    def days(self, today: dt.date) -> tuple[dt.date, dt.date]:
        """The first and the last day, both included."""
        first = dt.date.min if self.oldest is None else today - dt.timedelta(days=self.oldest)
        return first, dt.date.max if self.is_first else today - dt.timedelta(days=self.newest)


EVERYTHING = Round(newest=0, oldest=None)


def rounds(*, start: dt.date, today: dt.date, lookback_days: int, step_days: int = BACKFILL_DAYS) -> Iterator[Round]:
    """The lookback, then the days before it back to `start`, newest first, `step_days` at a time."""
    span = (today - start).days + 1  # an account in another time zone may be a day ahead
    if span <= lookback_days:
        yield EVERYTHING
        return
    yield Round(newest=0, oldest=lookback_days)
    newest = lookback_days + 1
    while newest + step_days <= span:
        yield Round(newest=newest, oldest=newest + step_days - 1)
        newest += step_days
    yield Round(newest=newest, oldest=None)
