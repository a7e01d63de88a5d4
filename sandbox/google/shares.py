"""How a day's numbers of an ad, a keyword or a search term divide over devices, networks, hours and the like.

The parts add up to the whole. A number of a segment's value is the same whatever else the numbers are divided by first,
up to what is left over in dividing whole numbers, which goes to the first value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.google.conversions import ConversionAction, conversion_actions
from sandbox.world import Account, Campaign, Metrics, World

SEGMENTS = (
    "segments.device",
    "segments.ad_network_type",
    "segments.hour",
    "segments.conversion_action",
    "segments.conversion_action_name",
    "segments.conversion_action_category",
    "segments.geo_target_region",
)
"""What this world divides numbers by, beside days."""

_SUMS = (
    *("impressions", "clicks", "link_clicks", "cost_micros", "conversions_centi", "value_micros", "view_through"),
    *("leads", "engagements"),
)
_PLACES = (
    (2276, "LOCATION_OF_PRESENCE", "geoTargetConstants/20227"),
    (2276, "LOCATION_OF_PRESENCE", ""),
    (2276, "AREA_OF_INTEREST", "geoTargetConstants/20227"),
    (2840, "LOCATION_OF_PRESENCE", "geoTargetConstants/21137"),
    (2840, "AREA_OF_INTEREST", "geoTargetConstants/21137"),
)
_AGES = (
    (503001, "AGE_RANGE_18_24"),
    (503002, "AGE_RANGE_25_34"),
    (503006, "AGE_RANGE_65_UP"),
    (503999, "AGE_RANGE_UNDETERMINED"),
)
_GENDERS = ((10, "MALE"), (11, "FEMALE"), (20, "UNDETERMINED"))
"""Criteria of every ad group, ages too, as https://developers.google.com/google-ads/api/data/codes-formats has them."""

Part = tuple[dict[str, Any], Metrics]
"""The values of segments and fields, and their share of the numbers."""


@dataclass(frozen=True)
class Shares:
    """How an account's numbers divide by `dimensions`: device, network, hour, action, place, age, gender."""

    world: World
    account: Account
    dimensions: Sequence[str]

    def parts(self, campaign: Campaign, day: dt.date, whole: Metrics) -> list[Part]:
        """What happened in a campaign on a day, divided by each dimension in turn."""
        found: list[Part] = [({}, whole)]
        for dimension in self.dimensions:
            values, weights = self._values(campaign, day, dimension)
            found = [
                ({**known, **value}, share)
                for known, metrics in found
                for value, share in zip(values, _portions(metrics, weights), strict=True)
            ]
        return found

    def _values(self, campaign: Campaign, day: dt.date, dimension: str) -> tuple[list[dict[str, Any]], list[int]]:
        if dimension == "device":
            return [{"segments.device": each} for each in ("MOBILE", "DESKTOP", "TABLET")], [6, 3, 1]
        if dimension == "network":
            names = ("YOUTUBE", "CONTENT") if campaign.video else ("SEARCH", "SEARCH_PARTNERS", "CONTENT")
            return [{"segments.ad_network_type": each} for each in names], [5, 2, 1][: len(names)]
        if dimension == "hour":
            now = self.world.as_of.astimezone(ZoneInfo(self.account.timezone))
            hours = range(now.hour + 1 if day == now.date() else 24)
            return [{"segments.hour": each} for each in hours], [2 + each % 5 for each in hours]
        if dimension == "action":
            return [_action(self.account, each) for each in conversion_actions(self.account)[:2]], [3, 1]
        if dimension == "age":
            return [{"age": each} for each in _AGES], [2, 5, 1, 3]
        if dimension == "gender":
            return [{"gender": each} for each in _GENDERS], [5, 4, 2]
        places = [
            {
                "geographic_view.country_criterion_id": country,
                "geographic_view.location_type": kind,
                "segments.geo_target_region": region,
            }
            for country, kind, region in _PLACES
        ]
        return places, [5, 1, 2, 3, 1]


def dimensions(paths: Sequence[str], resource: str) -> list[str]:
    """What must be divided by to answer a query of these segments."""
    wanted = {
        "place": resource == "geographic_view",
        "age": resource == "age_range_view",
        "gender": resource == "gender_view",
        "device": "segments.device" in paths,
        "network": "segments.ad_network_type" in paths,
        "hour": "segments.hour" in paths,
        "action": any(path.startswith("segments.conversion_action") for path in paths),
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _action(account: Account, action: ConversionAction) -> dict[str, Any]:
    return {
        "segments.conversion_action": action.resource_name(account),
        "segments.conversion_action_name": action.name,
        "segments.conversion_action_category": action.category,
    }


def _portions(whole: Metrics, weights: Sequence[int]) -> list[Metrics]:
    total = sum(weights)
    out = [Metrics() for _ in weights]
    for name in _SUMS:
        for part, number in zip(out, _divided(getattr(whole, name), weights, total), strict=True):
            setattr(part, name, number)
    if whole.video_views is not None and whole.video_quartiles is not None:
        views = _divided(whole.video_views, weights, total)
        quartiles = [_divided(each, weights, total) for each in whole.video_quartiles]
        for index, part in enumerate(out):
            part.video_views = views[index]
            first, second, third, fourth = (each[index] for each in quartiles)
            part.video_quartiles = (first, second, third, fourth)
    return out


def _divided(number: int, weights: Sequence[int], total: int) -> list[int]:
    others = [number * weight // total for weight in weights[1:]]
    return [number - sum(others), *others]
