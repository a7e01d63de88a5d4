"""Google's places as far as this world's people are in them, a city, and one that is to be given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Numbers and names are those of https://developers.google.com/google-ads/api/data/geotargets."""

    id: int
    name: str
    canonical: str
    type: str
    country: str
    parent: int | None
    is_removed: bool = False


PLACES = (
    Place(2276, "Germany", "Germany", "Country", "DE", None),
    Place(2840, "United States", "United States", "Country", "US", None),
    Place(20227, "Bavaria", "Bavaria,Germany", "State", "DE", 2276),
    Place(21137, "California", "California,United States", "State", "US", 2840),
    Place(20345, "Nord-du-Québec", "Nord-du-Québec,Quebec,Canada", "Region", "CA", 20123, is_removed=True),
    Place(1004234, "Munich", "Munich,Bavaria,Germany", "City", "DE", 20227),
)


def resource_name(number: int | None) -> str | None:
    return None if number is None else f"geoTargetConstants/{number}"


FIELDS: dict[str, Callable[[Any], Any]] = {
    "geo_target_constant.resource_name": lambda line: resource_name(line.place.id),
    "geo_target_constant.id": lambda line: line.place.id,
    "geo_target_constant.name": lambda line: line.place.name,
    "geo_target_constant.canonical_name": lambda line: line.place.canonical,
    "geo_target_constant.target_type": lambda line: line.place.type,
    "geo_target_constant.country_code": lambda line: line.place.country,
    "geo_target_constant.parent_geo_target": lambda line: resource_name(line.place.parent),
    "geo_target_constant.status": lambda line: "REMOVAL_PLANNED" if line.place.is_removed else "ENABLED",
}
