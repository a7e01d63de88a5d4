"""What the tables must hold after a run: the world's numbers as an analyst would read them in Ads Manager.

Computed from the world alone, apart from the server and the pipeline.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import Account, Ad, Campaign, Fact, Group, Metrics, World

Row = dict[str, Any]

TABLES = (
    "account",
    "campaign",
    "ad_set",
    "ad",
    "creative",
    "custom_conversion",
    "campaign_daily",
    "ad_set_daily",
    "ad_set_daily_actions",
    "ad_daily",
    "ad_daily_actions",
    "account_daily",
)
FURTHER = (
    "ad_daily_placement",
    "ad_daily_device",
    "ad_daily_age_gender",
    "ad_daily_country",
    "ad_daily_region",
    "campaign_hourly",
    "ad_daily_action_costs",
    "ad_set_daily_action_costs",
)
"""The tables of groups that are not loaded unless they are asked for."""

_SIX_DIGITS = Decimal("0.000001")
_SHARES = {"1d_click": 50, "7d_click": 80, "28d_click": 90}
"""Percent of the actions that fall into a click window, rounded down; what 28 days of clicks leave is 1d_view."""


def truth(world: World, table: str, first: dt.date, last: dt.date) -> list[Row]:
    """The rows of a table, with every column; `first` and `last` limit the days of a daily table."""
    if table not in (*TABLES, *FURTHER):
        raise ValueError(f"facebook has no table {table!r}")
    if table in FURTHER or table.endswith("_actions"):
        from sandbox.facebook.report_truth import table_truth  # noqa: PLC0415 - which is made of this module

        return table_truth(world, table, first, last)
    rows: list[Row] = []
    for account in world.accounts("facebook"):
        if table == "account":
            rows.append(_account(account))
        elif table == "custom_conversion":
            rows += _custom_conversions(world, account)
        elif not table.endswith("_daily"):
            rows += _entities(world, account, table)
        elif not account.closed:
            rows += _daily(world, account, table, first, last)
    return rows


def _account(account: Account) -> Row:
    named = bool(account.campaigns)
    return {
        "account_id": account.id,
        "name": account.name,
        "currency": account.currency,
        "timezone_name": account.timezone,
        "account_status": 101 if account.ended_on else 2 if account.closed else 1,
        "account_status_name": "CLOSED" if account.ended_on else "DISABLED" if account.closed else "ACTIVE",
        "disable_reason": 1 if account.closed else 0,
        "business_name": account.name + " GmbH" if named else None,
        "amount_spent": _from_cents(int(account.id) % 1_000_003, account),
        "spend_cap": _from_cents(123_456_789, account) if named else None,
        "balance": Decimal(0),
        "created_time": dt.datetime(2019, 3, 1, 17, tzinfo=dt.UTC),
    }


def _entities(world: World, account: Account, table: str) -> Iterator[Row]:
    for campaign in account.campaigns:
        gone = _gone(world, account, campaign)
        paused = campaign.status(world.today(account)) == "paused"
        if table == "campaign":
            yield _campaign(account, campaign, gone or ("PAUSED" if paused else "ACTIVE"))
        for group in campaign.groups:
            above = gone or ("CAMPAIGN_PAUSED" if paused else None)
            if table == "ad_set":
                yield _ad_set(account, campaign, group, above)
            for ad in group.ads if table in ("ad", "creative") else ():
                if table == "ad":
                    yield _ad(account, campaign, group, ad, above)
                else:
                    yield _creative(account, campaign, ad)


def _gone(world: World, account: Account, campaign: Campaign) -> str | None:
    """Accounts with an odd id delete a campaign they remove, the others archive it, with all that is in it."""
    if campaign.status(world.today(account)) != "removed":
        return None
    return ("ARCHIVED", "DELETED")[int(account.id) % 2]


def _campaign(account: Account, campaign: Campaign, status: str) -> Row:
    begun = _midnight(account, campaign.start)
    cents = campaign.budget_micros // _micros_of_a_cent(account)
    left = campaign.budget_micros // 2 // _micros_of_a_cent(account)
    return {
        "account_id": account.id,
        "campaign_id": str(campaign.id),
        "name": campaign.name,
        "objective": _objective(campaign),
        "status": status,
        "effective_status": status,
        "buying_type": "AUCTION",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "daily_budget": _from_cents(cents, account),
        "lifetime_budget": None,
        "budget_remaining": _from_cents(left, account),
        "spend_cap": None,
        "account_currency": account.currency,
        "start_time": begun,
        "stop_time": _midnight(account, campaign.paused_on) if campaign.paused_on else None,
        "created_time": begun,
        "updated_time": _midnight(account, campaign.paused_on) if campaign.paused_on else begun,
        "special_ad_categories": [],
    }


def _ad_set(account: Account, campaign: Campaign, group: Group, above: str | None) -> Row:
    own = "PAUSED" if group.paused else "ACTIVE"
    begun = _midnight(account, campaign.start)
    return {
        "account_id": account.id,
        "ad_set_id": str(group.id),
        "campaign_id": str(campaign.id),
        "name": group.name,
        "status": own,
        "effective_status": _shown_status(own, above),
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "billing_event": "IMPRESSIONS",
        "bid_strategy": None,
        "destination_type": "WEBSITE",
        "bid_amount": None,
        "daily_budget": None,
        "lifetime_budget": None,
        "budget_remaining": None,
        "account_currency": account.currency,
        "start_time": begun,
        "end_time": None,
        "created_time": begun,
        "updated_time": begun,
        "attribution_spec": [
            {"event_type": "CLICK_THROUGH", "window_days": 7},
            {"event_type": "VIEW_THROUGH", "window_days": 1},
        ],
        "promoted_object": {"pixel_id": account.id + "1", "custom_event_type": "PURCHASE"},
        "targeting": {"age_min": 18, "geo_locations": {"countries": ["DE", "AT"]}},
    }


def _ad(account: Account, campaign: Campaign, group: Group, ad: Ad, above: str | None) -> Row:
    own = "PAUSED" if ad.paused else "ACTIVE"
    begun = _midnight(account, campaign.start)
    return {
        "account_id": account.id,
        "ad_id": str(ad.id),
        "ad_set_id": str(group.id),
        "campaign_id": str(campaign.id),
        "name": ad.name,
        "status": own,
        "effective_status": _shown_status(own, above or ("ADSET_PAUSED" if group.paused else None)),
        "creative_id": str(ad.id * 10 + 7),
        "conversion_domain": None,
        "created_time": begun,
        "updated_time": begun,
        "tracking_specs": [{"action.type": ["offsite_conversion"], "fb_pixel": [account.id + "1"]}],
    }


def _shown_status(own: str, above: str | None) -> str:
    return above or own if above in ("ARCHIVED", "DELETED") or own == "ACTIVE" else own


def _creative(account: Account, campaign: Campaign, ad: Ad) -> Row:
    unknown = ("body", "link_url", "url_tags", "image_hash", "image_url", "video_id", "object_story_id")
    return {
        "account_id": account.id,
        "creative_id": str(ad.id * 10 + 7),
        "name": ad.name + " – creative",
        "status": "ACTIVE",
        "title": "Run & “fly”",
        "object_type": "VIDEO" if campaign.video else "SHARE",
        "call_to_action_type": "SHOP_NOW",
        "thumbnail_url": f"https://example.com/{ad.id}.jpg?a=1&b=2",
        **dict.fromkeys((*unknown, "effective_object_story_id", "asset_feed_spec")),
        "object_story_spec": {"page_id": "77", "link_data": {"link": "https://example.com/", "message": ad.name}},
    }


def _custom_conversions(world: World, account: Account) -> Iterator[Row]:
    """One that counts every other purchase, and one that is archived."""
    fired = _midnight(account, world.today(account)), _midnight(account, world.first_day)
    for archived in (False, True) if account.campaigns else ():
        number = f"{account.id}{6 if archived else 5}"
        yield {
            "account_id": account.id,
            "custom_conversion_id": number,
            "action_type": f"offsite_conversion.custom.{number}",
            "name": "Old" if archived else "Every other order, “VIP”",
            "description": None if archived else "Counted by hand",
            "custom_event_type": "PURCHASE",
            "event_source_type": "pixel",
            "rule": '{"and":[{"event":{"eq":"Purchase"}},{"or":[{"URL":{"i_contains":"/danke"}}]}]}',
            "default_conversion_value": Decimal("2.5") if archived else Decimal(0),
            "retention_days": 30,
            "is_archived": archived,
            "is_unavailable": False,
            "creation_time": dt.datetime(2024, 5, 2, 16, tzinfo=dt.UTC),
            "first_fired_time": None if archived else fired[1],
            "last_fired_time": None if archived else fired[0],
            "pixel_id": account.id + "1",
            "data_sources": [{"id": account.id + "1", "source_type": "PIXEL", "name": "Shop"}],
        }


def _daily(world: World, account: Account, table: str, first: dt.date, last: dt.date) -> Iterator[Row]:
    level = {"account_daily": 0, "campaign_daily": 1, "ad_set_daily": 2, "ad_daily": 3}[table]

    def place(fact: Fact) -> tuple[Any, ...]:
        return (fact.day.isoformat(), *(int(value) for name, value in _names(fact, level).items() if "_id" in name))

    facts = sorted(world.ad_facts(account, first, last), key=place)
    for _, together in groupby(facts, key=place):
        ads = list(together)
        metrics = _metrics(account, ads)
        if not level:
            del metrics["objective"]
        yield {
            "account_id": account.id,
            "date": ads[0].day,
            **_names(ads[0], level),
            **metrics,
            "is_final": ads[0].day < world.today(account),
        }


def _names(fact: Fact, level: int) -> Row:
    assert fact.group is not None
    assert fact.ad is not None
    names: Row = {}
    if level >= 1:
        names |= {"campaign_id": str(fact.campaign.id), "campaign_name": fact.campaign.name}
    if level >= 2:
        names |= {"ad_set_id": str(fact.group.id), "ad_set_name": fact.group.name}
    if level >= 3:
        names |= {"ad_id": str(fact.ad.id), "ad_name": fact.ad.name}
    return names


def _metrics(account: Account, ads: list[Fact]) -> Row:
    """The sums over some ads of one day; an ad has whole purchases, so the world's fractions are cut there.

    Ads of ad sets with different attribution settings have no conversions together.
    """
    total = Metrics()
    for fact in ads:
        total += fact.metrics
    purchases = sum(_purchases(fact.metrics) for fact in ads)
    worth = sum(_worth(fact.metrics) for fact in ads)
    by_view = sum(_in_window(n, "1d_view") for f in ads for n in (_purchases(f.metrics), f.metrics.leads))
    pages = sum(_pages(fact.metrics) for fact in ads)
    spend = Decimal(total.cost_micros) / 1_000_000
    video = total.video_quartiles or (0, 0, 0, 0)
    views = total.video_views or 0
    settings = {_attribution(account, fact) for fact in ads}
    leads = total.leads
    if len(settings) > 1:
        purchases = worth = by_view = leads = pages = 0
    return {
        "account_currency": account.currency,
        "attribution_setting": settings.pop() if len(settings) == 1 else None,
        "objective": _objective(ads[0].campaign),
        "impressions": total.impressions,
        "reach": total.reach,
        "frequency": float(_cut(Decimal(total.impressions) / total.reach)),
        "clicks": total.clicks,
        "inline_link_clicks": total.link_clicks,
        "inline_post_engagement": total.engagements,
        "spend": spend,
        "cpc": _cut(spend / total.clicks) if total.clicks else None,
        "cpm": _cut(spend * 1000 / total.impressions),
        "ctr": float(_cut(Decimal(100 * total.clicks) / total.impressions)),
        "conversions": _or_none(float(purchases + leads)),
        "conversions_value": _or_none(Decimal(worth) / 1_000_000),
        "purchases": _or_none(float(purchases)),
        "purchase_value": _or_none(Decimal(worth) / 1_000_000),
        "leads": _or_none(float(leads)),
        "view_through_conversions": _or_none(float(by_view)),
        "landing_page_views": _or_none(pages),
        "video_plays": _or_none(views + views // 4),
        "video_views": _or_none(views),
        "video_thruplays": _or_none(video[1]),
        **{f"video_p{part}_watched": _or_none(n) for part, n in zip((25, 50, 75, 100), video, strict=True)},
    }


def _attribution(account: Account, fact: Fact) -> str:
    """Every second ad set of an account in yen was set up apart from its campaign's others."""
    assert fact.group is not None
    if account.currency == "JPY" and fact.group.id % 10 % 2:
        return "1d_click"
    return "7d_click_1d_view_1d_ev" if fact.campaign.video else "7d_click_1d_view"


def _action_values(account: Account, metrics: Metrics) -> Iterator[tuple[str, str, str, Decimal]]:
    bought = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
    counts = {
        "link_click": metrics.link_clicks,
        "post_engagement": metrics.engagements,
        "landing_page_view": _pages(metrics),
        "lead": metrics.leads,
        "onsite_conversion.lead_grouped": metrics.leads // 2,
        "video_view": metrics.video_views or 0,
        f"offsite_conversion.custom.{account.id}5": _purchases(metrics) // 2,
    } | {name: _purchases(metrics) for name in bought}
    for window in ("default", *_SHARES, "1d_view"):
        for name, count in counts.items():
            if _in_window(count, window):
                yield "actions", name, window, Decimal(_in_window(count, window))
        for name in bought:
            if _in_window(_worth(metrics), window):
                yield "action_values", name, window, Decimal(_in_window(_worth(metrics), window)) / 1_000_000


def _in_window(whole: int, window: str) -> int:
    if window == "default":
        return whole
    return whole - whole * 90 // 100 if window == "1d_view" else whole * _SHARES[window] // 100


def _pages(metrics: Metrics) -> int:
    """Seven of ten link clicks wait until the page is there."""
    return metrics.link_clicks * 7 // 10


def _purchases(metrics: Metrics) -> int:
    return metrics.conversions_centi // 100


def _worth(metrics: Metrics) -> int:
    return metrics.value_micros if _purchases(metrics) else 0


def _objective(campaign: Campaign) -> str:
    return "OUTCOME_AWARENESS" if campaign.video else "OUTCOME_SALES"


def _or_none(value: Any) -> Any:
    """Facebook does not list an action that did not happen."""
    return value or None


def _cut(value: Decimal) -> Decimal:
    return value.quantize(_SIX_DIGITS, ROUND_DOWN)


def _micros_of_a_cent(account: Account) -> int:
    return 1_000_000 if account.currency == "JPY" else 10_000


def _from_cents(cents: int, account: Account) -> Decimal:
    return Decimal(cents) * _micros_of_a_cent(account) / 1_000_000


def _midnight(account: Account, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(account.timezone)).astimezone(dt.UTC)
