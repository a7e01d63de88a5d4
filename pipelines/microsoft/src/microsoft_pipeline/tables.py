"""The tables, as data: which field of the service fills which column, of which type and unit.

A daily report is added by adding a `Report`; its request, its parsing, its table and its key follow from it. A field
with an empty source is filled by the pipeline: the account's own values, and whether the day was over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from wire import CORE, Column, Grain, Table, Type

THREE_YEARS = 3 * 365
"""For how many days Microsoft keeps daily data of most reports (guides/report-data-retention-time-periods)."""
SIX_MONTHS = 181
"""And hourly data (the same page)."""


class Field(Struct, frozen=True):
    """One column and the API's name of its content: a report column, or the path of an attribute (`CpcBid.Amount`).

    `bulk` is the column of a Bulk file that has the same content; without it, the file has none.
    """

    column: Column
    source: str
    bulk: str = ""


class Entity(Struct, frozen=True):
    """A snapshot of one kind of thing in an account."""

    table: Table
    fields: tuple[Field, ...]

    @property
    def key(self) -> str:
        """The column that tells an account's rows apart."""
        return self.table.key[-1]


class Report(Struct, frozen=True):
    """A report of the Reporting service; `kind` is its request type without "Request".

    `filter` is that of its request. One that `may_be_empty` can have no rows although the account has numbers.
    `lookback_days` of None means the setting.
    """

    table: Table
    kind: str
    fields: tuple[Field, ...]
    grain: Grain = Grain.DAY
    filter: Mapping[str, Any] = {}
    kept_days: int = THREE_YEARS
    lookback_days: int | None = None
    may_be_empty: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The report columns to ask for."""
        return tuple(dict.fromkeys(field.source for field in self.fields if field.source))

    @property
    def is_monthly(self) -> bool:
        return self.grain is Grain.MONTH

    @property
    def is_own(self) -> bool:
        """Whether a user defined it."""
        return bool(self.table.fingerprint)


def _field(name: str, kind: Type, source: str, note: str = "", *, bulk: str = "") -> Field:
    return Field(Column(name, kind, note), source, bulk)


def _text(name: str, source: str, note: str = "", *, bulk: str = "") -> Field:
    return _field(name, Type.STRING, source, note, bulk=bulk)


def _count(name: str, source: str, note: str = "count") -> Field:
    return _field(name, Type.INTEGER, source, note)


def _number(name: str, source: str, note: str) -> Field:
    return _field(name, Type.NUMBER, source, note)


def _money(name: str, source: str, note: str = "in currency_code", *, bulk: str = "") -> Field:
    return _field(name, Type.DECIMAL, source, note, bulk=bulk)


def _percent(name: str, source: str) -> Field:
    return _number(name, source, "percent, 0 to 100")


def _entity(name: str, key: tuple[str, ...], *fields: Field, **more: str) -> Entity:
    """`more` are group and cost of the table."""
    return Entity(Table(name, tuple(field.column for field in fields), key, **more), fields)


def report(
    name: str,
    kind: str,
    key: Sequence[str],
    currency: str,
    *fields: Field,
    grain: Grain = Grain.DAY,
    fingerprint: str = "",
    group: str = CORE,
    cost: str = "",
    **others: Any,
) -> Report:
    """A report keyed by account, `key`, and the day with its hour where that is the grain.

    `currency` is its currency column, or empty if it has none; `group` and `cost` are the table's, `others` are fields
    of `Report`.
    """
    is_hourly = grain is Grain.HOUR
    every = (
        _ACCOUNT_ID_OF_REPORT,
        _field("date", Type.DATE, TIME, _DATES[grain]),
        *([_field("hour", Type.INTEGER, TIME, "0 to 23, of that day")] if is_hourly else []),
        *fields,
        _text("currency_code", currency, "ISO 4217"),
        _field("is_final", Type.BOOLEAN, "", f"the {_PERIODS[grain]} was over in the account's time zone when loaded"),
    )
    keyed = ("account_id", *key, "date", *(["hour"] if is_hourly else []))
    columns = tuple(field.column for field in every)
    table = Table(name, columns, keyed, "date", fingerprint, group=group, cost=cost)
    return Report(table, kind, every, grain, **others)


TIME = "TimePeriod"
_DATES = {
    Grain.DAY: "day in the account's time zone",
    Grain.HOUR: "day in the account's time zone",
    Grain.MONTH: "first day of the month in the account's time zone",
}
_PERIODS = {Grain.DAY: "day", Grain.HOUR: "day", Grain.MONTH: "month"}
_ACCOUNT_ID = _text("account_id", "")
_ACCOUNT_ID_OF_REPORT = _text("account_id", "AccountId")
_CURRENCY = _text("currency_code", "", "ISO 4217, the account's")
_TRACKING = (
    _text("tracking_url_template", "TrackingUrlTemplate", bulk="Tracking Template"),
    _text("final_url_suffix", "FinalUrlSuffix", bulk="Final Url Suffix"),
)

ACCOUNT = _entity(
    "account",
    ("account_id",),
    _text("account_id", "Id"),
    _text("account_number", "Number", "as shown in the user interface"),
    _text("account_name", "Name"),
    _text("customer_id", "ParentCustomerId", "the manager account it belongs to"),
    _text("currency_code", "CurrencyCode", "ISO 4217"),
    _text("time_zone", "TimeZone", "Microsoft's own name"),
    _text("iana_time_zone", "", "the same as an IANA name"),
    _text("status", "AccountLifeCycleStatus", "Draft, Active, Inactive, Pause, Pending, Suspended"),
    _text("financial_status", "AccountFinancialStatus"),
    _count("pause_reason", "PauseReason", "code"),
    _text("language", "Language"),
)
CAMPAIGN = _entity(
    "campaign",
    ("account_id", "campaign_id"),
    _ACCOUNT_ID,
    _text("campaign_id", "Id", bulk="Id"),
    _text("campaign_name", "Name", bulk="Campaign"),
    _text("campaign_type", "CampaignType", bulk="Campaign Type"),
    _text("sub_type", "SubType", bulk="Sub Type"),
    _text("status", "Status", "Active, Paused, BudgetPaused, BudgetAndManualPaused, Suspended", bulk="Status"),
    _text("budget_type", "BudgetType", bulk="Budget Type"),
    _text("budget_id", "BudgetId", "only of a shared budget", bulk="Budget Id"),
    _money("daily_budget", "DailyBudget", bulk="Budget"),
    _CURRENCY,
    _text("bidding_scheme", "BiddingScheme.Type", bulk="Bid Strategy Type"),
    _text("bid_strategy_id", "BidStrategyId", bulk="Bid Strategy Id"),
    _text("time_zone", "TimeZone", "Microsoft's own name", bulk="Time Zone"),
    _field("languages", Type.JSON, "Languages", bulk="Language"),
    *_TRACKING,
)
AD_GROUP = _entity(
    "ad_group",
    ("account_id", "ad_group_id"),
    _ACCOUNT_ID,
    _text("campaign_id", ""),
    _text("ad_group_id", "Id", bulk="Id"),
    _text("ad_group_name", "Name", bulk="Ad Group"),
    _text("ad_group_type", "AdGroupType", bulk="Ad Group Type"),
    _text("status", "Status", "Active, Paused, Expired", bulk="Status"),
    _money("cpc_bid", "CpcBid.Amount", bulk="Cpc Bid"),
    _CURRENCY,
    _text("bidding_scheme", "BiddingScheme.Type", bulk="Bid Strategy Type"),
    _text("network", "Network", bulk="Network Distribution"),
    _text("language", "Language", bulk="Language"),
    _field("start_date", Type.DATE, "StartDate", bulk="Start Date"),
    _field("end_date", Type.DATE, "EndDate", bulk="End Date"),
    *_TRACKING,
)
AD = _entity(
    "ad",
    ("account_id", "ad_id"),
    _ACCOUNT_ID,
    _text("campaign_id", ""),
    _text("ad_group_id", ""),
    _text("ad_id", "Id", bulk="Id"),
    _text("ad_title", "", "title, first title part, or first headline, whichever the type of ad has"),
    _text("ad_type", "Type", bulk="Type"),
    _text("status", "Status", "Active, Paused, Inactive", bulk="Status"),
    _text("editorial_status", "EditorialStatus", bulk="Editorial Status"),
    _text("title_part1", "TitlePart1", bulk="Title Part 1"),
    _text("title_part2", "TitlePart2", bulk="Title Part 2"),
    _text("title_part3", "TitlePart3", bulk="Title Part 3"),
    _text("text", "Text", bulk="Text"),
    _field("headlines", Type.JSON, "Headlines", "texts", bulk="Headline"),
    _field("descriptions", Type.JSON, "Descriptions", "texts", bulk="Description"),
    _text("path1", "Path1", bulk="Path 1"),
    _text("path2", "Path2", bulk="Path 2"),
    _field("final_urls", Type.JSON, "FinalUrls", bulk="Final Url"),
    *_TRACKING,
)
KEYWORD = _entity(
    "keyword",
    ("account_id", "keyword_id"),
    _ACCOUNT_ID,
    _text("campaign_id", ""),
    _text("ad_group_id", ""),
    _text("keyword_id", "Id", bulk="Id"),
    _text("keyword_text", "Text", bulk="Keyword"),
    _text("match_type", "MatchType", "Exact, Phrase, Broad", bulk="Match Type"),
    _text("status", "Status", "Active, Paused, Inactive", bulk="Status"),
    _text("editorial_status", "EditorialStatus", bulk="Editorial Status"),
    _money("bid", "Bid.Amount", "in currency_code; null where the ad group's bid holds", bulk="Bid"),
    _CURRENCY,
    _field("final_urls", Type.JSON, "FinalUrls", bulk="Final Url"),
    *_TRACKING,
)
_ASSET_GROUPS = "asset_groups"
ASSET_GROUP = _entity(
    "asset_group",
    ("account_id", "asset_group_id"),
    _ACCOUNT_ID,
    _text("campaign_id", ""),
    _text("asset_group_id", "Id", bulk="Id"),
    _text("asset_group_name", "Name", bulk="Asset Group"),
    _text("status", "Status", "Active, Paused, Expired", bulk="Status"),
    _text("editorial_status", "EditorialStatus", "Active, Disapproved, Inactive, …", bulk="Editorial Status"),
    _field("start_date", Type.DATE, "StartDate", bulk="Start Date"),
    _field("end_date", Type.DATE, "EndDate", bulk="End Date"),
    _text("business_name", "BusinessName", bulk="Business Name"),
    _text("call_to_action", "CallToAction", bulk="Call To Action"),
    _field("headlines", Type.JSON, "Headlines", "texts", bulk="Headlines"),
    _field("long_headlines", Type.JSON, "LongHeadlines", "texts", bulk="Long Headlines"),
    _field("descriptions", Type.JSON, "Descriptions", "texts", bulk="Descriptions"),
    _text("path1", "Path1", bulk="Path 1"),
    _text("path2", "Path2", bulk="Path 2"),
    _field("final_urls", Type.JSON, "FinalUrls", bulk="Final Url"),
    *_TRACKING,
    group=_ASSET_GROUPS,
    cost="in the account's Bulk file",
)
ENTITIES = (ACCOUNT, CAMPAIGN, AD_GROUP, AD, KEYWORD, ASSET_GROUP)

_CAMPAIGN_IDS = (_text("campaign_id", "CampaignId"), _text("campaign_name", "CampaignName"))
_AD_GROUP_IDS = (*_CAMPAIGN_IDS, _text("ad_group_id", "AdGroupId"), _text("ad_group_name", "AdGroupName"))
_METRICS = (
    _count("impressions", "Impressions"),
    _count("clicks", "Clicks"),
    _money("spend", "Spend"),
    _number("conversions", "Conversions", "count, whole conversions"),
    _number("conversions_qualified", "ConversionsQualified", "count, fractions as attributed"),
    _money("revenue", "Revenue"),
    _number("all_conversions", "AllConversions", "count, whole conversions, of all goals"),
    _number("all_conversions_qualified", "AllConversionsQualified", "count, fractions as attributed, of all goals"),
    _money("all_revenue", "AllRevenue"),
    _count("assists", "Assists", "conversions that an earlier click helped to"),
)
_VIEW_THROUGH = (
    _count("view_through_conversions", "ViewThroughConversions"),
    _number("view_through_conversions_qualified", "ViewThroughConversionsQualified", "count, fractions as attributed"),
    _money("view_through_revenue", "ViewThroughRevenue"),
)
_VIDEO = (
    _count("video_views", "VideoViews"),
    _count("video_views_at25_percent", "VideoViewsAt25Percent"),
    _count("video_views_at50_percent", "VideoViewsAt50Percent"),
    _count("video_views_at75_percent", "VideoViewsAt75Percent"),
    _count("completed_video_views", "CompletedVideoViews"),
    _count("total_watch_time_in_ms", "TotalWatchTimeInMS", "milliseconds"),
)

CAMPAIGN_DAILY = report(
    "campaign_daily",
    "CampaignPerformanceReport",
    ("campaign_id",),
    "CurrencyCode",
    *_CAMPAIGN_IDS,
    _text("campaign_status", "CampaignStatus", "Deleted ones included"),
    _text("campaign_type", "CampaignType"),
    *_METRICS,
    *_VIEW_THROUGH,
    *_VIDEO,
)
# Beside these shares the service accepts no BidMatchType, DeviceOS, Goal, GoalType, TopVsOther or budget columns,
# which a breakdown of campaign_daily may want; so they have a report of their own.
CAMPAIGN_IMPRESSION_SHARE_DAILY = report(
    "campaign_impression_share_daily",
    "CampaignPerformanceReport",
    ("campaign_id",),
    "CurrencyCode",
    *_CAMPAIGN_IDS,
    _count("impressions", "Impressions"),
    _percent("impression_share_percent", "ImpressionSharePercent"),
    _percent("impression_lost_to_budget_percent", "ImpressionLostToBudgetPercent"),
    _percent("impression_lost_to_rank_agg_percent", "ImpressionLostToRankAggPercent"),
    _percent("exact_match_impression_share_percent", "ExactMatchImpressionSharePercent"),
    _percent("click_share_percent", "ClickSharePercent"),
    _percent("top_impression_share_percent", "TopImpressionSharePercent"),
    _percent("absolute_top_impression_share_percent", "AbsoluteTopImpressionSharePercent"),
    _percent("top_impression_rate_percent", "TopImpressionRatePercent"),
    _percent("absolute_top_impression_rate_percent", "AbsoluteTopImpressionRatePercent"),
)
AD_GROUP_DAILY = report(
    "ad_group_daily",
    "AdGroupPerformanceReport",
    ("campaign_id", "ad_group_id"),
    "CurrencyCode",
    *_AD_GROUP_IDS,
    _text("ad_group_status", "Status"),
    *_METRICS,
    *_VIEW_THROUGH,
    *_VIDEO,
)
AD_DAILY = report(
    "ad_daily",
    "AdPerformanceReport",
    ("campaign_id", "ad_group_id", "ad_id"),
    "CurrencyCode",
    *_AD_GROUP_IDS,
    _text("ad_id", "AdId"),
    _text("ad_title", "AdTitle"),
    _text("ad_type", "AdType"),
    _text("ad_status", "AdStatus"),
    *_METRICS,
    *_VIEW_THROUGH,
    *_VIDEO,
)
KEYWORD_DAILY = report(
    "keyword_daily",
    "KeywordPerformanceReport",
    ("campaign_id", "ad_group_id", "keyword_id"),
    "CurrencyCode",
    *_AD_GROUP_IDS,
    _text("keyword_id", "KeywordId"),
    _text("keyword_text", "Keyword"),
    _text("keyword_status", "KeywordStatus"),
    _count("historical_quality_score", "HistoricalQualityScore", "1 to 10, on that day"),
    *_METRICS,
    *_VIEW_THROUGH,
)
# This report alone has neither a currency nor view-through conversions; the currency is the account's.
SEARCH_QUERY_DAILY = report(
    "search_query_daily",
    "SearchQueryPerformanceReport",
    ("campaign_id", "ad_group_id", "keyword_id", "search_query"),
    "",
    *_AD_GROUP_IDS,
    _text("keyword_id", "KeywordId"),
    _text("keyword_text", "Keyword"),
    _text("search_query", "SearchQuery", "what people typed"),
    *_METRICS,
)
# The control total of the levels below, which is also asked where one of them comes without rows.
ACCOUNT_DAILY = report(
    "account_daily",
    "AccountPerformanceReport",
    (),
    "CurrencyCode",
    *_METRICS,
    *_VIEW_THROUGH,
    *_VIDEO,
)
_WON = (
    _number("all_conversions", "AllConversions", "count, whole conversions"),
    _number("all_conversions_qualified", "AllConversionsQualified", "count, fractions as attributed"),
    _money("all_revenue", "AllRevenue"),
    _count("assists", "Assists", "conversions that an earlier click helped to"),
    *_VIEW_THROUGH,
)
# Goals split conversions and nothing else, so that no clicks and no spend stand beside them.
CONVERSION_GOAL_DAILY = report(
    "conversion_goal_daily",
    "GoalsAndFunnelsReport",
    ("campaign_id", "ad_group_id", "goal_id", "goal"),
    "",
    *_AD_GROUP_IDS,
    _text("goal_id", "GoalId", "empty for a goal that has none, as calls"),
    _text("goal", "Goal", "name of the goal"),
    _text("goal_type", "GoalType"),
    *_WON,
    group="conversions",
    may_be_empty=True,
)
CAMPAIGN_GOAL_DAILY = report(
    "campaign_goal_daily",
    "CampaignPerformanceReport",
    ("campaign_id", "goal", "goal_type"),
    "CurrencyCode",
    *_CAMPAIGN_IDS,
    _text("goal", "Goal", "name of the goal; empty where nothing was won"),
    _text("goal_type", "GoalType"),
    _number("conversions", "Conversions", "count, whole conversions, of goals that count as conversions"),
    _number("conversions_qualified", "ConversionsQualified", "count, fractions as attributed"),
    _money("revenue", "Revenue"),
    *_WON,
    group="conversions",
    may_be_empty=True,
)
_ONE_REPORT = "1 report an account and run"
GEOGRAPHIC_DAILY = report(
    "geographic_daily",
    "GeographicPerformanceReport",
    ("campaign_id", "country", "state", "metro_area", "city", "location_type"),
    "CurrencyCode",
    *_CAMPAIGN_IDS,
    _text("country", "Country", "name; empty where it is not known"),
    _text("state", "State", "name of the state or province"),
    _text("metro_area", "MetroArea", "name"),
    _text("city", "City", "name"),
    _text("location_type", "LocationType", "where people were, or the place that they looked for"),
    *_METRICS,
    *_VIEW_THROUGH,
    group="geo",
    cost=f"{_ONE_REPORT}, a row for each place",
    may_be_empty=True,
)
CAMPAIGN_DEVICE_DAILY = report(
    "campaign_device_daily",
    "CampaignPerformanceReport",
    ("campaign_id", "device_type", "device_os", "network"),
    "CurrencyCode",
    *_CAMPAIGN_IDS,
    _text("device_type", "DeviceType", "Computer, Smartphone, Tablet, Unknown"),
    _text("device_os", "DeviceOS", "Windows, iOS, Android, Other, Unknown"),
    _text("network", "Network", "where the ad was shown"),
    *_METRICS,
    *_VIEW_THROUGH,
    group="placement",
    cost=_ONE_REPORT,
    may_be_empty=True,
)
CAMPAIGN_HOURLY = report(
    "campaign_hourly",
    "CampaignPerformanceReport",
    ("campaign_id",),
    "CurrencyCode",
    *_CAMPAIGN_IDS,
    *_METRICS,
    *_VIEW_THROUGH,
    grain=Grain.HOUR,
    kept_days=SIX_MONTHS,
    group="hourly",
    cost=f"{_ONE_REPORT}, 24 times the rows of campaign_daily",
)
AGE_GENDER_DAILY = report(
    "age_gender_daily",
    "AgeGenderAudienceReport",
    ("campaign_id", "ad_group_id", "age_group", "gender"),
    "",
    *_AD_GROUP_IDS,
    _text("age_group", "AgeGroup", "18-24, …, Unknown"),
    _text("gender", "Gender", "Female, Male, Unknown"),
    *_METRICS,
    *_VIEW_THROUGH,
    group="audience",
    cost=_ONE_REPORT,
    may_be_empty=True,
)
PROFESSIONAL_DEMOGRAPHICS_DAILY = report(
    "professional_demographics_daily",
    "ProfessionalDemographicsAudienceReport",
    ("campaign_id", "ad_group_id", "company_name", "industry_name", "job_function_name"),
    "",
    _text("account_name", "AccountName"),
    *_AD_GROUP_IDS,
    _text("company_name", "CompanyName", "from LinkedIn; empty where it is not known"),
    _text("industry_name", "IndustryName", "from LinkedIn; empty where it is not known"),
    _text("job_function_name", "JobFunctionName", "from LinkedIn; empty where it is not known"),
    *_METRICS,
    *_VIEW_THROUGH,
    group="audience",
    cost=f"{_ONE_REPORT}, a row for each company, industry and function",
    may_be_empty=True,
)
# The service refuses this report without the name, and has no Qualified columns of it.
ASSET_GROUP_DAILY = report(
    "asset_group_daily",
    "AssetGroupPerformanceReport",
    ("campaign_id", "asset_group_id"),
    "",
    *_CAMPAIGN_IDS,
    _text("asset_group_id", "AssetGroupId"),
    _text("asset_group_name", "AssetGroupName"),
    _text("asset_group_status", "AssetGroupStatus", "Deleted ones included"),
    _count("impressions", "Impressions"),
    _count("clicks", "Clicks"),
    _money("spend", "Spend"),
    _number("conversions", "Conversions", "count"),
    _money("revenue", "Revenue"),
    group=_ASSET_GROUPS,
    cost=_ONE_REPORT,
    may_be_empty=True,
)
REPORTS = (
    CAMPAIGN_DAILY,
    CAMPAIGN_IMPRESSION_SHARE_DAILY,
    AD_GROUP_DAILY,
    AD_DAILY,
    KEYWORD_DAILY,
    SEARCH_QUERY_DAILY,
    ACCOUNT_DAILY,
    CONVERSION_GOAL_DAILY,
    CAMPAIGN_GOAL_DAILY,
    GEOGRAPHIC_DAILY,
    CAMPAIGN_DEVICE_DAILY,
    CAMPAIGN_HOURLY,
    AGE_GENDER_DAILY,
    PROFESSIONAL_DEMOGRAPHICS_DAILY,
    ASSET_GROUP_DAILY,
)

TABLES = tuple(each.table for each in (*ENTITIES, *REPORTS))
