"""The views that divide campaigns hold the platforms' own numbers, of all four, once each."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

from sandbox.world import PLATFORMS, World

AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 10, 11)
Row = dict[str, Any]

MEASURES = {
    "google": {"impressions": "impressions", "clicks": "clicks", "spend": "cost", "conversions": "conversions", "conversions_value": "conversions_value"},
    "microsoft": {"impressions": "impressions", "clicks": "clicks", "spend": "spend", "conversions": "conversions_qualified", "conversions_value": "revenue"},
    "facebook": {"impressions": "impressions", "clicks": "clicks", "link_clicks": "inline_link_clicks", "spend": "spend", "conversions": "conversions", "conversions_value": "conversions_value", "leads": "leads"},
    "linkedin": {"impressions": "impressions", "clicks": "clicks", "link_clicks": "landing_page_clicks", "spend": "cost_in_local_currency", "leads": "one_click_leads"},
}  # fmt: skip
DEVICES = {
    **{"MOBILE": "mobile", "DESKTOP": "desktop", "TABLET": "tablet"},
    **{"Smartphone": "mobile", "Computer": "desktop", "Tablet": "tablet"},
    **{"iphone": "mobile", "desktop": "desktop"},
    **{"MOBILE_APP": "mobile", "MOBILE_WEB": "mobile", "DESKTOP_WEB": "desktop", "": "unknown"},
}
KINDS = {
    "LOCATION_OF_PRESENCE": "presence",
    "AREA_OF_INTEREST": "interest",
    "Physical location": "presence",
    "Location of interest": "interest",
}


@dataclass(frozen=True)
class Told:
    """What a platform's table says: what a row is of, and which of its columns are measures of the view."""

    platform: str
    table: str
    place: Callable[[Row], tuple[Any, ...]]
    measures: dict[str, str] | None = None


CONVERTED = ("conversions", "conversions_value", "all_conversions", "all_conversions_value", "view_through_conversions")
VIEWS: dict[str, tuple[str, tuple[Told, ...]]] = {
    "device_daily": (
        "campaign_id, device, platform_device",
        (
            Told("google", "campaign_device_network_daily", lambda r: (r["campaign_id"], DEVICES[r["device"]], r["device"])),
            Told("microsoft", "campaign_device_daily", lambda r: (r["campaign_id"], DEVICES[r["device_type"]], r["device_type"])),
            Told("facebook", "ad_daily_device", lambda r: (r["campaign_id"], DEVICES[r["impression_device"]], r["impression_device"])),
            Told("linkedin", "campaign_device_daily", lambda r: (r["campaign_group_id"], DEVICES[r["impression_device_type"]], r["impression_device_type"])),
        ),
    ),
    "geo_daily": (
        "campaign_id, location_type, country, region",
        (
            Told("google", "geo_daily", lambda r: (r["campaign_id"], KINDS[r["location_type"]], r["country_criterion_id"], r["geo_target_region"].removeprefix("geoTargetConstants/"))),
            Told("microsoft", "geographic_daily", lambda r: (r["campaign_id"], KINDS[r["location_type"]], r["country"], r["state"])),
            Told("facebook", "ad_daily_country", lambda r: (r["campaign_id"], "presence", r["country"], "")),
        ),
    ),
    "search_term_daily": (
        "campaign_id, ad_group_id, search_term",
        (
            Told("google", "search_term_daily", lambda r: (r["campaign_id"], r["ad_group_id"], r["search_term"])),
            Told("microsoft", "search_query_daily", lambda r: (r["campaign_id"], r["ad_group_id"], r["search_query"])),
        ),
    ),
    "conversion_daily": (
        "campaign_id, conversion_id, conversion_category, conversion_name",
        (
            Told(
                "google",
                "campaign_conversion_action_daily",
                lambda r: (r["campaign_id"], r["conversion_action"].rpartition("/")[2], r["conversion_action_category"], r["conversion_action_name"]),
                dict(zip(CONVERTED, CONVERTED, strict=True)),
            ),
            Told(
                "microsoft",
                "campaign_goal_daily",
                lambda r: (r["campaign_id"], r["goal"], r["goal_type"], r["goal"]) if r["goal"] else (),
                dict(zip(CONVERTED, ("conversions_qualified", "revenue", "all_conversions_qualified", "all_revenue", "view_through_conversions_qualified"), strict=True)),
            ),
            Told(
                "facebook",
                "ad_set_daily",
                lambda r: (r["campaign_id"], "purchases", "PURCHASE", "purchases") if r["purchases"] is not None else (),
                {"conversions": "purchases", "conversions_value": "purchase_value"},
            ),
            Told(
                "facebook",
                "ad_set_daily",
                lambda r: (r["campaign_id"], "leads", "LEAD", "leads") if r["leads"] is not None else (),
                {"conversions": "leads"},
            ),
            Told(
                "linkedin",
                "campaign_conversion_daily",
                lambda r: (r["campaign_group_id"], r["conversion_id"], "PURCHASE", "Order placed"),
                {
                    "conversions": "external_website_conversions",
                    "conversions_value": "conversion_value_in_local_currency",
                    "view_through_conversions": "external_website_post_view_conversions",
                },
            ),
            Told(
                "linkedin",
                "campaign_daily",
                lambda r: (r["campaign_group_id"], "one_click_leads", "LEAD", "lead forms") if r["one_click_leads"] else (),
                {"conversions": "one_click_leads"},
            ),
        ),
    ),
}  # fmt: skip


def expected(parts: tuple[Told, ...], measures: tuple[str, ...]) -> dict[tuple[Any, ...], list[Any]]:
    """The sums of the platforms' rows, whose truth is computed of the world alone."""
    world = World.at(AS_OF, "tiny", first_day=FIRST_DAY)
    sums: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [None] * len(measures))
    for told in parts:
        rows = import_module(f"sandbox.{told.platform}.truth").truth(
            world, told.table, FIRST_DAY, AS_OF.date() + dt.timedelta(days=1)
        )
        names = told.measures or MEASURES[told.platform]
        for row in rows:
            place = told.place(row)
            if not place:
                continue
            row_sums = sums[told.platform, row["account_id"], row["date"], *place]
            for n, measure in enumerate(measures):
                value = row[names[measure]] if measure in names else None
                if value is not None:
                    row_sums[n] = (row_sums[n] or 0) + (Decimal(str(value)) if "value" in measure else value)
    return dict(sums)


@pytest.mark.parametrize("view", VIEWS)
def test_a_breakdown_is_what_the_platforms_tell(first_pull: Any, view: str) -> None:
    place, parts = VIEWS[view]
    width = 3 + place.count(",") + 1
    measures = {
        "conversion_daily": CONVERTED,
        "search_term_daily": ("impressions", "clicks", "spend", "conversions", "conversions_value"),
    }.get(view, ("impressions", "clicks", "link_clicks", "spend", "conversions", "conversions_value", "leads"))
    found = first_pull.rows(f"SELECT platform, account_id, date, {place}, {', '.join(measures)} FROM ads.{view}")
    wanted = expected(parts, measures)
    assert {row[:width] for row in found} == set(wanted)
    assert len(found) == len(wanted)
    for row in found:
        for name, mine, true in zip(measures, row[width:], wanted[row[:width]], strict=True):
            is_same = (mine is None) == (true is None) and (mine is None or math.isclose(mine, true, rel_tol=1e-9))
            assert is_same if isinstance(mine, float) else mine == true, f"{row[:width]}: {name} is {mine}, not {true}"
    assert not first_pull.rows(f"SELECT 1 FROM ads.{view} WHERE account_name IS NULL OR is_final IS NULL")


def test_countries_have_one_code_on_platforms_that_tell_names_and_that_tell_codes(first_pull: Any) -> None:
    found = set(first_pull.rows("SELECT DISTINCT country, country_code FROM ads.geo_daily"))
    of_google = {("2276", "DE"), ("2840", "US")}
    assert found == of_google | {("Germany", "DE"), ("Austria", "AT"), ("", None), ("DE", "DE"), ("AT", "AT")}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_conversions_and_devices_add_up_to_the_campaigns(first_pull: Any, platform: str) -> None:
    total = "SELECT campaign_id, date, sum({}) FROM ads.{} WHERE platform = '{}' GROUP BY ALL HAVING sum({}) <> 0"
    asked = [("conversion_daily", "conversions"), ("device_daily", "impressions"), ("device_daily", "spend")]
    for view, measure in asked:
        by_part, by_campaign = (
            {row[:2]: round(row[2], 6) for row in first_pull.rows(total.format(measure, table, platform, measure))}
            for table in (view, "campaign_daily")
        )
        assert by_part == by_campaign and len(by_part) > 20, view
