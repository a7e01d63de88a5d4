"""Rates in both databases that keep them: amounts in one currency are exact, or null where a rate is missing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from duckdb_file import DuckDBFile
from storage import GOOGLE_CUSTOMER, load
from vertica_double import VerticaDatabase, access_to

from supervisor.record.exchange_rates import Rate
from supervisor.sinks.duckdb.sink import DuckDBSink
from supervisor.sinks.vertica.sink import VerticaSink
from wire.schema import Column, Table, Type

CAMPAIGNS = Table(
    "campaign_daily",
    (
        Column("account_id", Type.STRING), Column("campaign_id", Type.STRING), Column("date", Type.DATE),
        Column("cost", Type.DECIMAL), Column("conversions_value", Type.NUMBER),
    ),
    ("account_id", "campaign_id", "date"),
    "date",
)  # fmt: skip
FRIDAY, SATURDAY = dt.date(2026, 11, 20), dt.date(2026, 11, 21)


def rate(day: dt.date, origin: str, value: str, target: str = "EUR") -> Rate:
    return Rate(day, origin, target, Decimal(value))


@pytest.mark.parametrize("kind", ["duckdb", "vertica"])
def test_amounts_in_one_currency_are_exact_or_null(tmp_path: Path, kind: str) -> None:
    (tmp_path / "storage").mkdir()
    if kind == "duckdb":
        file = DuckDBFile(tmp_path / "storage")
        sink: Any = DuckDBSink(file.path, reporting_currency="EUR")
        query: Any = lambda text: sink._connection.cursor().execute(text).fetchall()
    else:
        database = VerticaDatabase(tmp_path / "storage")
        sink = VerticaSink(access_to(database.server), reporting_currency="EUR")
        query = lambda text: [tuple(row) for row in database.query(text)]
    try:
        for account, currency in (("1", "EUR"), ("2", "USD"), ("3", "JPY")):
            names = {"descriptive_name": account, "currency_code": currency, "time_zone": "UTC"}
            load(sink, tmp_path, GOOGLE_CUSTOMER, {"account_id": account, **names}, platform="google", replaces=None)
            days = [
                {"account_id": account, "campaign_id": "c", "date": str(day), "cost": "1234567.123456", "conversions_value": 0.1}
                for day in (FRIDAY, SATURDAY)
            ]  # fmt: skip
            load(sink, tmp_path, CAMPAIGNS, *days, platform="google", replaces=None)
        sink.publish()
        assert query("SELECT count(spend_in_reporting_currency) FROM ads.campaign_daily") == [(2,)], "only euros"
        some = [rate(FRIDAY + dt.timedelta(days=n), "GBP", "1.2") for n in range(1000)]
        sink.put_rates([rate(FRIDAY, "USD", "1"), rate(FRIDAY, "JPY", "0.006123456789"), *some])
        sink.put_rates([rate(FRIDAY, "USD", "0.923100000001"), rate(FRIDAY, "USD", "0.79", "GBP")])
        sink.publish()
        found = query(
            "SELECT account_id, CAST(date AS VARCHAR), reporting_currency, spend_in_reporting_currency, "
            "conversions_value_in_reporting_currency FROM ads.campaign_daily ORDER BY 1, 2"
        )
        assert found == [
            ("1", "2026-11-20", "EUR", Decimal("1234567.123456"), Decimal("0.1")),
            ("1", "2026-11-21", "EUR", Decimal("1234567.123456"), Decimal("0.1")),
            (
                "2",
                "2026-11-20",
                "EUR",
                Decimal("1234567.123456") * Decimal("0.923100000001"),
                Decimal("0.0923100000001"),
            ),
            ("2", "2026-11-21", "EUR", None, None),
            (
                "3",
                "2026-11-20",
                "EUR",
                Decimal("1234567.123456") * Decimal("0.006123456789"),
                Decimal("0.0006123456789"),
            ),
            ("3", "2026-11-21", "EUR", None, None),
        ]
        assert query("SELECT count(*) FROM ads.exchange_rates") == [(1003,)]
        ((spent,),) = query("SELECT sum(spend) FROM ads.campaign_daily")
        assert spent == 6 * Decimal("1234567.123456"), "no rate multiplies rows"
    finally:
        sink.close()
