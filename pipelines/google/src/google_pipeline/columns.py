"""The columns that several tables have, as data."""

from __future__ import annotations

from google_pipeline.queries import As, Field

DATE = Field("date", "segments.date", As.DAY, "in the account's time zone")
CAMPAIGN = (
    Field("campaign_id", "campaign.id", As.ID),
    Field("campaign_name", "campaign.name", As.TEXT, "as it is now, not as it was on the day"),
)
AD_GROUP = (
    Field("ad_group_id", "ad_group.id", As.ID),
    Field("ad_group_name", "ad_group.name", As.TEXT, "as it is now, not as it was on the day"),
)
METRICS = (
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
TOP = (
    Field("top_impression_percentage", "metrics.top_impression_percentage", As.NUMBER, "0 to 1"),
    Field("absolute_top_impression_percentage", "metrics.absolute_top_impression_percentage", As.NUMBER, "0 to 1"),
)
SHARE = (
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
    *TOP,
)
BUDGET_LOST = Field(
    "search_budget_lost_impression_share",
    "metrics.search_budget_lost_impression_share",
    As.NUMBER,
    "0 to 0.9; Google reports 0.9001 for all above",
)
