"""The spend that a database holds, added up per platform, currency and day: one query that each of them understands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from supervisor.record.spend import DailySpend


def spend_query(days: int) -> str:
    """Asks `ads.campaign_daily` for the last `days` days for which any platform has campaigns."""
    return f"""
        SELECT platform, coalesce(account_currency, 'unknown currency'), "date", sum(spend),
               min(CASE WHEN coalesce(is_final, true) THEN 1 ELSE 0 END)
        FROM ads.campaign_daily
        WHERE "date" > (SELECT max("date") FROM ads.campaign_daily) - {days:d}
        GROUP BY 1, 2, 3 HAVING sum(spend) IS NOT NULL ORDER BY 1, 2, 3
    """


def spend_of(rows: Iterable[Sequence[Any]]) -> tuple[DailySpend, ...]:
    """What the rows of that query say."""
    return tuple(
        DailySpend(platform, currency, day, amount, final=bool(final))
        for platform, currency, day, amount, final in rows
    )
