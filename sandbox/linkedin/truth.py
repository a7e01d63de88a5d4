"""What an analyst would see in LinkedIn's Campaign Manager: the rows that the tables must hold after a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.linkedin.breakdowns import BREAKDOWNS
from sandbox.linkedin.numbers import counts, creative_name, metrics_of, utc_today
from sandbox.linkedin.report_truth import report_truth
from sandbox.world import Account, Ad, Campaign, Fact, Group, World

TABLES = (
    "account",
    "campaign_group",
    "campaign",
    "creative",
    "conversion",
    "campaign_group_daily",
    "campaign_daily",
    "creative_daily",
    "account_daily",
    "campaign_conversion_daily",
)
"""Those that are loaded unless a setting says otherwise."""
FURTHER = tuple(name for name in BREAKDOWNS if name not in TABLES)

_MILLION = Decimal(1_000_000)
_STATUS = {"enabled": "ACTIVE", "paused": "PAUSED", "removed": "ARCHIVED"}


def truth(world: World, table: str, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """The rows of a table after a run at `world.as_of`; days count from `first` to `last`, entities have no days."""
    if table in BREAKDOWNS:
        return report_truth(world, BREAKDOWNS[table], first, last)
    return [row for account in world.accounts("linkedin") for row in _rows(world, account, table, first, last)]


def _rows(world: World, account: Account, table: str, first: dt.date, last: dt.date) -> Iterator[dict[str, Any]]:
    today = utc_today(world)
    if table.endswith("_daily"):
        yield from _daily(world, account, table, (first, min(last, today)))
    elif table == "account":
        yield _account(account)
    elif table == "conversion":
        if account.campaigns:
            yield _conversion(account)
    else:
        for campaign in account.campaigns:
            if table == "campaign_group":
                yield _campaign_group(account, campaign, today)
            for group in campaign.groups:
                if table == "campaign":
                    yield _campaign(account, campaign, group)
                if table == "creative":
                    yield from (_creative(account, campaign, group, ad) for ad in group.ads)


def _account(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "name": account.name,
        "currency": account.currency,
        "status": "CANCELED" if account.closed else "ACTIVE",
        "type": "BUSINESS",
        "reference": f"urn:li:organization:{account.id[-5:].lstrip('0')}",
        "test": False,
        "serving_statuses": ["STOPPED" if account.closed else "RUNNABLE"],
        "created_at": _instant(dt.date(2021, 3, 1), 1, 123),
        "last_modified_at": _instant(dt.date(2021, 3, 1), 2, 123),
    }


def _campaign_group(account: Account, campaign: Campaign, today: dt.date) -> dict[str, Any]:
    status = campaign.status(today)
    return {
        "account_id": account.id,
        "campaign_group_id": str(campaign.id),
        "name": campaign.name,
        "status": _STATUS[status],
        "objective_type": None,
        "daily_budget": None,
        "total_budget": campaign.budget_micros * 30 / _MILLION if campaign.id % 2 else None,
        "run_start": _instant(campaign.start, 0),
        "run_end": _instant(campaign.removed_on, 0) if campaign.removed_on else None,
        "test": False,
        "serving_statuses": ["RUNNABLE" if status == "enabled" else "STOPPED"],
        "created_at": _instant(campaign.start, 4, 123),
        "last_modified_at": _instant(campaign.start, 5, 123),
    }


def _campaign(account: Account, campaign: Campaign, group: Group) -> dict[str, Any]:
    video = campaign.video
    return {
        "account_id": account.id,
        "campaign_id": str(group.id),
        "campaign_group_id": str(campaign.id),
        "name": group.name,
        "status": "PAUSED" if group.paused else "ACTIVE",
        "type": "SPONSORED_UPDATES",
        "format": "SINGLE_VIDEO" if video else "STANDARD_UPDATE",
        "objective_type": "VIDEO_VIEW" if video else "WEBSITE_VISIT",
        "cost_type": "CPV" if video else "CPM",
        "optimization_target_type": "MAX_VIDEO_VIEW" if video else "MAX_CLICK",
        "creative_selection": "OPTIMIZED",
        "pacing_strategy": None,
        "locale_country": "US",
        "locale_language": "en",
        "daily_budget": campaign.budget_micros / _MILLION,
        "total_budget": None,
        "unit_cost": Decimal(0),
        "run_start": _instant(campaign.start, 0),
        "run_end": None,
        "audience_expansion_enabled": False,
        "offsite_delivery_enabled": True,
        "associated_entity": None,
        "targeting_criteria": {
            "include": {"and": [{"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}}]}
        },
        "test": False,
        "serving_statuses": ["RUNNABLE"],
        "created_at": _instant(campaign.start, 5, 123),
        "last_modified_at": _instant(campaign.start, 6, 123),
    }


def _creative(account: Account, campaign: Campaign, group: Group, ad: Ad) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "creative_id": str(ad.id),
        "campaign_id": str(group.id),
        "name": creative_name(ad),
        "status": "PAUSED" if ad.paused else "ACTIVE",
        "is_serving": not ad.paused,
        "serving_hold_reasons": ["STOPPED"] if ad.paused else None,
        "review_status": "APPROVED",
        "content": {"reference": f"urn:li:share:{ad.id}"},
        "test": False,
        "created_at": _instant(campaign.start, 1),
        "last_modified_at": _instant(campaign.start, 2, ad.id % 1000),
    }


def _conversion(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "conversion_id": account.id[-6:].lstrip("0"),
        "name": "Order placed",
        "type": "PURCHASE",
        "conversion_method": "CONVERSIONS_API",
        "enabled": True,
        "attribution_type": "LAST_TOUCH_BY_CAMPAIGN",
        "post_click_attribution_window_size": 30,
        "view_through_attribution_window_size": 7,
        "value_type": "FIXED",
        "value": Decimal("12.50"),
        "value_currency": account.currency,
        "created_at": _instant(dt.date(2021, 3, 1), 0),
        "last_modified_at": _instant(dt.date(2021, 3, 1), 1),
    }


def _daily(world: World, account: Account, table: str, days: tuple[dt.date, dt.date]) -> Iterator[dict[str, Any]]:
    """Each level is the sum of its creatives' days, which are whole numbers."""
    totals: dict[tuple[dt.date, int], tuple[Fact, dict[str, Any]]] = {}
    for fact in world.ad_facts(account, *days):
        shown = _at_level(fact, table)
        lowest = 0 if table == "account_daily" else (shown.ad or shown.group or shown.campaign).id
        _, sums = totals.setdefault((fact.day, lowest), (shown, {}))
        for name, value in counts(fact.metrics, account.currency).items():
            sums[name] = value if sums.get(name) is None else sums[name] + (value or 0)
    for (day, _), (fact, sums) in totals.items():
        yield {
            "account_id": account.id,
            "date": day,
            **(_names(fact) if table != "account_daily" else {}),
            **metrics_of(sums),
            "currency": account.currency,
            "is_final": day < utc_today(world),
        }


def _at_level(fact: Fact, table: str) -> Fact:
    group = fact.group if table in ("campaign_daily", "creative_daily") else None
    ad = fact.ad if table == "creative_daily" else None
    return Fact(fact.day, fact.campaign, group, ad, None, None, fact.metrics)


def _names(fact: Fact) -> dict[str, str | None]:
    names: dict[str, str | None] = {
        "campaign_group_id": str(fact.campaign.id),
        "campaign_group_name": fact.campaign.name,
    }
    if fact.group:
        names |= {"campaign_id": str(fact.group.id), "campaign_name": fact.group.name}
    if fact.ad:
        names |= {"creative_id": str(fact.ad.id), "creative_name": creative_name(fact.ad)}
    return names


def _instant(day: dt.date, hours: int, milliseconds: int = 0) -> dt.datetime:
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    return midnight + dt.timedelta(hours=hours, milliseconds=milliseconds)
