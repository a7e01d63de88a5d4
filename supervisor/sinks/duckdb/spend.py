"""The spend that a DuckDB file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.record.spend import DailySpend
from supervisor.sinks.spend_query import spend_of, spend_query

if TYPE_CHECKING:
    import duckdb

_KNOWN = "SELECT 1 FROM duckdb_views() WHERE schema_name = 'ads' AND view_name = 'campaign_daily'"


def daily_spend(connection: duckdb.DuckDBPyConnection, days: int) -> tuple[DailySpend, ...]:
    """The last `days` days for which any platform has campaigns; raises what DuckDB raises."""
    if connection.execute(_KNOWN).fetchone() is None:
        return ()
    return spend_of(connection.execute(spend_query(days)).fetchall())
