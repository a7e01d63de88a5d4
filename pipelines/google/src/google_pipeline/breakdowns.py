"""The tables that groups name: conversions, search terms, asset groups, places, devices, hours, people; as data.

A further one is one more `Query` here.
"""

from __future__ import annotations

from google_pipeline.columns import AD_GROUP, CAMPAIGN, DATE, METRICS
from google_pipeline.queries import As, Field, Query, every
from wire import Column, Grain, Type

_CONVERSION_ACTION = (
    Field("conversion_action", "segments.conversion_action", As.TEXT, "customers/ID/conversionActions/ID"),
    Field("conversion_action_name", "segments.conversion_action_name", As.TEXT, "as it is now; two may share one"),
    Field("conversion_action_category", "segments.conversion_action_category", As.ENUM, "PURCHASE, SIGNUP, …"),
)
_CONVERSIONS = tuple(field for field in METRICS if "conversions" in field.column)
_CORE = tuple(
    field
    for field in METRICS
    if not field.column.startswith(("video", "all_")) and field.column != "view_through_conversions"
)
_A_QUERY = "1 query an account and 7 days"
_ASSET_GROUP = (
    Field("asset_group_id", "asset_group.id", As.ID),
    Field("asset_group_name", "asset_group.name", As.TEXT, "as it is now, not as it was on the day"),
)
_OF_ASSET_GROUPS = tuple(
    field for field in METRICS if field.column in ("impressions", "clicks", "cost") or "conversions" in field.column
)

CONVERSION_ACTION = Query(
    "conversion_action",
    "conversion_action",
    ("conversion_action_id",),
    (
        Field("conversion_action_id", "conversion_action.id", As.ID),
        Field("conversion_action", "conversion_action.resource_name", As.TEXT, "customers/ID/conversionActions/ID"),
        Field("conversion_action_name", "conversion_action.name", As.TEXT, "two may share one"),
        Field("status", "conversion_action.status", As.ENUM, "ENABLED, REMOVED or HIDDEN"),
        Field("category", "conversion_action.category", As.ENUM, "PURCHASE, SIGNUP, …"),
        Field("conversion_action_type", "conversion_action.type", As.ENUM, "WEBPAGE, UPLOAD_CLICKS, …"),
        Field("origin", "conversion_action.origin", As.ENUM, "WEBSITE, APP, CALL_FROM_ADS, …"),
        Field(
            "is_primary_for_goal",
            "conversion_action.primary_for_goal",
            As.FLAG,
            "false: no campaign bids for it, but those with a goal of their own that has it",
        ),
        Field(
            "is_in_conversions",
            "conversion_action.include_in_conversions_metric",
            As.FLAG,
            "whether it counts as conversions, beside all_conversions",
        ),
        Field("counting_type", "conversion_action.counting_type", As.ENUM, "ONE_PER_CLICK or MANY_PER_CLICK"),
        Field(
            "click_through_lookback_window_days",
            "conversion_action.click_through_lookback_window_days",
            As.INTEGER,
            "days from the click to a conversion that is still credited to it",
        ),
        Field(
            "view_through_lookback_window_days",
            "conversion_action.view_through_lookback_window_days",
            As.INTEGER,
            "days from an impression without a click to a conversion",
        ),
        Field("attribution_model", "conversion_action.attribution_model_settings.attribution_model", As.ENUM),
        Field(
            "default_value", "conversion_action.value_settings.default_value", As.NUMBER, "in the currency beside it"
        ),
        Field("default_currency_code", "conversion_action.value_settings.default_currency_code", As.TEXT, "ISO 4217"),
        Field(
            "owner_customer",
            "conversion_action.owner_customer",
            As.TEXT,
            "customers/ID of whom it belongs to, perhaps a manager; null for one that Google made",
        ),
    ),
    group="conversions",
)
"""What is counted as a conversion, whose windows say how long the days of the tables below change."""

GEO_TARGET_CONSTANT = Query(
    "geo_target_constant",
    "geo_target_constant",
    ("geo_target_id",),
    (
        Field("geo_target_id", "geo_target_constant.id", As.ID),
        Field("geo_target_constant", "geo_target_constant.resource_name", As.TEXT, "geoTargetConstants/ID"),
        Field("geo_target_name", "geo_target_constant.name", As.TEXT),
        Field("canonical_name", "geo_target_constant.canonical_name", As.TEXT, "with what it is in: Bavaria,Germany"),
        Field("target_type", "geo_target_constant.target_type", As.TEXT, "Country, State, Province, Region, …"),
        Field("country_code", "geo_target_constant.country_code", As.TEXT, "ISO 3166-1 alpha-2"),
        Field("parent_geo_target", "geo_target_constant.parent_geo_target", As.TEXT, "geoTargetConstants/ID"),
        Field("status", "geo_target_constant.status", As.ENUM, "ENABLED or REMOVAL_PLANNED"),
    ),
    where="geo_target_constant.target_type NOT IN ('City', 'Postal Code', 'Neighborhood', 'Airport', 'University')",
    given=(Column("language", Type.STRING, "of the names: en, the only one that the API has"),),
    shared=True,
    group="geo",
    cost="1 query a run",
)
"""The names of countries and of what is between them and cities: regions are of many types."""

BREAKDOWNS = (
    CONVERSION_ACTION,
    Query(
        "campaign_conversion_action_daily",
        "campaign",
        ("campaign_id", "conversion_action", "date"),
        (DATE, *CAMPAIGN, *_CONVERSION_ACTION, *_CONVERSIONS),
        daily=True,
        group="conversions",
        by_conversion_windows=True,
        window_days=31,
    ),
    Query(
        "ad_group_conversion_action_daily",
        "ad_group",
        ("campaign_id", "ad_group_id", "conversion_action", "date"),
        (DATE, *CAMPAIGN, *AD_GROUP, *_CONVERSION_ACTION, *_CONVERSIONS),
        daily=True,
        group="conversions",
        by_conversion_windows=True,
        window_days=31,
    ),
    Query(
        "campaign_search_term_daily",
        "campaign_search_term_view",
        ("campaign_id", "search_term", "date"),
        (
            DATE,
            *CAMPAIGN,
            Field("search_term", "campaign_search_term_view.search_term", As.TEXT, "what people had typed"),
            *_CORE,
        ),
        daily=True,
        group="search_terms",
        cost=_A_QUERY,
    ),
    Query(
        "asset_group",
        "asset_group",
        ("asset_group_id",),
        (
            Field("campaign_id", "campaign.id", As.ID),
            Field("asset_group_id", "asset_group.id", As.ID),
            Field("asset_group_name", "asset_group.name", As.TEXT),
            Field("status", "asset_group.status", As.ENUM, "ENABLED, PAUSED or REMOVED"),
            Field("primary_status", "asset_group.primary_status", As.ENUM, "ELIGIBLE, LIMITED, NOT_ELIGIBLE, …"),
            Field(
                "primary_status_reasons",
                "asset_group.primary_status_reasons",
                As.LIST,
                "array of reasons, empty while it serves",
            ),
            Field("ad_strength", "asset_group.ad_strength", As.ENUM),
            Field("final_urls", "asset_group.final_urls", As.LIST, "array of URLs"),
            Field("final_mobile_urls", "asset_group.final_mobile_urls", As.LIST, "array of URLs"),
            Field("path1", "asset_group.path1", As.TEXT, "of the URL that is shown; empty if there is none"),
            Field("path2", "asset_group.path2", As.TEXT, "of the URL that is shown; empty if there is none"),
        ),
        where=every("asset_group.status"),
        group="asset_groups",
        cost="1 query an account",
    ),
    Query(
        "asset_group_daily",
        "asset_group",
        ("campaign_id", "asset_group_id", "date"),
        (DATE, *CAMPAIGN, *_ASSET_GROUP, *_OF_ASSET_GROUPS),
        where=every("asset_group.status"),
        daily=True,
        group="asset_groups",
        cost=_A_QUERY,
    ),
    Query(
        "geo_daily",
        "geographic_view",
        ("campaign_id", "country_criterion_id", "location_type", "geo_target_region", "date"),
        (
            DATE,
            *CAMPAIGN,
            Field("country_criterion_id", "geographic_view.country_criterion_id", As.ID, "id of Google's geo targets"),
            Field(
                "location_type",
                "geographic_view.location_type",
                As.ENUM,
                "LOCATION_OF_PRESENCE: where people were; AREA_OF_INTEREST: what they were looking for",
            ),
            Field(
                "geo_target_region", "segments.geo_target_region", As.TEXT, "geoTargetConstants/ID; empty if unknown"
            ),
            *_CORE,
        ),
        daily=True,
        group="geo",
        cost=f"{_A_QUERY}, a row for each region",
    ),
    GEO_TARGET_CONSTANT,
    Query(
        "campaign_device_network_daily",
        "campaign",
        ("campaign_id", "device", "ad_network_type", "date"),
        (
            DATE,
            *CAMPAIGN,
            Field("device", "segments.device", As.ENUM, "MOBILE, DESKTOP, TABLET, CONNECTED_TV, OTHER"),
            Field(
                "ad_network_type", "segments.ad_network_type", As.ENUM, "SEARCH, SEARCH_PARTNERS, CONTENT, YOUTUBE, …"
            ),
            *_CORE,
        ),
        daily=True,
        group="placement",
        cost=_A_QUERY,
    ),
    Query(
        "campaign_hourly",
        "campaign",
        ("campaign_id", "date", "hour"),
        (DATE, Field("hour", "segments.hour", As.INTEGER, "0 to 23, of that day"), *CAMPAIGN, *_CORE),
        daily=True,
        group="hourly",
        grain=Grain.HOUR,
        cost=f"{_A_QUERY}, 24 times the rows of campaign_daily",
    ),
    # The views of people tell whom ad groups served, with criteria of their own or, as most, without: a condition on
    # the status of a criterion would ask for what need not be there.
    Query(
        "age_range_daily",
        "age_range_view",
        ("campaign_id", "ad_group_id", "criterion_id", "date"),
        (
            DATE,
            *CAMPAIGN,
            *AD_GROUP,
            Field("criterion_id", "ad_group_criterion.criterion_id", As.ID, "503001 to 503006, 503999 undetermined"),
            Field(
                "age_range",
                "ad_group_criterion.age_range.type",
                As.ENUM,
                "AGE_RANGE_18_24 to AGE_RANGE_65_UP, AGE_RANGE_UNDETERMINED",
            ),
            *_CORE,
        ),
        daily=True,
        group="audience",
        cost=_A_QUERY,
    ),
    Query(
        "gender_daily",
        "gender_view",
        ("campaign_id", "ad_group_id", "criterion_id", "date"),
        (
            DATE,
            *CAMPAIGN,
            *AD_GROUP,
            Field("criterion_id", "ad_group_criterion.criterion_id", As.ID, "10 male, 11 female, 20 undetermined"),
            Field("gender", "ad_group_criterion.gender.type", As.ENUM, "MALE, FEMALE, UNDETERMINED"),
            *_CORE,
        ),
        daily=True,
        group="audience",
        cost=_A_QUERY,
    ),
)
