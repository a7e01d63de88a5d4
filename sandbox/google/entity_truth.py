"""What the entity tables of the Google pipeline must hold, said by the world alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sandbox.google import asset_groups
from sandbox.google.conversions import conversion_actions
from sandbox.google.places import PLACES
from sandbox.world import Account, Ad, Group, World

_MILLION = Decimal(1_000_000)


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
                    "quality_score": quality(keyword.id, keyword.match),
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


def quality(criterion_id: int, match: str) -> int | None:
    return None if match == "BROAD" else 3 + criterion_id % 7


ENTITIES: dict[str, Callable[[World, Account], Iterable[dict[str, Any]]]] = {
    "campaign": _campaigns,
    "campaign_budget": _budgets,
    "ad_group": _ad_groups,
    "ad": _ads,
    "keyword": _keywords,
    "conversion_action": _conversion_actions,
    "asset_group": _asset_groups,
}
"""Account by account."""


def places() -> list[dict[str, Any]]:
    """The names that are not of cities, the same for all accounts."""
    return [
        {
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
        for place in PLACES
        if place.type != "City"
    ]
