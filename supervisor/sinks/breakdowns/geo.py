"""`ads.geo_daily`: the countries and regions where people were, or which they looked for."""

from __future__ import annotations

from supervisor.sinks.breakdowns.countries import CODES
from supervisor.sinks.breakdowns.definition import (
    COUNTS,
    Breakdown,
    Dimension,
    Lookup,
    Part,
    always,
    told,
    vocabulary,
)
from supervisor.sinks.unified import Measure

_CODE = " ".join(f"WHEN '{name.replace(chr(39), chr(39) * 2)}' THEN '{code}'" for name, code in CODES.items())
_GEO_TARGETS = ("geo_target_id", "geo_target_name", "country_code")

GEO = Breakdown(
    "geo_daily",
    "where people were, or what place they looked for",
    ("campaign",),
    (
        Dimension("location_type", "presence: where people were; interest: what place they looked for; or unknown"),
        Dimension("country_code", "ISO 3166-1, two letters; null where it is not known", is_attribute=True),
        Dimension("country", "as the platform tells it: on Google the id of a geo target, on Facebook the code"),
        Dimension("region", "as the platform tells it: on Google the id of a geo target; empty where it does not"),
        Dimension("region_name", "what it is called; null where that is not known", is_attribute=True),
    ),
    COUNTS,
    (
        Part(
            "google",
            "geo_daily",
            {
                "location_type": vocabulary(
                    "location_type", {"LOCATION_OF_PRESENCE": "presence", "AREA_OF_INTEREST": "interest"}, "unknown"
                ),
                "country_code": (Measure("c.country_code", ("c.country_code",)),),
                "country": told("country_criterion_id"),
                "region": (Measure("split_part(coalesce(d.geo_target_region, ''), '/', 2)", ("geo_target_region",)),),
                "region_name": (Measure("r.geo_target_name", ("r.geo_target_name",)),),
            },
            lookups=(
                Lookup("c", "geo_target_constant", "c.geo_target_id = d.country_criterion_id", _GEO_TARGETS),
                Lookup(
                    "r",
                    "geo_target_constant",
                    "r.geo_target_id = split_part(d.geo_target_region, '/', 2)",
                    _GEO_TARGETS,
                ),
            ),
        ),
        Part(
            "microsoft",
            "geographic_daily",
            {
                "location_type": vocabulary(
                    "location_type", {"Physical location": "presence", "Location of interest": "interest"}, "unknown"
                ),
                "country_code": (Measure(f"CASE lower(d.country) {_CODE} END", ("country",)),),
                "country": told("country"),
                "region": told("state"),
                "region_name": (Measure("nullif(d.state, '')", ("state",)),),
            },
        ),
        Part(
            "facebook",
            "ad_daily_country",
            {
                "location_type": always("presence"),
                "country_code": (Measure("CASE WHEN length(d.country) = 2 THEN d.country END", ("country",)),),
                "country": told("country"),
                "region": always(""),
            },
        ),
    ),
)
