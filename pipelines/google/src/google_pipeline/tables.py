"""The tables of this pipeline, as data: adding a report is adding a `Query` here, or in `breakdowns`."""

from __future__ import annotations

from google_pipeline.breakdowns import BREAKDOWNS
from google_pipeline.columns import AD_GROUP, BUDGET_LOST, CAMPAIGN, DATE, METRICS, SHARE, TOP
from google_pipeline.queries import As, Field, Query, every
from wire import Column, Type

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

ACCOUNT_DAILY = Query(
    "account_daily",
    "customer",
    ("date",),
    (
        DATE,
        *(field for field in METRICS if not field.column.startswith("video")),
    ),
    daily=True,
)
"""What an account did on each day, without a word about campaigns: the control total of the levels below."""

REPORTS = (
    Query(
        "campaign_daily",
        "campaign",
        ("campaign_id", "date"),
        (DATE, *CAMPAIGN, *METRICS, *SHARE, BUDGET_LOST),
        daily=True,
    ),
    Query(
        "ad_group_daily",
        "ad_group",
        ("campaign_id", "ad_group_id", "date"),
        (DATE, *CAMPAIGN, *AD_GROUP, *METRICS, *SHARE),
        daily=True,
    ),
    Query(
        "ad_daily",
        "ad_group_ad",
        ("campaign_id", "ad_group_id", "ad_id", "date"),
        (
            DATE,
            *CAMPAIGN,
            *AD_GROUP,
            Field("ad_id", "ad_group_ad.ad.id", As.ID),
            Field("ad_name", "ad_group_ad.ad.name", As.TEXT, "null for most ad types"),
            *METRICS,
            *TOP,
        ),
        where=every("ad_group_ad.status"),
        daily=True,
    ),
    Query(
        "keyword_daily",
        "keyword_view",
        ("campaign_id", "ad_group_id", "criterion_id", "date"),
        (
            DATE,
            *CAMPAIGN,
            *AD_GROUP,
            Field("criterion_id", "ad_group_criterion.criterion_id", As.ID, "unique only within its ad group"),
            Field("keyword_text", "ad_group_criterion.keyword.text", As.TEXT),
            Field("match_type", "ad_group_criterion.keyword.match_type", As.ENUM, "EXACT, PHRASE or BROAD"),
            *METRICS,
            *SHARE,
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
            DATE,
            *CAMPAIGN,
            *AD_GROUP,
            Field("search_term", "search_term_view.search_term", As.TEXT, "what people had typed"),
            Field("search_term_match_type", "segments.search_term_match_type", As.ENUM, "how it met a keyword"),
            Field("search_term_status", "search_term_view.status", As.ENUM, "ADDED, EXCLUDED, NONE, ..."),
            *METRICS,
            *TOP,
        ),
        daily=True,
    ),
    ACCOUNT_DAILY,
)

CAMPAIGNS_TOTAL = Query(
    "the total of the campaigns",
    "campaign",
    ("campaign_id", "date"),
    (DATE, CAMPAIGN[0], *METRICS[:3]),
    daily=True,
)
"""What is asked where `ACCOUNT_DAILY` comes without rows; it is no table."""

QUERIES = (CUSTOMER, *ENTITIES, *REPORTS, *BREAKDOWNS)
TABLES = tuple(query.table for query in QUERIES)
