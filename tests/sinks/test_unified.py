"""The views over all platforms, made of tables that are there only in part."""

from __future__ import annotations

import duckdb
import pytest

from supervisor.sinks.unified import unified_views

DAILY = "account_id VARCHAR, date DATE, campaign_id VARCHAR, impressions BIGINT, conversions DOUBLE, leads DOUBLE"


@pytest.fixture
def connection():
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA facebook")
    connection.execute(
        "CREATE TABLE facebook.account (account_id VARCHAR, name VARCHAR, currency VARCHAR, timezone_name VARCHAR)"
    )
    connection.execute(f"CREATE TABLE facebook.campaign_daily ({DAILY})")
    connection.execute(f"CREATE TABLE facebook.ad_set_daily ({DAILY}, ad_set_id VARCHAR)")
    connection.execute(
        "INSERT INTO facebook.campaign_daily VALUES"
        " ('1', '2026-11-01', 'mixed', 10, NULL, NULL), ('1', '2026-11-01', 'plain', 10, 3, NULL),"
        " ('1', '2026-11-02', 'alone', 10, 7, 1)"
    )
    connection.execute(
        "INSERT INTO facebook.ad_set_daily VALUES ('1', '2026-11-01', 'mixed', 4, 2, 1, 'a'),"
        " ('1', '2026-11-01', 'mixed', 6, 3, NULL, 'b'), ('1', '2026-11-01', 'plain', 10, 3, NULL, 'c')"
    )
    return connection


def shown(connection, *left_out):
    columns = {
        f"facebook.{table}": {name for name, *_ in connection.execute(f"DESCRIBE facebook.{table}").fetchall()}
        for table in ("account", "campaign_daily", "ad_set_daily")
        if table not in left_out
    }
    query = unified_views(columns)["campaign_daily"]
    return connection.execute(
        f"SELECT campaign_id, impressions, conversions, leads FROM ({query}) ORDER BY 1"
    ).fetchall()


def test_facebooks_conversions_of_a_campaign_are_those_of_its_ad_sets(connection):
    assert shown(connection) == [("alone", 10, 7.0, 1.0), ("mixed", 10, 5.0, 1.0), ("plain", 10, 3.0, None)]


def test_without_ad_set_rows_they_are_the_campaigns_own(connection):
    expected = [("alone", 10, 7.0, 1.0), ("mixed", 10, None, None), ("plain", 10, 3.0, None)]
    assert shown(connection, "ad_set_daily") == expected
