"""The numbers in the database are the platform's own, today, ten days later, and after everything that goes wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import PLATFORMS, World

AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LATER = AS_OF + dt.timedelta(days=10)
FIRST_DAY = dt.date(2026, 10, 11)
LOADED = ("core", "conversions", "geo", "placement", "search_terms")
"""What the first pull loads."""
FAULTS = {
    "google": ["rate_limit@1", "expired_token@2", "server_error@4x2", "broken_connection@6", "html", "hang@9"],
    "microsoft": ["rate_limit", "expired_token@2", "server_error@3", "html@5", "broken_connection@7", "failed_job@1", "truncated_file@1", "hang@9"],
    "facebook": ["rate_limit@1", "server_error@3x2", "html@5", "broken_connection@7", "failed_job@1", "hang@12"],
    "linkedin": ["rate_limit@1", "expired_token@2", "server_error@4x2", "html@6", "broken_connection@7", "hang@10"],
}  # fmt: skip


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_table_equals_the_truth(first_pull: Any, check_truth: Any, platform: str) -> None:
    assert check_truth(first_pull, platform) > 100


def test_ten_days_later_restated_numbers_and_vanished_rows(filled_pull: Any, check_truth: Any) -> None:
    pull = filled_pull
    before = {p: {(r["account_id"], r["date"], r[i]) for r in pull.table(p, t)} for p, t, i in AD_TABLES}
    assert pull.run(as_of=LATER) == 0, pull.log
    for platform in PLATFORMS:
        check_truth(pull, platform, LATER)
    after = {p: {(r["account_id"], r["date"], r[i]) for r in pull.table(p, t)} for p, t, i in AD_TABLES}
    assert all(before[platform] - after[platform] for platform in PLATFORMS), "no row vanished, so nothing was proved"


AD_TABLES = (
    ("google", "ad_daily", "ad_id"),
    ("microsoft", "ad_daily", "ad_id"),
    ("facebook", "ad_daily", "ad_id"),
    ("linkedin", "creative_daily", "creative_id"),
)


def test_after_every_fault_the_data_is_complete_and_no_secret_was_told(late_pull: Any, check_truth: Any) -> None:
    pull = late_pull
    quick = {name: {"request_timeout": 2, "retry_attempts": 6} for name in PLATFORMS}
    quick["microsoft"] |= {"rate_limit_wait": 0.1}
    quick["linkedin"] |= {"data_limit_wait": 0.1}
    assert pull.run(faults=FAULTS, settings=quick, attempts=3) == 0, pull.log
    for platform in PLATFORMS:
        check_truth(pull, platform)
        attempts = pull.platform(platform)["attempts"]
        calls, retries, throttled = (
            sum(attempt[field] for attempt in attempts) for field in ("api_calls", "api_retries", "throttled_seconds")
        )
        assert calls > retries > 0 and throttled > 0, f"{platform}: {calls} calls, {retries} retries, {throttled} s"
    told = pull.log + str(pull.report)
    assert pull.secrets and not [secret for secret in pull.secrets if secret in told]


def test_a_second_run_with_nothing_new_changes_no_row(filled_pull: Any) -> None:
    pull = filled_pull
    tables = pull.rows("SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema IN ('google', 'microsoft', 'facebook', 'linkedin')")  # fmt: skip
    before = {name: pull.fingerprint(*name) for name in tables}
    assert len(before) > 30 and any(count > 1000 for count, _ in before.values())
    assert pull.run() == 0, pull.log
    assert {name: pull.fingerprint(*name) for name in tables} == before


def test_a_revoked_token_fails_its_platform_and_no_other(late_pull: Any, check_truth: Any) -> None:
    pull, few = late_pull, ["campaign", "campaign_daily"]
    settings = {name: {"tables": few} for name in PLATFORMS}
    revoked = {"microsoft": ["revoked_token"], "facebook": ["revoked_token"]}
    assert pull.run(faults=revoked, settings=settings, attempts=3) == 2
    for name in ("microsoft", "facebook"):
        platform = pull.platform(name)
        assert platform["status"] == "failed"
        assert len(platform["attempts"]) == 1, "a refused credential is not tried again"
        assert platform["attempts"][0]["exit_status"] == 77
    for name in ("google", "linkedin"):
        assert check_truth(pull, name, tables=few) > 10
    assert pull.run(settings=settings) == 0, pull.log
    for name in PLATFORMS:
        assert check_truth(pull, name, tables=few) > 10


def test_only_google(late_pull: Any, check_truth: Any) -> None:
    pull = late_pull
    assert pull.run(only=["google"]) == 0, pull.log
    assert "Left out by --only: microsoft, facebook, linkedin" in pull.log
    check_truth(pull, "google")
    assert not pull.rows("SELECT 1 FROM information_schema.tables WHERE table_schema = 'facebook'")


@pytest.mark.parametrize("view", ["account_daily", "campaign_daily", "ad_group_daily", "ad_daily"])
def test_the_unified_views_add_up_to_the_world(first_pull: Any, view: str) -> None:
    world = World.at(AS_OF, "tiny", first_day=FIRST_DAY)
    for platform in PLATFORMS:
        impressions, clicks, micros = 0, 0, 0
        for account in world.accounts(platform):
            for fact in world.ad_facts(account, FIRST_DAY, world.today(account)):
                impressions += fact.metrics.impressions
                clicks += fact.metrics.clicks
                micros += fact.metrics.cost_micros
        found = first_pull.rows(
            f"SELECT sum(impressions), sum(clicks), sum(spend), count(*) FILTER (account_name IS NULL OR account_currency IS NULL) FROM ads.{view} WHERE platform = '{platform}'"
        )[0]
        assert (found[0], found[1], found[3]) == (impressions, clicks, 0)
        # LinkedIn's world adds 1e-18 to some amounts, to prove that such amounts survive.
        assert abs(found[2] - Decimal(micros) / 10**6) < Decimal("1e-12")


def test_every_level_adds_up_to_the_account(first_pull: Any) -> None:
    found = first_pull.rows(
        "SELECT platform, count(*) FILTER (adds_up), count(*) FILTER (adds_up IS NULL), count(*) FILTER (NOT adds_up), "
        "count(reason) FROM ads.reconciliation GROUP BY 1 ORDER BY 1"
    )
    assert [row[0] for row in found] == sorted(PLATFORMS)
    for platform, right, unknown, wrong, unexplained in found:
        assert right > 50 and unknown > 0 and (wrong, unexplained) == (0, 0), platform
    assert not first_pull.rows("SELECT 1 FROM ads.reconciliation WHERE adds_up IS NULL AND is_final")


def test_names_with_quotes_scripts_and_totals_survive(first_pull: Any) -> None:
    names = {name for (name,) in first_pull.rows("SELECT DISTINCT campaign_name FROM ads.campaign_daily")}
    assert {"Total Brand", 'Say "hello", she\'s back', "Käse & Brötchen – Frühling"} <= names


def test_the_sources_of_dbt_are_the_tables_and_columns_that_are_there(first_pull: Any) -> None:
    described = yaml.safe_load((Path(__file__).resolve().parents[2] / "deploy/dbt/models/sources.yml").read_text())
    told = {
        f"{source['name']}.{table['name']}": {column["name"] for column in table["columns"]}
        for source in described["sources"]
        for table in source["tables"]
        if any(f"'{group}'" in table.get("config", {}).get("enabled", "'core'") for group in LOADED)
    }
    there: dict[str, set[str]] = {}
    for schema, table, column in first_pull.rows(
        f"SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE schema_name IN {(*PLATFORMS, 'ads')}"
    ):
        there.setdefault(f"{schema}.{table}", set()).add(column)
    assert told == {name: columns for name, columns in there.items() if name != "ads.exchange_rates"}
