"""What the tables of the Google pipeline must hold, said by the world alone: what an analyst sees in Google Ads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sandbox.google.entity_truth import ENTITIES, places, quality
from sandbox.world import Account, Fact, Metrics, World

TABLES = (
    "customer",
    "campaign",
    "campaign_budget",
    "ad_group",
    "ad",
    "keyword",
    "campaign_daily",
    "ad_group_daily",
    "ad_daily",
    "keyword_daily",
    "search_term_daily",
    "account_daily",
    "conversion_action",
    "campaign_conversion_action_daily",
    "ad_group_conversion_action_daily",
)
FURTHER = (
    "campaign_search_term_daily",
    "asset_group",
    "asset_group_daily",
    "geo_daily",
    "geo_target_constant",
    "campaign_device_network_daily",
    "campaign_hourly",
    "age_range_daily",
    "gender_daily",
)
"""The tables of groups that are not loaded unless they are asked for."""
_MANAGER = "9474097201"
_MILLION = Decimal(1_000_000)


def truth(world: World, table: str, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """The rows of a table after a run at `world.as_of`; `first` and `last` bound the days of a daily table."""
    if table == "customer":
        return [_customer(account, place) for place, account in enumerate(world.accounts("google"))]
    if table == "geo_target_constant":
        return places()
    if table not in ENTITIES and (table in FURTHER or "_conversion_action_" in table):
        from sandbox.google.report_truth import table_truth  # noqa: PLC0415 - which is made of this module

        return table_truth(world, table, first, last)
    rows: list[dict[str, Any]] = []
    for account in world.accounts("google"):
        if account.closed:
            continue
        if table == "account_daily":
            rows += _account_days(world, account, first, last)
        elif table.endswith("_daily"):
            rows += _reported(world, account, table, first, last)
        else:
            rows += ({"account_id": account.id, **row} for row in ENTITIES[table](world, account))
    return rows


def _customer(account: Account, place: int) -> dict[str, Any]:
    """Every second account hangs below a second manager, which itself hangs below the first."""
    return {
        "account_id": account.id,
        "descriptive_name": account.name,
        "currency_code": account.currency,
        "time_zone": account.timezone,
        "status": "CANCELED" if account.closed or account.ended_on else "ENABLED",
        "is_test_account": False,
        "is_hidden": account.closed,
        "manager_level": 1 + place % 2,
        "manager_customer_id": _MANAGER,
    }


def _reported(world: World, account: Account, table: str, first: dt.date, last: dt.date) -> Iterable[dict[str, Any]]:
    facts = {
        "campaign_daily": world.campaign_facts,
        "ad_group_daily": world.group_facts,
        "ad_daily": world.ad_facts,
        "keyword_daily": world.keyword_facts,
        "search_term_daily": world.search_term_facts,
    }[table](account, first, last)
    if table == "search_term_daily":
        facts = iter(by_search_term(facts))
    for fact in facts:
        yield {
            "account_id": account.id,
            "date": fact.day,
            "campaign_id": str(fact.campaign.id),
            "campaign_name": fact.campaign.name,
            **_below_campaign(fact),
            **metrics_of(fact.metrics),
            **_shares(table, fact),
            "currency_code": account.currency,
            "is_final": fact.day < world.today(account),
        }


def _account_days(world: World, account: Account, first: dt.date, last: dt.date) -> Iterable[dict[str, Any]]:
    days: dict[dt.date, Metrics] = {}
    for fact in world.ad_facts(account, first, last):
        total = days.setdefault(fact.day, Metrics())
        total += fact.metrics
    for day, metrics in days.items():
        yield {
            "account_id": account.id,
            "date": day,
            **{name: value for name, value in metrics_of(metrics).items() if not name.startswith("video")},
            "currency_code": account.currency,
            "is_final": day < world.today(account),
        }


def by_search_term(facts: Iterable[Fact]) -> Iterable[Fact]:
    """Google tells how a term met a keyword, but not which keyword: equal ones are one row."""
    rows: dict[tuple[Any, ...], Fact] = {}
    for fact in facts:
        assert fact.group is not None
        key = (fact.day, fact.group.id, fact.search_term, match_type(fact))
        if key in rows:
            total = rows[key].metrics
            total += fact.metrics
        else:
            rows[key] = fact
    return rows.values()


def match_type(fact: Fact) -> str:
    assert fact.keyword is not None
    exact = fact.keyword.match == "EXACT" and fact.search_term != fact.keyword.text
    return "NEAR_EXACT" if exact else fact.keyword.match


def _below_campaign(fact: Fact) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if fact.group is not None:
        row |= {"ad_group_id": str(fact.group.id), "ad_group_name": fact.group.name}
    if fact.ad is not None:
        row |= {"ad_id": str(fact.ad.id), "ad_name": fact.ad.name if fact.campaign.video else None}
    if fact.search_term is not None:
        match = match_type(fact)
        status = "ADDED" if match == "EXACT" else "NONE"
        row |= {"search_term": fact.search_term, "search_term_match_type": match, "search_term_status": status}
    elif fact.keyword is not None:
        keyword = fact.keyword
        row |= {"criterion_id": str(keyword.id), "keyword_text": keyword.text, "match_type": keyword.match}
        row["historical_quality_score"] = quality(keyword.id, keyword.match)
    return row


def metrics_of(metrics: Metrics) -> dict[str, Any]:
    quartiles = [None] * 4
    if metrics.video_views and metrics.video_quartiles:
        quartiles = [count / metrics.video_views for count in metrics.video_quartiles]  # type: ignore[misc]  # None or all
    return {
        "impressions": metrics.impressions,
        "clicks": metrics.clicks,
        "cost": metrics.cost_micros / _MILLION,
        "conversions": metrics.conversions_centi / 100,
        "conversions_value": metrics.value_micros / 1_000_000,
        "all_conversions": (metrics.conversions_centi + metrics.leads * 100) / 100,
        "all_conversions_value": (metrics.value_micros + metrics.leads * 2_500_000) / 1_000_000,
        "view_through_conversions": metrics.view_through,
        "interactions": metrics.clicks + (metrics.video_views or 0),
        "engagements": metrics.engagements,
        "video_trueview_views": metrics.video_views,
        "video_quartile_p25_rate": quartiles[0],
        "video_quartile_p50_rate": quartiles[1],
        "video_quartile_p75_rate": quartiles[2],
        "video_quartile_p100_rate": quartiles[3],
    }


def _shares(table: str, fact: Fact) -> dict[str, Any]:
    shown = fact.metrics.impressions
    row: dict[str, Any] = {
        "top_impression_percentage": shown * 3 // 4 / shown,
        "absolute_top_impression_percentage": shown // 3 / shown,
    }
    if table in ("ad_daily", "search_term_daily"):
        return row
    search = not fact.campaign.video
    row["search_impression_share"] = max(0.0999, shown / (shown * 2 + 700)) if search else None
    row["search_rank_lost_impression_share"] = min(0.9001, 700 / (shown * 2 + 700)) if search else None
    if table == "campaign_daily":
        row["search_budget_lost_impression_share"] = shown / (shown * 2 + 700) if search else None
    return row
