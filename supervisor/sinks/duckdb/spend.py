"""The spend that a DuckDB file holds, added up per platform, currency and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.spend import DailySpend

if TYPE_CHECKING:
    import duckdb

_KNOWN = "SELECT 1 FROM duckdb_views() WHERE schema_name = 'ads' AND view_name = 'campaign_daily'"
_SPEND = """
    SELECT platform, coalesce(account_currency, 'unknown currency'), date, sum(spend),
           bool_and(coalesce(is_final, true))
    FROM ads.campaign_daily
    WHERE date > (SELECT max(date) FROM ads.campaign_daily) - CAST(? AS INTEGER)
    GROUP BY ALL HAVING sum(spend) IS NOT NULL ORDER BY ALL
"""


def daily_spend(connection: duckdb.DuckDBPyConnection, days: int) -> tuple[DailySpend, ...]:
    """The last `days` days for which any platform has campaigns; raises what DuckDB raises."""
    if connection.execute(_KNOWN).fetchone() is None:
        return ()
    return tuple(DailySpend(*row) for row in connection.execute(_SPEND, [days]).fetchall())
