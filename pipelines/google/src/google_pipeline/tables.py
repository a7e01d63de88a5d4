"""The tables of this pipeline, as data: adding a report is adding a `Query` here."""

from __future__ import annotations

from google_pipeline.queries import As, Field, Query
from wire import Column, Grain, Type

_DATE = Field("date", "segments.date", As.DAY, "in the account's time zone")
_CAMPAIGN = (
    Field("campaign_id", "campaign.id", As.ID),
    Field("campaign_name", "campaign.name", As.TEXT, "as it is now, not as it was on the day"),
)
_AD_GROUP = (
    Field("ad_group_id", "ad_group.id", As.ID),
    Field("ad_group_name", "ad_group.name", As.TEXT, "as it is now, not as it was on the day"),
)
_METRICS = (
    Field("impressions", "metrics.impressions", As.INTEGER),
    Field("clicks", "metrics.clicks", As.INTEGER),
    Field("cost", "metrics.cost_micros", As.MICROS, "account currency"),
    Field("conversions", "metrics.conversions", As.NUMBER, "fractions occur; restated for weeks"),
    Field("conversions_value", "metrics.conversions_value", As.NUMBER, "account currency, as a double"),
    Field("all_conversions", "metrics.all_conversions", As.NUMBER, "includes secondary conversion actions"),
    Field("all_conversions_value", "metrics.all_conversions_value", As.NUMBER, "account currency, as a double"),
    Field("view_through_conversions", "metrics.view_through_conversions", As.INTEGER),
    Field("interactions", "metrics.interactions", As.INTEGER, "the main action of the ad format: a click, a view"),
    Field("engagements", "metrics.engagements", As.INTEGER),
    Field("video_trueview_views", "metrics.video_trueview_views", As.INTEGER, "called views in the UI"),
    Field("video_quartile_p25_rate", "metrics.video_quartile_p25_rate", As.NUMBER, "0 to 1, of the views"),
    Field("video_quartile_p50_rate", "metrics.video_quartile_p50_rate", As.NUMBER, "0 to 1, of the views"),
    Field("video_quartile_p75_rate", "metrics.video_quartile_p75_rate", As.NUMBER, "0 to 1, of the views"),
    Field("video_quartile_p100_rate", "metrics.video_quartile_p100_rate", As.NUMBER, "0 to 1, of the views"),
)
_TOP = (
    Field("top_impression_percentage", "metrics.top_impression_percentage", As.NUMBER, "0 to 1"),
    Field("absolute_top_impression_percentage", "metrics.absolute_top_impression_percentage", As.NUMBER, "0 to 1"),
)
_SHARE = (
    Field(
        "search_impression_share",
        "metrics.search_impression_share",
        As.NUMBER,
        "0.1 to 1; Google reports 0.0999 for all below",
    ),
    Field(
        "search_rank_lost_impression_share",
        "metrics.search_rank_lost_impression_share",
        As.NUMBER,
        "0 to 0.9; Google reports 0.9001 for all above",
    ),
    *_TOP,
)
_BUDGET_LOST = Field(
    "search_budget_lost_impression_share",
    "metrics.search_budget_lost_impression_share",
    As.NUMBER,
    "0 to 0.9; Google reports 0.9001 for all above",
)


def every(status: str) -> str:
    """A condition on a status that holds always: without one Google leaves removed ads and keywords out."""
    return f"{status} IN ('ENABLED', 'PAUSED', 'REMOVED')"


CUSTOMER = Query(
    "customer",
    "customer_client",
    (),
    (
        Field("descriptive_name", "customer_client.descriptive_name", As.TEXT),
        Field("currency_code", "customer_client.currency_code", As.TEXT, "ISO 4217"),
        Field("time_zone", "customer_client.time_zone", As.TEXT, "IANA name; all dates of the account are in it"),
        Field("status", "customer_client.status", As.ENUM, "ENABLED, SUSPENDED, CANCELED or CLOSED"),
        Field("is_test_account", "customer_client.test_account", As.FLAG),
        Field("is_hidden", "customer_client.hidden", As.FLAG),
        Field("manager_level", "customer_client.level", As.INTEGER, "1 directly below the login customer"),
    ),
    given=(Column("manager_customer_id", Type.STRING, "the login customer it is reached through; null without one"),),
)

ENTITIES = (
    Query(
        "campaign",
        "campaign",
        ("campaign_id",),
        (
            Field("campaign_id", "campaign.id", As.ID),
            Field("campaign_name", "campaign.name", As.TEXT),
            Field("status", "campaign.status", As.ENUM, "ENABLED, PAUSED or REMOVED"),
            Field("serving_status", "campaign.serving_status", As.ENUM),
            Field("advertising_channel_type", "campaign.advertising_channel_type", As.ENUM),
            Field("advertising_channel_sub_type", "campaign.advertising_channel_sub_type", As.ENUM),
            Field("bidding_strategy_type", "campaign.bidding_strategy_type", As.ENUM),
            Field("campaign_budget_id", "campaign_budget.id", As.ID),
            Field("start_date_time", "campaign.start_date_time", As.TEXT, "yyyy-MM-dd HH:mm:ss, account time"),
            Field("end_date_time", "campaign.end_date_time", As.TEXT, "yyyy-MM-dd HH:mm:ss, account time"),
        ),
    ),
    Query(
        "campaign_budget",
        "campaign_budget",
        ("campaign_budget_id",),
        (
            Field("campaign_budget_id", "campaign_budget.id", As.ID),
            Field("campaign_budget_name", "campaign_budget.name", As.TEXT),
            Field("status", "campaign_budget.status", As.ENUM, "ENABLED or REMOVED"),
            Field("amount", "campaign_budget.amount_micros", As.MICROS, "account currency, per period"),
            Field("total_amount", "campaign_budget.total_amount_micros", As.MICROS, "account currency"),
            Field("period", "campaign_budget.period", As.ENUM),
            Field("delivery_method", "campaign_budget.delivery_method", As.ENUM),
            Field("is_shared", "campaign_budget.explicitly_shared", As.FLAG),
            Field("reference_count", "campaign_budget.reference_count", As.INTEGER, "campaigns that use it"),
        ),
    ),
    Query(
        "ad_group",
        "ad_group",
        ("ad_group_id",),
        (
            Field("campaign_id", "campaign.id", As.ID),
            Field("ad_group_id", "ad_group.id", As.ID),
            Field("ad_group_name", "ad_group.name", As.TEXT),
            Field("status", "ad_group.status", As.ENUM, "ENABLED, PAUSED or REMOVED"),
            Field("ad_group_type", "ad_group.type", As.ENUM),
            Field("cpc_bid", "ad_group.cpc_bid_micros", As.MICROS, "account currency"),
            Field("target_cpa", "ad_group.target_cpa_micros", As.MICROS, "account currency"),
            Field("target_roas", "ad_group.target_roas", As.NUMBER, "value per unit of cost"),
        ),
    ),
    Query(
        "ad",
        "ad_group_ad",
        ("ad_group_id", "ad_id"),
        (
            Field("campaign_id", "campaign.id", As.ID),
            Field("ad_group_id", "ad_group.id", As.ID),
            Field("ad_id", "ad_group_ad.ad.id", As.ID, "an ad may stand in several ad groups"),
            Field("ad_name", "ad_group_ad.ad.name", As.TEXT, "null for most ad types"),
            Field("status", "ad_group_ad.status", As.ENUM, "ENABLED, PAUSED or REMOVED"),
            Field("ad_type", "ad_group_ad.ad.type", As.ENUM),
            Field("ad_strength", "ad_group_ad.ad_strength", As.ENUM),
            Field("approval_status", "ad_group_ad.policy_summary.approval_status", As.ENUM),
            Field("final_urls", "ad_group_ad.ad.final_urls", As.LIST, "array of URLs"),
        ),
        where=every("ad_group_ad.status"),
    ),
    Query(
        "keyword",
        "ad_group_criterion",
        ("ad_group_id", "criterion_id"),
        (
            Field("campaign_id", "campaign.id", As.ID),
            Field("ad_group_id", "ad_group.id", As.ID),
            Field("criterion_id", "ad_group_criterion.criterion_id", As.ID, "unique only within its ad group"),
            Field("keyword_text", "ad_group_criterion.keyword.text", As.TEXT),
            Field("match_type", "ad_group_criterion.keyword.match_type", As.ENUM, "EXACT, PHRASE or BROAD"),
            Field("is_negative", "ad_group_criterion.negative", As.FLAG),
            Field("status", "ad_group_criterion.status", As.ENUM, "ENABLED, PAUSED or REMOVED"),
            Field("approval_status", "ad_group_criterion.approval_status", As.ENUM),
            Field("cpc_bid", "ad_group_criterion.cpc_bid_micros", As.MICROS, "account currency"),
            Field("quality_score", "ad_group_criterion.quality_info.quality_score", As.INTEGER, "1 to 10"),
        ),
        where=f"ad_group_criterion.type = 'KEYWORD' AND {every('ad_group_criterion.status')}",
    ),
)

_CONVERSION_ACTION = (
    Field("conversion_action", "segments.conversion_action", As.TEXT, "customers/ID/conversionActions/ID"),
    Field("conversion_action_name", "segments.conversion_action_name", As.TEXT, "as it is now; two may share one"),
    Field("conversion_action_category", "segments.conversion_action_category", As.ENUM, "PURCHASE, SIGNUP, …"),
)
_CONVERSIONS = tuple(field for field in _METRICS if "conversions" in field.column)
_CORE = tuple(
    field
    for field in _METRICS
    if not field.column.startswith(("video", "all_")) and field.column != "view_through_conversions"
)
_A_QUERY = "1 query an account and 7 days"
LONGEST_WINDOW = 90
"""Days for which a conversion can still be credited to the day of its click, the most that an action can be set to."""

ACCOUNT_DAILY = Query(
    "account_daily",
    "customer",
    ("date",),
    (
        _DATE,
        *(field for field in _METRICS if not field.column.startswith("video")),
    ),
    daily=True,
)
"""What an account did on each day, without a word about campaigns: the control total of the levels below."""

REPORTS = (
    Query(
        "campaign_daily",
        "campaign",
        ("campaign_id", "date"),
        (_DATE, *_CAMPAIGN, *_METRICS, *_SHARE, _BUDGET_LOST),
        daily=True,
    ),
    Query(
        "ad_group_daily",
        "ad_group",
        ("campaign_id", "ad_group_id", "date"),
        (_DATE, *_CAMPAIGN, *_AD_GROUP, *_METRICS, *_SHARE),
        daily=True,
    ),
    Query(
        "ad_daily",
        "ad_group_ad",
        ("campaign_id", "ad_group_id", "ad_id", "date"),
        (
            _DATE,
            *_CAMPAIGN,
            *_AD_GROUP,
            Field("ad_id", "ad_group_ad.ad.id", As.ID),
            Field("ad_name", "ad_group_ad.ad.name", As.TEXT, "null for most ad types"),
            *_METRICS,
            *_TOP,
        ),
        where=every("ad_group_ad.status"),
        daily=True,
    ),
    Query(
        "keyword_daily",
        "keyword_view",
        ("campaign_id", "ad_group_id", "criterion_id", "date"),
        (
            _DATE,
            *_CAMPAIGN,
            *_AD_GROUP,
            Field("criterion_id", "ad_group_criterion.criterion_id", As.ID, "unique only within its ad group"),
            Field("keyword_text", "ad_group_criterion.keyword.text", As.TEXT),
            Field("match_type", "ad_group_criterion.keyword.match_type", As.ENUM, "EXACT, PHRASE or BROAD"),
            *_METRICS,
            *_SHARE,
            Field("historical_quality_score", "metrics.historical_quality_score", As.INTEGER, "1 to 10, on the day"),
        ),
        where=every("ad_group_criterion.status"),
        daily=True,
    ),
    Query(
        "search_term_daily",
        "search_term_view",
        ("campaign_id", "ad_group_id", "search_term", "search_term_match_type", "date"),
        (
            _DATE,
            *_CAMPAIGN,
            *_AD_GROUP,
            Field("search_term", "search_term_view.search_term", As.TEXT, "what people had typed"),
            Field("search_term_match_type", "segments.search_term_match_type", As.ENUM, "how it met a keyword"),
            Field("search_term_status", "search_term_view.status", As.ENUM, "ADDED, EXCLUDED, NONE, ..."),
            *_METRICS,
            *_TOP,
        ),
        daily=True,
    ),
    ACCOUNT_DAILY,
    Query(
        "campaign_conversion_action_daily",
        "campaign",
        ("campaign_id", "conversion_action", "date"),
        (_DATE, *_CAMPAIGN, *_CONVERSION_ACTION, *_CONVERSIONS),
        daily=True,
        group="conversions",
        lookback_days=LONGEST_WINDOW,
        window_days=31,
    ),
    Query(
        "ad_group_conversion_action_daily",
        "ad_group",
        ("campaign_id", "ad_group_id", "conversion_action", "date"),
        (_DATE, *_CAMPAIGN, *_AD_GROUP, *_CONVERSION_ACTION, *_CONVERSIONS),
        daily=True,
        group="conversions",
        lookback_days=LONGEST_WINDOW,
        window_days=31,
    ),
    Query(
        "campaign_search_term_daily",
        "campaign_search_term_view",
        ("campaign_id", "search_term", "date"),
        (
            _DATE,
            *_CAMPAIGN,
            Field("search_term", "campaign_search_term_view.search_term", As.TEXT, "what people had typed"),
            *_CORE,
        ),
        daily=True,
        group="search_terms",
        cost=_A_QUERY,
    ),
    Query(
        "geo_daily",
        "geographic_view",
        ("campaign_id", "country_criterion_id", "location_type", "geo_target_region", "date"),
        (
            _DATE,
            *_CAMPAIGN,
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
    Query(
        "campaign_device_network_daily",
        "campaign",
        ("campaign_id", "device", "ad_network_type", "date"),
        (
            _DATE,
            *_CAMPAIGN,
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
        (_DATE, Field("hour", "segments.hour", As.INTEGER, "0 to 23, of that day"), *_CAMPAIGN, *_CORE),
        daily=True,
        group="hourly",
        grain=Grain.HOUR,
        cost=f"{_A_QUERY}, 24 times the rows of campaign_daily",
    ),
    Query(
        "gender_daily",
        "gender_view",
        ("campaign_id", "ad_group_id", "criterion_id", "date"),
        (
            _DATE,
            *_CAMPAIGN,
            *_AD_GROUP,
            Field("criterion_id", "ad_group_criterion.criterion_id", As.ID, "10 male, 11 female, 20 undetermined"),
            Field("gender", "ad_group_criterion.gender.type", As.ENUM, "MALE, FEMALE, UNDETERMINED"),
            *_CORE,
        ),
        daily=True,
        group="audience",
        cost=_A_QUERY,
    ),
)

CAMPAIGNS_TOTAL = Query(
    "the total of the campaigns",
    "campaign",
    ("campaign_id", "date"),
    (_DATE, _CAMPAIGN[0], *_METRICS[:3]),
    daily=True,
)
"""What is asked where `ACCOUNT_DAILY` comes without rows; it is no table."""

QUERIES = (CUSTOMER, *ENTITIES, *REPORTS)
TABLES = tuple(query.table for query in QUERIES)
