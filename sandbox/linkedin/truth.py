"""What an analyst would see in LinkedIn's Campaign Manager: the rows that the tables must hold after a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sandbox.linkedin.exchange import RATES
from sandbox.world import Account, Ad, Campaign, Fact, Group, Metrics, World

TABLES = (
    "account",
    "campaign_group",
    "campaign",
    "creative",
    "campaign_group_daily",
    "campaign_daily",
    "creative_daily",
    "account_daily",
)

_MILLION = Decimal(1_000_000)
_LEFT_OUT_AT_ZERO = (
    *("qualified_leads", "likes", "comments", "comment_likes", "shares", "follows", "reactions"),
    *("viral_impressions", "viral_clicks", "viral_total_engagements"),
)
_STATUS = {"enabled": "ACTIVE", "paused": "PAUSED", "removed": "ARCHIVED"}


def truth(world: World, table: str, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """The rows of a table after a run at `world.as_of`; days count from `first` to `last`, entities have no days."""
    return [row for account in world.accounts("linkedin") for row in _rows(world, account, table, first, last)]


def utc_today(world: World) -> dt.date:
    """LinkedIn's own day, for accounts of every country."""
    return world.as_of.astimezone(dt.UTC).date()


def _rows(world: World, account: Account, table: str, first: dt.date, last: dt.date) -> Iterator[dict[str, Any]]:
    today = utc_today(world)
    if table.endswith("_daily"):
        yield from _daily(world, account, table, (first, min(last, today)))
    elif table == "account":
        yield _account(account)
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


def creative_name(ad: Ad) -> str | None:
    return None if ad.id % 3 == 0 else ad.name


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


def counts(metrics: Metrics, currency: str) -> dict[str, int | Decimal | None]:
    """What one creative's day adds to each column that is a sum."""
    post_click = metrics.conversions_centi // 100
    engagements = metrics.engagements
    cost = metrics.cost_micros / _MILLION
    return {
        "impressions": metrics.impressions,
        "clicks": metrics.clicks,
        "landing_page_clicks": metrics.link_clicks,
        "cost_in_local_currency": cost + Decimal("1E-18") if metrics.clicks % 7 == 3 else cost,
        "cost_in_usd": cost * RATES[currency] / 10_000,
        "external_website_conversions": post_click + metrics.view_through,
        "external_website_post_click_conversions": post_click,
        "external_website_post_view_conversions": metrics.view_through,
        "conversion_value_in_local_currency": metrics.value_micros / _MILLION,
        "one_click_leads": metrics.leads,
        "one_click_lead_form_opens": 3 * metrics.leads,
        "qualified_leads": metrics.leads // 4,
        "total_engagements": engagements,
        "other_engagements": engagements // 20,
        "company_page_clicks": engagements // 15,
        **_video(metrics),
        "likes": engagements // 12,
        "comments": engagements // 40,
        "comment_likes": engagements // 90,
        "shares": engagements // 50,
        "follows": engagements // 60,
        "reactions": engagements // 10,
        "viral_impressions": metrics.impressions // 400,
        "viral_clicks": metrics.impressions // 9_000,
        "viral_total_engagements": metrics.impressions // 5_000,
    }


def metrics_of(sums: Mapping[str, Any]) -> dict[str, int | float | Decimal | None]:
    """The columns of a level, given its sums; reach and the average are made of the level's own numbers."""
    engagements = sums["total_engagements"]
    return {
        **sums,
        **{name: sums[name] or None for name in _LEFT_OUT_AT_ZERO},
        "approximate_member_reach": sums["impressions"] * 62 // 100 + 1,
        "average_dwell_time": engagements * 1.75 if engagements % 4 else None,
        **dict.fromkeys(("action_clicks", "sends", "opens")),
    }


def _video(metrics: Metrics) -> dict[str, int | Decimal | None]:
    views = metrics.video_views or None
    first, middle, third, full = metrics.video_quartiles or (None, None, None, None)
    return {
        "video_views": views,
        "video_starts": 2 * views if views else None,
        "video_first_quartile_completions": first,
        "video_midpoint_completions": middle,
        "video_third_quartile_completions": third,
        "video_completions": full,
        "full_screen_plays": views // 50 if views else None,
    }


def _instant(day: dt.date, hours: int, milliseconds: int = 0) -> dt.datetime:
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    return midnight + dt.timedelta(hours=hours, milliseconds=milliseconds)
