"""What a report of one's own must hold: any report of the world, in the columns of our tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.microsoft.splits import parted
from sandbox.microsoft.truth import (
    Row,
    account_numbers,
    asset_group_facts,
    asset_group_numbers,
    campaign_numbers,
    entity_values,
    video_numbers,
)
from sandbox.world import Account, Fact, Metrics, World

_FACTS: dict[str, Callable[[World, Account, dt.date, dt.date], Iterator[Fact]]] = {
    "account": World.campaign_facts,
    "campaign": World.campaign_facts,
    "ad_group": World.group_facts,
    "ad": World.ad_facts,
    "keyword": World.keyword_facts,
    "search_query": World.search_term_facts,
    "asset_group": asset_group_facts,
}
_NUMBERS = {"campaign": campaign_numbers, "asset_group": asset_group_numbers}
_CONVERSIONS = ("conversions_centi", "value_micros", "view_through", "leads")


@dataclass(frozen=True)
class Asked:
    """A report by our names: the facts of a `level` as rows of everything in `by`, with these other `columns`.

    `where` are the values of which one must be met, by column; `splits` are Microsoft's columns that cut the numbers.
    A report of goals has `conversions_only`.
    """

    level: str
    by: tuple[str, ...]
    columns: tuple[str, ...]
    splits: tuple[str, ...] = ()
    grain: str = "day"
    where: Mapping[str, Collection[str]] = field(default_factory=dict)
    conversions_only: bool = False


def rows(world: World, asked: Asked, first: dt.date, last: dt.date) -> list[Row]:
    """The rows of all accounts, with days from `first` to `last`; months are those that begin then."""
    live = [account for account in world.accounts("microsoft") if not account.closed]
    return [row for account in live for row in _of_account(world, account, asked, first, last)]


def _of_account(world: World, account: Account, asked: Asked, first: dt.date, last: dt.date) -> Iterator[Row]:
    totals: dict[tuple[Any, ...], tuple[Row, Metrics]] = {}
    for known, metrics in _parts(world, account, asked, first, last):
        period = {"date": known["date"], **({"hour": known["hour"]} if asked.grain == "hour" else {})}
        key = (*(known[name] for name in asked.by), *period.values())
        _, total = totals.setdefault(key, (period | known, Metrics()))
        total += metrics
    today = world.today(account)
    running = today.replace(day=1) if asked.grain == "month" else today
    for known, total in totals.values():
        values = known | _NUMBERS.get(asked.level, account_numbers)(total) | video_numbers(total)
        yield {
            "account_id": account.id,
            "date": known["date"],
            **({"hour": known["hour"]} if asked.grain == "hour" else {}),
            **{name: values[name] for name in (*asked.by, *asked.columns)},
            "currency_code": account.currency,
            "is_final": known["date"] < running,
        }


def _parts(
    world: World, account: Account, asked: Asked, first: dt.date, last: dt.date
) -> Iterator[tuple[Row, Metrics]]:
    """What is known of each part of each fact, and its numbers."""
    today = world.today(account)
    begun = world.as_of.astimezone(ZoneInfo(account.timezone)).hour + 1
    splits = {*asked.splits, *(["Hour"] if asked.grain == "hour" else [])}
    for fact in _FACTS[asked.level](world, account, first, last):
        entity = entity_values(world, account, fact)
        day = fact.day.replace(day=1) if asked.grain == "month" else fact.day
        for values, metrics in parted(fact, splits, hours=begun if fact.day == today else 24):
            known = entity | {"date": day} | {_NAMES[name]: value for name, value in values.items()}
            known |= {"hour": int(values["Hour"])} if "Hour" in values else {}
            wanted = all(known[name] in among for name, among in asked.where.items())
            if wanted and (not asked.conversions_only or any(getattr(metrics, name) for name in _CONVERSIONS)):
                yield known, metrics


_METRICS = (
    *("impressions", "clicks", "spend", "conversions", "conversions_qualified", "revenue", "all_conversions"),
    *("all_conversions_qualified", "all_revenue", "assists"),
)
_VIEWS = ("view_through_conversions", "view_through_conversions_qualified", "view_through_revenue")
_WON = ("all_conversions", "all_conversions_qualified", "all_revenue", "assists", *_VIEWS)
_PLACES = ("Country", "State", "MetroArea", "City", "LocationType")
_WORK = ("CompanyName", "IndustryName", "JobFunctionName")
_GROUPS = ("campaign_name", "ad_group_name")
FURTHER: Mapping[str, Asked] = {
    "conversion_goal_daily": Asked(
        "ad_group",
        ("campaign_id", "ad_group_id", "goal_id", "goal"),
        (*_GROUPS, "goal_type", *_WON),
        splits=("Goal", "GoalId", "GoalType"),
        conversions_only=True,
    ),
    "campaign_goal_daily": Asked(
        "campaign",
        ("campaign_id", "goal", "goal_type"),
        ("campaign_name", "conversions", "conversions_qualified", "revenue", *_WON),
        splits=("Goal", "GoalType"),
    ),
    "geographic_daily": Asked(
        "ad_group",
        ("campaign_id", "country", "state", "metro_area", "city", "location_type"),
        ("campaign_name", *_METRICS, *_VIEWS),
        splits=_PLACES,
    ),
    "campaign_device_daily": Asked(
        "campaign",
        ("campaign_id", "device_type", "device_os", "network"),
        ("campaign_name", *_METRICS, *_VIEWS),
        splits=("DeviceType", "DeviceOS", "Network"),
    ),
    "campaign_hourly": Asked("campaign", ("campaign_id",), ("campaign_name", *_METRICS, *_VIEWS), grain="hour"),
    "age_gender_daily": Asked(
        "ad_group",
        ("campaign_id", "ad_group_id", "age_group", "gender"),
        (*_GROUPS, *_METRICS, *_VIEWS),
        splits=("AgeGroup", "Gender"),
    ),
    "professional_demographics_daily": Asked(
        "ad_group",
        ("campaign_id", "ad_group_id", "company_name", "industry_name", "job_function_name"),
        ("account_name", *_GROUPS, *_METRICS, *_VIEWS),
        splits=_WORK,
    ),
    "asset_group_daily": Asked(
        "asset_group",
        ("campaign_id", "asset_group_id"),
        (
            *("campaign_name", "asset_group_name", "asset_group_status"),
            *("impressions", "clicks", "spend", "conversions", "revenue"),
        ),
    ),
}
"""The tables that are reports of these kinds, as a report of one's own would be."""

_NAMES = {
    "AdDistribution": "ad_distribution",
    "AgeGroup": "age_group",
    "BidMatchType": "bid_match_type",
    "City": "city",
    "CompanyName": "company_name",
    "Country": "country",
    "DeliveredMatchType": "delivered_match_type",
    "DeviceOS": "device_os",
    "DeviceType": "device_type",
    "Gender": "gender",
    "Goal": "goal",
    "GoalId": "goal_id",
    "GoalType": "goal_type",
    "Hour": "hour",
    "IndustryName": "industry_name",
    "JobFunctionName": "job_function_name",
    "Language": "language",
    "LocationType": "location_type",
    "MetroArea": "metro_area",
    "Network": "network",
    "PublisherUrl": "publisher_url",
    "State": "state",
    "TopVsOther": "top_vs_other",
}
