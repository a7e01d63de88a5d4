"""The spend that Vertica holds."""

from __future__ import annotations

from supervisor.record.spend import DailySpend
from supervisor.sinks.spend_query import spend_of, spend_query
from supervisor.sinks.vertica.connection import Link

_KNOWN = "SELECT 1 FROM v_catalog.views WHERE table_schema = 'ads' AND table_name = 'campaign_daily'"


def daily_spend(link: Link, days: int) -> tuple[DailySpend, ...]:
    """The last `days` days for which any platform has campaigns. Raises SinkError."""
    if not link.run(_KNOWN, "show the views"):
        return ()
    return spend_of(link.run(spend_query(days), "add up the spend"))
