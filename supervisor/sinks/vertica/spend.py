"""The spend that Vertica holds, added up per platform, currency and day."""

from __future__ import annotations

from supervisor.sinks.vertica.connection import Link
from supervisor.spend import DailySpend

_KNOWN = "SELECT 1 FROM v_catalog.views WHERE table_schema = 'ads' AND table_name = 'campaign_daily'"
_SPEND = """
    SELECT platform, coalesce(account_currency, 'unknown currency'), "date", sum(spend),
           min(CASE WHEN coalesce(is_final, true) THEN 1 ELSE 0 END)
    FROM ads.campaign_daily
    WHERE "date" > (SELECT max("date") FROM ads.campaign_daily) - {days:d}
    GROUP BY 1, 2, 3 HAVING sum(spend) IS NOT NULL ORDER BY 1, 2, 3
"""


def daily_spend(link: Link, days: int) -> tuple[DailySpend, ...]:
    """The last `days` days for which any platform has campaigns. Raises SinkError."""
    if not link.run(_KNOWN, "show the views"):
        return ()
    rows = link.run(_SPEND.format(days=days), "add up the spend")
    return tuple(
        DailySpend(platform, currency, day, amount, final=bool(final))
        for platform, currency, day, amount, final in rows
    )
