"""What a report of one's own must hold, said by the world: its definition as a user writes it, and the days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from sandbox.google import asset_groups
from sandbox.google.shares import Shares, dimensions
from sandbox.google.truth import by_search_term, match_type, metrics_of
from sandbox.world import Account, Fact, Metrics, World

Keep = Callable[[Fact], bool]
"""Whether a fact satisfies the conditions of a report."""

_MILLION = 1_000_000
_LEVELS: dict[str, tuple[str, ...]] = {
    "customer": (),
    "campaign": ("campaign_id",),
    "ad_group": ("campaign_id", "ad_group_id"),
    "ad_group_ad": ("campaign_id", "ad_group_id", "ad_id"),
    "keyword_view": ("campaign_id", "ad_group_id", "criterion_id"),
    "search_term_view": ("campaign_id", "ad_group_id", "search_term"),
    "campaign_search_term_view": ("campaign_id", "search_term"),
    "geographic_view": ("country_criterion_id", "location_type"),
    "age_range_view": ("campaign_id", "ad_group_id", "criterion_id"),
    "gender_view": ("campaign_id", "ad_group_id", "criterion_id"),
    "asset_group": ("campaign_id", "asset_group_id"),
}
"""The columns of the key that each resource brings along."""

_COLUMNS = {
    "campaign": "campaign_id",
    "campaign.id": "campaign_id",
    "campaign.name": "campaign_name",
    "campaign.status": "campaign_status",
    "campaign.advertising_channel_type": "campaign_advertising_channel_type",
    "ad_group.name": "ad_group_name",
    "ad_group_criterion.keyword.text": "keyword_text",
    "ad_group_criterion.age_range.type": "age_range",
    "ad_group_criterion.gender.type": "gender",
    "asset_group.name": "asset_group_name",
    "cost_micros": "cost",
}
"""What a column is called where it is not called as it is asked for."""


def report_truth(
    world: World,
    definition: Mapping[str, Any],
    first: dt.date,
    last: dt.date,
    keep: Keep = lambda _: True,
) -> list[dict[str, Any]]:
    """The rows of a report after a run at `world.as_of`; the days of a month are all or none."""
    return [
        row
        for account in world.accounts("google")
        if not account.closed
        for row in _rows(
            world, account, definition, filter(keep, _facts(world, account, definition["of"], first, last))
        )
    ]


def _rows(
    world: World, account: Account, definition: Mapping[str, Any], facts: Iterable[Fact]
) -> Iterator[dict[str, Any]]:
    grain, of = definition.get("grain", "day"), definition["of"]
    by = [_COLUMNS.get(word, word.removeprefix("segments.")) for word in definition.get("by", ())]
    attributes = [_COLUMNS.get(word, word) for word in definition.get("attributes", ())]
    key = (*_LEVELS[of], *by, "date", *(["hour"] if grain == "hour" else []))
    segments = [f"segments.{word}" for word in (*by, *key)]
    totals: dict[tuple[Any, ...], tuple[dict[str, Any], Metrics]] = {}
    shares = Shares(world, account, dimensions(segments, of))
    for fact in facts:
        for part, share in shares.parts(fact.campaign, fact.day, fact.metrics):
            values = _values(world, account, fact, part)
            if grain == "month":
                values["date"] = fact.day.replace(day=1)
            _, total = totals.setdefault(tuple(values.get(name, "") for name in key), (values, Metrics()))
            total += share
    today = world.today(account)
    for values, total in totals.values():
        numbers = {_COLUMNS.get(word, word): _number(total, word) for word in definition["metrics"]}
        if any(numbers.values()):
            day = values["date"]
            over = (day.year, day.month) < (today.year, today.month) if grain == "month" else day < today
            own = {name: values.get(name, "") for name in key} | {name: values[name] for name in attributes}
            yield {"account_id": account.id, **own, **numbers, "currency_code": account.currency, "is_final": over}


def _facts(world: World, account: Account, of: str, first: dt.date, last: dt.date) -> Iterable[Fact]:
    if of == "keyword_view":
        return world.keyword_facts(account, first, last)
    if of.endswith("search_term_view"):
        return by_search_term(world.search_term_facts(account, first, last))
    facts = world.ad_facts(account, first, last)
    return (fact for fact in facts if fact.campaign.video) if of == "asset_group" else facts


def _values(world: World, account: Account, fact: Fact, part: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a row can tell of a fact but its numbers, by column; what Google does not send is missing."""
    campaign = fact.campaign
    values: dict[str, Any] = {name.rpartition(".")[2]: value for name, value in part.items() if value != ""}
    if "country_criterion_id" in values:
        values["country_criterion_id"] = str(values["country_criterion_id"])
    for name, column in (("age", "age_range"), ("gender", "gender")):
        if name in values:
            criterion, value = values.pop(name)
            values |= {"criterion_id": str(criterion), column: value}
    values |= {
        "date": fact.day,
        "day_of_week": f"{fact.day:%A}".upper(),
        "campaign_id": str(campaign.id),
        "campaign_name": campaign.name,
        "campaign_status": campaign.status(world.today(account)).upper(),
        "campaign_advertising_channel_type": "VIDEO" if campaign.video else "SEARCH",
    }
    if fact.group is not None:
        values |= {"ad_group_id": str(fact.group.id), "ad_group_name": fact.group.name}
        values |= {
            "asset_group_id": str(asset_groups.number(fact.group)),
            "asset_group_name": asset_groups.name(fact.group),
        }
    if fact.ad is not None:
        values["ad_id"] = str(fact.ad.id)
    if fact.search_term is not None:
        values |= {"search_term": fact.search_term, "search_term_match_type": match_type(fact)}
    elif fact.keyword is not None:
        values |= {"criterion_id": str(fact.keyword.id), "keyword_text": fact.keyword.text}
    return values


def _number(total: Metrics, word: str) -> Decimal | float | int | None:
    if word == "average_cpc":
        return total.cost_micros / total.clicks / _MILLION if total.clicks else None
    if word == "ctr":
        return total.clicks / total.impressions if total.impressions else None
    return metrics_of(total)[_COLUMNS.get(word, word)]  # type: ignore[no-any-return]  # one of the tables' numbers


_CORE = (
    *("impressions", "clicks", "cost_micros", "conversions", "conversions_value"),
    *("interactions", "engagements"),
)
_CONVERTED = {
    "by": ("conversion_action",),
    "metrics": (
        *("conversions", "conversions_value", "all_conversions", "all_conversions_value", "view_through_conversions"),
    ),
}
_ACTION = ("conversion_action_name", "conversion_action_category")
FURTHER: Mapping[str, Mapping[str, Any]] = {
    "campaign_conversion_action_daily": {
        "of": "campaign",
        **_CONVERTED,
        "attributes": ("campaign.name", *_ACTION),
    },
    "ad_group_conversion_action_daily": {
        "of": "ad_group",
        **_CONVERTED,
        "attributes": ("campaign.name", "ad_group.name", *_ACTION),
    },
    "campaign_search_term_daily": {
        "of": "campaign_search_term_view",
        "metrics": _CORE,
        "attributes": ("campaign.name",),
    },
    "asset_group_daily": {
        "of": "asset_group",
        "metrics": (
            *("impressions", "clicks", "cost_micros", "conversions", "conversions_value"),
            *("all_conversions", "all_conversions_value", "view_through_conversions"),
        ),
        "attributes": ("campaign.name", "asset_group.name"),
    },
    "geo_daily": {
        "of": "geographic_view",
        "by": ("campaign", "geo_target_region"),
        "metrics": _CORE,
        "attributes": ("campaign.name",),
    },
    "campaign_device_network_daily": {
        "of": "campaign",
        "by": ("device", "ad_network_type"),
        "metrics": _CORE,
        "attributes": ("campaign.name",),
    },
    "campaign_hourly": {"of": "campaign", "metrics": _CORE, "attributes": ("campaign.name",), "grain": "hour"},
    "age_range_daily": {
        "of": "age_range_view",
        "metrics": _CORE,
        "attributes": ("campaign.name", "ad_group.name", "ad_group_criterion.age_range.type"),
    },
    "gender_daily": {
        "of": "gender_view",
        "metrics": _CORE,
        "attributes": ("campaign.name", "ad_group.name", "ad_group_criterion.gender.type"),
    },
}
"""The tables that are reports of these kinds, as a report of one's own would be."""


def table_truth(world: World, table: str, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """The rows of a table of a group."""
    return report_truth(world, FURTHER[table], first, last)
