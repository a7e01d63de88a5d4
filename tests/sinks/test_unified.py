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


def test_facebooks_conversions_of_an_account_are_those_of_its_ad_sets_too(connection):
    connection.execute(
        "CREATE TABLE facebook.account_daily AS SELECT '1' AS account_id, DATE '2026-11-01' + n AS date, "
        "CAST(20 AS BIGINT) AS impressions, CAST(NULL AS DOUBLE) AS conversions, CAST(NULL AS DOUBLE) AS leads "
        "FROM (VALUES (0), (1)) days(n)"
    )
    columns = {
        f"facebook.{table}": {name for name, *_ in connection.execute(f"DESCRIBE facebook.{table}").fetchall()}
        for table in ("account", "account_daily", "ad_set_daily")
    }
    query = unified_views(columns)["account_daily"]
    found = connection.execute(f"SELECT impressions, conversions, leads, reach FROM ({query}) ORDER BY date").fetchall()
    assert found == [(20, 8.0, 1.0, None), (20, None, None, None)]


def test_microsofts_conversions_are_the_same_on_every_level():
    whole = {"campaign": (3, 2), "ad_group": (0, 0), "ad": (0, 0)}
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA microsoft")
    connection.execute(
        "CREATE TABLE microsoft.account "
        "(account_id VARCHAR, account_name VARCHAR, currency_code VARCHAR, iana_time_zone VARCHAR)"
    )
    columns = {}
    for level, (conversions, view_through) in whole.items():
        connection.execute(
            f"CREATE TABLE microsoft.{level}_daily AS SELECT '1' AS account_id, DATE '2026-11-01' AS date, "
            f"CAST({conversions} AS DOUBLE) AS conversions, CAST(3.4 AS DOUBLE) AS conversions_qualified, "
            f"CAST({view_through} AS BIGINT) AS view_through_conversions, "
            "CAST(2.5 AS DOUBLE) AS view_through_conversions_qualified"
        )
        described = connection.execute(f"DESCRIBE microsoft.{level}_daily").fetchall()
        columns[f"microsoft.{level}_daily"] = {name for name, *_ in described}
    columns["microsoft.account"] = {"account_id", "account_name", "currency_code", "iana_time_zone"}
    views = unified_views(columns)
    for level in whole:
        query = f"SELECT conversions, view_through_conversions FROM ({views[f'{level}_daily']})"
        assert connection.execute(query).fetchall() == [(3.4, 2.5)], level
