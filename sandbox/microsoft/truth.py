"""What the tables must hold after a run at `world.as_of`: the numbers of Microsoft's own user interface."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sandbox.world import Account, Ad, Campaign, Fact, Group, Metrics, World

_PLATFORM = "microsoft"
_MICROSOFT_ZONES = {
    "Europe/Berlin": "AmsterdamBerlinBernRomeStockholmVienna",
    "America/Los_Angeles": "PacificTimeUSCanadaTijuana",
    "Asia/Tokyo": "OsakaSapporoTokyo",
    "America/Sao_Paulo": "Brasilia",
    "Asia/Kolkata": "ChennaiKolkataMumbaiNewDelhi",
    "Australia/Sydney": "CanberraMelbourneSydney",
    "Europe/London": "GreenwichMeanTimeDublinEdinburghLisbonLondon",
    "America/New_York": "EasternTimeUSCanada",
}
_SHARES = (
    "impression_share_percent",
    "impression_lost_to_budget_percent",
    "impression_lost_to_rank_agg_percent",
    "exact_match_impression_share_percent",
    "click_share_percent",
    "top_impression_share_percent",
    "absolute_top_impression_share_percent",
    "top_impression_rate_percent",
    "absolute_top_impression_rate_percent",
)

Row = dict[str, Any]


def truth(world: World, table: str, first: dt.date, last: dt.date) -> list[Row]:
    """The rows of a table; those of a daily one with `date` from `first` to `last`. Raises KeyError for no table."""
    if table == "account":
        return [_account(account) for account in world.accounts(_PLATFORM)]
    live = [account for account in world.accounts(_PLATFORM) if not account.closed]
    entities = _ENTITIES | _OF_GROUPS
    if table in entities:
        return [row for account in live for row in entities[table](world, account)]
    if table in (*CONVERSIONS, *FURTHER):
        from sandbox.microsoft.report_truth import FURTHER as ASKED  # noqa: PLC0415 - which is made of this module
        from sandbox.microsoft.report_truth import rows  # noqa: PLC0415 - the same

        return rows(world, ASKED[table], first, last)
    facts, describe = _DAILY[table]
    return [
        {
            "account_id": account.id,
            "date": fact.day,
            **describe(world, account, fact),
            "currency_code": account.currency,
            "is_final": fact.day < world.today(account),
        }
        for account in live
        for fact in facts(world, account, first, last)
    ]


def _account(account: Account) -> Row:
    return {
        "account_id": account.id,
        "account_number": "F" + account.id[-7:],
        "account_name": account.name,
        "customer_id": "900001" if account.campaigns else "900002",
        "currency_code": account.currency,
        "time_zone": _MICROSOFT_ZONES[account.timezone],
        "iana_time_zone": account.timezone,
        "status": "Inactive" if account.closed else "Active",
        "financial_status": "ClearFinancialStatus",
        "pause_reason": 1 if account.closed else None,
        "language": "English",
    }


def _live_campaigns(world: World, account: Account) -> Iterator[Campaign]:
    """Microsoft's user interface hides deleted campaigns, and its API does not give them."""
    yield from (each for each in account.campaigns if each.status(world.today(account)) != "removed")


def _campaigns(world: World, account: Account) -> Iterator[Row]:
    for campaign in _live_campaigns(world, account):
        yield {
            "account_id": account.id,
            "campaign_id": str(campaign.id),
            "campaign_name": campaign.name,
            "campaign_type": _campaign_type(campaign),
            "sub_type": None,
            "status": "Paused" if campaign.status(world.today(account)) == "paused" else "Active",
            "budget_type": "DailyBudgetStandard",
            "budget_id": None,
            "daily_budget": _units(campaign.budget_micros),
            "currency_code": account.currency,
            "bidding_scheme": "EnhancedCpc",
            "bid_strategy_id": None,
            "time_zone": "EasternTimeUSCanada",
            "languages": ["English", "German"],
            "tracking_url_template": f"{{lpurl}}?utm_source=bing&utm_campaign={campaign.id}",
            "final_url_suffix": None,
        }


def _groups_of(world: World, account: Account) -> Iterator[tuple[Campaign, Group]]:
    for campaign in _live_campaigns(world, account):
        for group in campaign.groups:
            yield campaign, group


def _groups(world: World, account: Account) -> Iterator[Row]:
    for campaign, group in _groups_of(world, account):
        yield {
            "account_id": account.id,
            "campaign_id": str(campaign.id),
            "ad_group_id": str(group.id),
            "ad_group_name": group.name,
            "ad_group_type": "SearchStandard",
            "status": "Paused" if group.paused else "Active",
            "cpc_bid": _units(350_000 + 10_000 * (group.id % 7)),
            "currency_code": account.currency,
            "bidding_scheme": "InheritFromParent",
            "network": "OwnedAndOperatedAndSyndicatedSearch",
            "language": "English",
            "start_date": campaign.start,
            "end_date": None,
            "tracking_url_template": None,
            "final_url_suffix": None,
        }


def _ads(world: World, account: Account) -> Iterator[Row]:
    for campaign, group in _groups_of(world, account):
        for ad in group.ads:
            kind = _ad_type(campaign, ad)
            expanded = kind == "ExpandedText"
            yield {
                "account_id": account.id,
                "campaign_id": str(campaign.id),
                "ad_group_id": str(group.id),
                "ad_id": str(ad.id),
                "ad_title": ad.name,
                "ad_type": kind,
                "status": "Paused" if ad.paused else "Active",
                "editorial_status": "Active",
                "title_part1": ad.name if expanded else None,
                "title_part2": "Free delivery" if expanded else None,
                "title_part3": None,
                "text": "Buy now" if expanded else None,
                "headlines": None if expanded else [ad.name, "Free delivery"],
                "descriptions": None if expanded else ["Buy now"],
                "path1": None if kind == "ResponsiveAd" else "sale",
                "path2": None,
                "final_urls": [f"https://shop.example/{ad.id}?a=1&b=2"],
                "tracking_url_template": None,
                "final_url_suffix": None,
            }


def _keywords(world: World, account: Account) -> Iterator[Row]:
    for campaign, group in _groups_of(world, account):
        for n, keyword in enumerate(group.keywords):
            number = group.id * 100 + n
            yield {
                "account_id": account.id,
                "campaign_id": str(campaign.id),
                "ad_group_id": str(group.id),
                "keyword_id": str(number),
                "keyword_text": keyword.text,
                "match_type": keyword.match.capitalize(),
                "status": "Active",
                "editorial_status": "Active",
                "bid": Decimal("0.42") if number % 2 else None,
                "currency_code": account.currency,
                "final_urls": None,
                "tracking_url_template": None,
                "final_url_suffix": None,
            }


def _asset_groups(world: World, account: Account) -> Iterator[Row]:
    for campaign, group in _groups_of(world, account):
        if _campaign_type(campaign) == "PerformanceMax":
            yield {
                "account_id": account.id,
                "campaign_id": str(campaign.id),
                "asset_group_id": f"{group.id}8",
                "asset_group_name": f"Assets of {group.name}",
                "status": "Paused" if group.paused else "Active",
                "editorial_status": ("Active", "ActiveLimited")[group.id % 2],
                "start_date": campaign.start,
                "end_date": None,
                "business_name": "Shops & Co",
                "call_to_action": "ShopNow",
                "headlines": [group.name, "Free delivery"],
                "long_headlines": ["Free delivery, every day; whatever the weather"],
                "descriptions": ["Buy now", "While stocks last"],
                "path1": "sale",
                "path2": None,
                "final_urls": [f"https://shop.example/assets/{group.id}?a=1&b=2"],
                "tracking_url_template": f"{{lpurl}}?assets={group.id}",
                "final_url_suffix": None,
            }


def _of_campaign(fact: Fact) -> Row:
    return {"campaign_id": str(fact.campaign.id), "campaign_name": fact.campaign.name}


def _of_group(fact: Fact) -> Row:
    assert fact.group is not None
    return {**_of_campaign(fact), "ad_group_id": str(fact.group.id), "ad_group_name": fact.group.name}


def _campaign_day(world: World, account: Account, fact: Fact) -> Row:
    status = fact.campaign.status(world.today(account))
    return {
        **_of_campaign(fact),
        "campaign_status": {"enabled": "Active", "paused": "Paused", "removed": "Deleted"}[status],
        "campaign_type": _campaign_type(fact.campaign),
        **_metrics(fact.metrics),
        **_view_through(fact.metrics),
        **_whole_conversions(fact.metrics),
        **_video(fact.metrics),
    }


def _account_day(_: World, __: Account, fact: Fact) -> Row:
    return {**_metrics(fact.metrics), **_view_through(fact.metrics), **_video(fact.metrics)}


def _account_facts(world: World, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
    """The sums of each day's campaigns; which campaign stands in them says nothing."""
    days: dict[dt.date, Fact] = {}
    for fact in world.campaign_facts(account, first, last):
        total = days.setdefault(fact.day, dataclasses.replace(fact, metrics=Metrics())).metrics
        total += fact.metrics
    yield from days.values()


def _share_day(_: World, __: Account, fact: Fact) -> Row:
    shares = {name: _share(fact, n) for n, name in enumerate(_SHARES)}
    return {**_of_campaign(fact), "impressions": fact.metrics.impressions, **shares}


def _share(fact: Fact, salt: int) -> float | None:
    """A made-up share in percent, unknown on one day of seven."""
    day = fact.day.toordinal()
    if not (fact.campaign.id + day + salt) % 7:
        return None
    return ((fact.campaign.id * 7 + day * 13 + salt * 101) % 9_000 + 500) / 100


def _group_day(_: World, __: Account, fact: Fact) -> Row:
    assert fact.group is not None
    return {
        **_of_group(fact),
        "ad_group_status": "Paused" if fact.group.paused else "Active",
        **_metrics(fact.metrics),
        **_view_through(fact.metrics),
        **_video(fact.metrics),
    }


def _ad_day(_: World, __: Account, fact: Fact) -> Row:
    assert fact.ad is not None
    return {
        **_of_group(fact),
        "ad_id": str(fact.ad.id),
        "ad_title": fact.ad.name,
        "ad_type": f"{_ad_type(fact.campaign, fact.ad)} ad",
        "ad_status": "Paused" if fact.ad.paused else "Active",
        **_metrics(fact.metrics),
        **_view_through(fact.metrics),
        **_video(fact.metrics),
    }


def _keyword_day(_: World, __: Account, fact: Fact) -> Row:
    assert fact.group is not None and fact.keyword is not None
    place = fact.group.keywords.index(fact.keyword)
    score = (fact.group.id + place + fact.day.toordinal()) % 12
    return {
        **_of_group(fact),
        "keyword_id": str(fact.group.id * 100 + place),
        "keyword_text": fact.keyword.text,
        "keyword_status": "Active",
        "historical_quality_score": score if 1 <= score <= 10 else None,
        **_metrics(fact.metrics),
        **_view_through(fact.metrics),
    }


def _query_day(_: World, __: Account, fact: Fact) -> Row:
    assert fact.group is not None and fact.keyword is not None
    return {
        **_of_group(fact),
        "keyword_id": str(fact.group.id * 100 + fact.group.keywords.index(fact.keyword)),
        "keyword_text": fact.keyword.text,
        "search_query": fact.search_term,
        **_metrics(fact.metrics),
    }


def _metrics(m: Metrics) -> Row:
    return {
        "impressions": m.impressions,
        "clicks": m.clicks,
        "spend": _units(m.cost_micros),
        "conversions": 0.0,
        "conversions_qualified": m.conversions_centi / 100,
        "revenue": _units(m.value_micros),
        "all_conversions": 0.0,
        "all_conversions_qualified": (m.conversions_centi + 100 * m.view_through) / 100,
        "all_revenue": _units(m.value_micros + m.value_micros // 10),
        "assists": m.leads,
    }


def _view_through(m: Metrics) -> Row:
    return {
        "view_through_conversions": 0,
        "view_through_conversions_qualified": float(m.view_through),
        "view_through_revenue": _units(m.value_micros // 20),
    }


def _whole_conversions(m: Metrics) -> Row:
    """The deprecated columns, which the campaign report alone still fills."""
    return {
        "conversions": float(m.conversions_centi // 100),
        "all_conversions": float(m.conversions_centi // 100 + m.view_through),
        "view_through_conversions": m.view_through,
    }


def _video(m: Metrics) -> Row:
    quartiles: tuple[int | None, ...] = m.video_quartiles or (None,) * 4
    return {
        "video_views": m.video_views,
        "video_views_at25_percent": quartiles[0],
        "video_views_at50_percent": quartiles[1],
        "video_views_at75_percent": quartiles[2],
        "completed_video_views": quartiles[3],
        "total_watch_time_in_ms": None if m.video_views is None else m.video_views * 1500,
    }


def _ad_type(campaign: Campaign, ad: Ad) -> str:
    """Ads of audience campaigns are responsive ones, whose subtype says whether they are video, display or HTML5."""
    if campaign.video:
        return "ResponsiveAd"
    return "ExpandedText" if ad.id % 2 else "ResponsiveSearch"


def _campaign_type(campaign: Campaign) -> str:
    if campaign.video:
        return "Audience"
    return "Search" if campaign.id % 100 % 3 else "PerformanceMax"


def entity_values(world: World, account: Account, fact: Fact) -> Row:
    """What is known of the things that a fact is about, by the names of our columns."""
    status = fact.campaign.status(world.today(account))
    known = {
        **_of_campaign(fact),
        "account_name": account.name,
        "campaign_status": {"enabled": "Active", "paused": "Paused", "removed": "Deleted"}[status],
        "campaign_type": _campaign_type(fact.campaign),
    }
    if fact.group is not None:
        known |= {**_of_group(fact), "ad_group_status": "Paused" if fact.group.paused else "Active"}
        known |= {
            "asset_group_id": f"{fact.group.id}8",
            "asset_group_name": f"Assets of {fact.group.name}",
            "asset_group_status": known["ad_group_status"],
        }
    if fact.ad is not None:
        known |= {"ad_id": str(fact.ad.id), "ad_title": fact.ad.name}
    if fact.group is not None and fact.keyword is not None:
        place = fact.group.keywords.index(fact.keyword)
        known |= {"keyword_id": str(fact.group.id * 100 + place), "keyword_text": fact.keyword.text}
    return known | {"search_query": fact.search_term}


def account_numbers(metrics: Metrics) -> Row:
    """The numbers of a row of any report but the campaign's."""
    return {**_metrics(metrics), **_view_through(metrics)}


def asset_group_facts(world: World, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
    """What the ad groups of Performance Max campaigns have in the world is what asset groups have here."""
    for fact in world.group_facts(account, first, last):
        if _campaign_type(fact.campaign) == "PerformanceMax":
            yield fact


def asset_group_numbers(metrics: Metrics) -> Row:
    """The same of asset groups, whose report has one column of conversions."""
    return {**account_numbers(metrics), "conversions": metrics.conversions_centi / 100}


def campaign_numbers(metrics: Metrics) -> Row:
    """The same of the campaign report, which alone fills the deprecated columns."""
    return {**account_numbers(metrics), **_whole_conversions(metrics)}


def video_numbers(metrics: Metrics) -> Row:
    """The numbers of videos, null where nothing is one."""
    return _video(metrics)


def _units(micros: int) -> Decimal:
    return Decimal(micros) / 1_000_000


_ENTITIES: dict[str, Callable[[World, Account], Iterator[Row]]] = {
    "campaign": _campaigns,
    "ad_group": _groups,
    "ad": _ads,
    "keyword": _keywords,
}
_OF_GROUPS = {"asset_group": _asset_groups}
_Facts = Callable[[World, Account, dt.date, dt.date], Iterator[Fact]]
_DAILY: dict[str, tuple[_Facts, Callable[[World, Account, Fact], Row]]] = {
    "campaign_daily": (World.campaign_facts, _campaign_day),
    "campaign_impression_share_daily": (World.campaign_facts, _share_day),
    "ad_group_daily": (World.group_facts, _group_day),
    "ad_daily": (World.ad_facts, _ad_day),
    "keyword_daily": (World.keyword_facts, _keyword_day),
    "search_query_daily": (World.search_term_facts, _query_day),
    "account_daily": (_account_facts, _account_day),
}
CONVERSIONS = ("conversion_goal_daily", "campaign_goal_daily")
FURTHER = (
    *("geographic_daily", "campaign_device_daily", "campaign_hourly", "age_gender_daily"),
    *("professional_demographics_daily", "asset_group", "asset_group_daily"),
)
"""The tables of groups that are not loaded unless they are asked for."""
TABLES: tuple[str, ...] = ("account", *_ENTITIES, *_DAILY, *CONVERSIONS)
