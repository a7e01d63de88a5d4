"""What the tables of the Google pipeline must hold, said by the world alone: what an analyst sees in Google Ads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sandbox.google import asset_groups
from sandbox.google.conversions import conversion_actions
from sandbox.google.places import PLACES, Place
from sandbox.world import Account, Ad, Fact, Group, Metrics, World

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
        return [_place(place) for place in PLACES if place.type != "City"]
    if table not in _ENTITIES and (table in FURTHER or "_conversion_action_" in table):
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
            rows += ({"account_id": account.id, **row} for row in _ENTITIES[table](world, account))
    return rows


def _place(place: Place) -> dict[str, Any]:
    return {
        "geo_target_id": str(place.id),
        "geo_target_constant": f"geoTargetConstants/{place.id}",
        "geo_target_name": place.name,
        "canonical_name": place.canonical,
        "target_type": place.type,
        "country_code": place.country,
        "parent_geo_target": f"geoTargetConstants/{place.parent}" if place.parent else None,
        "status": "REMOVAL_PLANNED" if place.is_removed else "ENABLED",
        "language": "en",
    }


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


def _campaigns(world: World, account: Account) -> Iterable[dict[str, Any]]:
    for campaign in account.campaigns:
        yield {
            "campaign_id": str(campaign.id),
            "campaign_name": campaign.name,
            "status": campaign.status(world.today(account)).upper(),
            "serving_status": "ENDED" if campaign.removed_on else "SERVING",
            "advertising_channel_type": "VIDEO" if campaign.video else "SEARCH",
            "advertising_channel_sub_type": "VIDEO_ACTION" if campaign.video else None,
            "bidding_strategy_type": "MAXIMIZE_CONVERSIONS" if campaign.video else "MANUAL_CPC",
            "campaign_budget_id": f"{campaign.id}1",
            "start_date_time": f"{campaign.start} 00:00:00",
            "end_date_time": f"{campaign.removed_on} 23:59:59" if campaign.removed_on else None,
        }


def _budgets(world: World, account: Account) -> Iterable[dict[str, Any]]:
    for campaign in account.campaigns:
        removed = campaign.status(world.today(account)) == "removed"
        yield {
            "campaign_budget_id": f"{campaign.id}1",
            "campaign_budget_name": f"Budget of {campaign.name}",
            "status": "REMOVED" if removed else "ENABLED",
            "amount": campaign.budget_micros / _MILLION,
            "total_amount": None,
            "period": "DAILY",
            "delivery_method": "STANDARD",
            "is_shared": False,
            "reference_count": 0 if removed else 1,
        }


def _status(each: Group | Ad, on: dt.date) -> str:
    if each.removed(on):
        return "REMOVED"
    return "PAUSED" if each.paused else "ENABLED"


def _ad_groups(world: World, account: Account) -> Iterable[dict[str, Any]]:
    for campaign in account.campaigns:
        for group in campaign.groups:
            yield {
                "campaign_id": str(campaign.id),
                "ad_group_id": str(group.id),
                "ad_group_name": group.name,
                "status": _status(group, world.today(account)),
                "ad_group_type": "VIDEO_RESPONSIVE" if campaign.video else "SEARCH_STANDARD",
                "cpc_bid": None if campaign.video else 10_000 * (1 + group.id % 97) / _MILLION,
                "target_cpa": None,
                "target_roas": None,
            }


def _ads(world: World, account: Account) -> Iterable[dict[str, Any]]:
    for campaign in account.campaigns:
        for group in campaign.groups:
            for ad in group.ads:
                yield {
                    "campaign_id": str(campaign.id),
                    "ad_group_id": str(group.id),
                    "ad_id": str(ad.id),
                    "ad_name": ad.name if campaign.video else None,
                    "status": _status(ad, world.today(account)),
                    "ad_type": "VIDEO_RESPONSIVE_AD" if campaign.video else "RESPONSIVE_SEARCH_AD",
                    "ad_strength": None if campaign.video else "GOOD",
                    "approval_status": "APPROVED",
                    "final_urls": [] if campaign.video else [f"https://shop.example/{ad.id}?utm_source=google&q=ä"],
                }


def _keywords(world: World, account: Account) -> Iterable[dict[str, Any]]:
    for campaign in account.campaigns:
        for group in campaign.groups:
            ids = {"campaign_id": str(campaign.id), "ad_group_id": str(group.id)}
            for keyword in group.keywords:
                yield ids | {
                    "criterion_id": str(keyword.id),
                    "keyword_text": keyword.text,
                    "match_type": keyword.match,
                    "is_negative": False,
                    "status": "REMOVED" if keyword.removed(world.today(account)) else "ENABLED",
                    "approval_status": "APPROVED",
                    "cpc_bid": Decimal("1.230001") if keyword.match == "EXACT" else None,
                    "quality_score": _quality(keyword.id, keyword.match),
                }
            yield ids | {
                "criterion_id": "399999",
                "keyword_text": "free",
                "match_type": "PHRASE",
                "is_negative": True,
                "status": "ENABLED",
                "approval_status": None,
                "cpc_bid": None,
                "quality_score": None,
            }


def _conversion_actions(world: World, account: Account) -> Iterable[dict[str, Any]]:  # noqa: ARG001 - as of the others
    for action in conversion_actions(account):
        yield {
            "conversion_action_id": str(action.id),
            "conversion_action": f"customers/{account.id}/conversionActions/{action.id}",
            "conversion_action_name": action.name,
            "status": action.status,
            "category": action.category,
            "conversion_action_type": action.type,
            "origin": "WEBSITE",
            "is_primary_for_goal": action.is_primary,
            "is_in_conversions": action.is_primary,
            "counting_type": action.counting,
            "click_through_lookback_window_days": action.click_days,
            "view_through_lookback_window_days": action.view_days,
            "attribution_model": (
                "GOOGLE_SEARCH_ATTRIBUTION_DATA_DRIVEN" if action.is_primary else "GOOGLE_ADS_LAST_CLICK"
            ),
            "default_value": action.value,
            "default_currency_code": account.currency,
            "owner_customer": f"customers/{account.id}",
        }


def _asset_groups(world: World, account: Account) -> Iterable[dict[str, Any]]:
    for campaign, group in asset_groups.asset_groups(account):
        status = _status(group, world.today(account))
        yield {
            "campaign_id": str(campaign.id),
            "asset_group_id": str(asset_groups.number(group)),
            "asset_group_name": f"Assets of {group.name}",
            "status": status,
            "primary_status": "ELIGIBLE" if status == "ENABLED" else status,
            "primary_status_reasons": [] if status == "ENABLED" else [f"ASSET_GROUP_{status}"],
            "ad_strength": "GOOD",
            "final_urls": [f"https://shop.example/{group.id}", "https://shop.example/ä?a=1&b=2"],
            "final_mobile_urls": [],
            "path1": "shop",
            "path2": "",
        }


_ENTITIES: dict[str, Callable[[World, Account], Iterable[dict[str, Any]]]] = {
    "campaign": _campaigns,
    "campaign_budget": _budgets,
    "ad_group": _ad_groups,
    "ad": _ads,
    "keyword": _keywords,
    "conversion_action": _conversion_actions,
    "asset_group": _asset_groups,
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
        row["historical_quality_score"] = _quality(keyword.id, keyword.match)
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


def _quality(criterion_id: int, match: str) -> int | None:
    return None if match == "BROAD" else 3 + criterion_id % 7
