"""The views that divide campaigns, made of tables that are there only in part."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from supervisor.sinks.breakdowns.queries import breakdown_views
from supervisor.sinks.duckdb.sink import columns_of
from supervisor.sinks.exchange_rates import DEFINITION
from supervisor.sinks.views import reader_views

GOOGLE = "account_id VARCHAR, date DATE, campaign_id VARCHAR, campaign_name VARCHAR, clicks BIGINT, is_final BOOLEAN"


@pytest.fixture
def connection():
    connection = duckdb.connect()
    for statement in (
        "CREATE SCHEMA google",
        "CREATE SCHEMA linkedin",
        "CREATE SCHEMA microsoft",
        "CREATE TABLE google.customer AS SELECT '1' account_id, 'A' descriptive_name, 'EUR' currency_code, 'UTC' time_zone",
        "CREATE TABLE linkedin.account AS SELECT '1' account_id, 'L' AS name, 'USD' currency",
        "CREATE TABLE microsoft.account AS SELECT '1' account_id, 'M' account_name, 'USD' currency_code, 'UTC' iana_time_zone",
    ):
        connection.execute(statement)
    return connection


def views(connection):
    return breakdown_views(columns_of(connection))


def shown(connection, view, chosen):
    return connection.execute(f"SELECT {chosen} FROM ({views(connection)[view]}) ORDER BY ALL").fetchall()


def test_a_view_of_nothing_is_not_there(connection):
    assert views(connection) == {}
    connection.execute(f"CREATE TABLE google.campaign_device_network_daily ({GOOGLE}, device VARCHAR)")
    assert list(views(connection)) == ["device_daily"]
    assert "linkedin" not in views(connection)["device_daily"]
    connection.execute("DROP TABLE google.customer")
    assert views(connection) == {}, "nobody knows the currency"


def test_a_table_without_what_a_view_reads_is_not_in_it(connection):
    """As an earlier version, or somebody else, may have made it."""
    for table in ("linkedin.campaign_daily", "google.search_term_daily", "microsoft.campaign_goal_daily"):
        connection.execute(f"CREATE TABLE {table} AS SELECT '1' AS account_id, DATE '2026-11-01' AS date, 1 AS clicks")
    assert views(connection) == {}
    connection.execute(BY_CAMPAIGN)
    assert shown(connection, "search_term_daily", "count(*)") == [(0,)]


SEARCHED = f"CREATE TABLE google.search_term_daily ({GOOGLE}, ad_group_id VARCHAR, search_term VARCHAR)"
BY_CAMPAIGN = f"CREATE TABLE google.campaign_search_term_daily ({GOOGLE}, search_term VARCHAR)"


def test_a_campaigns_searches_are_told_once(connection):
    """Google tells them by ad group and by campaign, and those of Performance Max by campaign alone."""
    connection.execute(SEARCHED)
    connection.execute(
        "INSERT INTO google.search_term_daily VALUES ('1', '2026-11-01', 'search', 'S', 4, true, 'a', 'shoe'),"
        " ('1', '2026-11-01', 'search', 'S', 3, true, 'b', 'shoe'), ('1', '2026-11-01', 'search', 'S', 2, true, 'b', 'shoe')"
    )
    columns = "campaign_id, ad_group_id, search_term, clicks"
    by_ad_group = [("search", "a", "shoe", 4), ("search", "b", "shoe", 5)]
    assert shown(connection, "search_term_daily", columns) == by_ad_group
    connection.execute(BY_CAMPAIGN)
    connection.execute(
        "INSERT INTO google.campaign_search_term_daily VALUES ('1', '2026-11-01', 'search', 'S', 9, true, 'shoe'),"
        " ('1', '2026-11-01', 'max', 'P', 6, true, 'shoe'), ('1', '2026-11-02', 'search', 'S', 1, true, 'boot')"
    )
    assert shown(connection, "search_term_daily", columns) == [
        ("max", "", "shoe", 6),
        ("search", "", "boot", 1),
        *by_ad_group,
    ]


def test_searches_by_campaign_alone_are_all_of_them(connection):
    connection.execute(BY_CAMPAIGN)
    connection.execute(
        "INSERT INTO google.campaign_search_term_daily VALUES ('1', '2026-11-01', 'c', 'C', 9, true, 'shoe')"
    )
    assert shown(connection, "search_term_daily", "campaign_id, search_term, clicks") == [("c", "shoe", 9)]


def test_devices_have_a_vocabulary_and_lose_no_row(connection):
    connection.execute(f"CREATE TABLE google.campaign_device_network_daily ({GOOGLE}, device VARCHAR)")
    connection.execute(
        "INSERT INTO google.campaign_device_network_daily SELECT '1', '2026-11-01', 'c', 'C', 1, n <> 2, device "
        "FROM (VALUES ('MOBILE', 1), ('MOBILE', 2), ('CONNECTED_TV', 3), ('FRIDGE', 4), ('UNKNOWN', 5), (NULL, 6)) t(device, n)"
    )
    connection.execute(
        "CREATE TABLE linkedin.campaign_device_daily AS SELECT '1' account_id, DATE '2026-11-01' AS date, "
        "CAST(NULL AS VARCHAR) campaign_group_id, c AS campaign_id, '' impression_device_type, "
        "CAST(2 AS BIGINT) clicks, true is_final FROM (VALUES ('1'), ('2')) t(c)"
    )
    columns = "platform, campaign_id, device, platform_device, clicks, is_final"
    assert shown(connection, "device_daily", columns) == [
        ("google", "c", "mobile", "MOBILE", 2, False),
        ("google", "c", "other", "FRIDGE", 1, True),
        ("google", "c", "tv", "CONNECTED_TV", 1, True),
        ("google", "c", "unknown", "", 1, True),
        ("google", "c", "unknown", "UNKNOWN", 1, True),
        ("linkedin", "", "unknown", "", 4, True),
    ]


def test_places_have_the_codes_and_names_that_are_known(connection):
    connection.execute(
        f"CREATE TABLE google.geo_daily ({GOOGLE}, country_criterion_id VARCHAR, location_type VARCHAR, geo_target_region VARCHAR)"
    )
    connection.execute(
        "INSERT INTO google.geo_daily VALUES ('1', '2026-11-01', 'c', 'C', 1, true, '2276', 'AREA_OF_INTEREST', 'geoTargetConstants/20227'),"
        " ('1', '2026-11-01', 'c', 'C', 2, true, '2276', 'LOCATION_OF_PRESENCE', '')"
    )
    connection.execute(
        "CREATE TABLE microsoft.geographic_daily AS SELECT '1' account_id, DATE '2026-11-01' AS date, 'm' campaign_id, "
        "country, 'Physical location' location_type, '' state, CAST(1 AS BIGINT) clicks, true is_final "
        "FROM (VALUES ('Côte d''Ivoire'), ('Atlantis'), (''), (NULL), ('south korea')) t(country)"
    )
    columns = "platform, location_type, country_code, country, region, region_name, clicks"
    of_microsoft = [
        ("microsoft", "presence", "CI", "Côte d'Ivoire", "", None, 1),
        ("microsoft", "presence", "KR", "south korea", "", None, 1),
        ("microsoft", "presence", None, "", "", None, 2),
        ("microsoft", "presence", None, "Atlantis", "", None, 1),
    ]
    assert shown(connection, "geo_daily", columns) == [
        ("google", "interest", None, "2276", "20227", None, 1),
        ("google", "presence", None, "2276", "", None, 2),
        *of_microsoft,
    ]
    connection.execute(
        "CREATE TABLE google.geo_target_constant AS SELECT * FROM (VALUES ('2276', 'Germany', 'DE'), ('20227', 'Bavaria', 'DE'))"
        " t(geo_target_id, geo_target_name, country_code)"
    )
    assert shown(connection, "geo_daily", columns) == [
        ("google", "interest", "DE", "2276", "20227", "Bavaria", 1),
        ("google", "presence", "DE", "2276", "", None, 2),
        *of_microsoft,
    ]


def test_all_amounts_are_in_the_reporting_currency_too(connection):
    connection.execute(
        "CREATE TABLE google.campaign_conversion_action_daily AS SELECT '1' account_id, DATE '2026-11-01' AS date, 'c' campaign_id, "
        "'customers/1/conversionActions/7' conversion_action, '' conversion_action_category, CAST(2 AS DOUBLE) conversions_value, "
        "CAST(3.5 AS DOUBLE) all_conversions_value"
    )
    connection.execute("CREATE SCHEMA ads")
    connection.execute(DEFINITION)
    connection.execute("INSERT INTO ads.exchange_rates VALUES ('2026-11-01', 'EUR', 'USD', 1.1)")
    made = reader_views(columns_of(connection), reporting_currency="USD")
    found = connection.execute(
        "SELECT conversion_id, reporting_currency, conversions_value_in_reporting_currency, "
        f"all_conversions_value_in_reporting_currency FROM ({made['conversion_daily']})"
    ).fetchall()
    assert found == [("7", "USD", Decimal("2.2"), Decimal("3.85"))]
