"""What each type of report can be asked for: columns, filters and grains, what must be and what may not be together.

From the value sets, the column restrictions and the retention periods of the vendor's documentation
(MicrosoftDocs/Advertising, bingads-13).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.microsoft import asset_groups
from sandbox.microsoft.columns import (
    ACCOUNT,
    AD,
    ASSET_GROUP,
    BREAKDOWNS,
    CAMPAIGN,
    CHANNELS,
    CURRENCY,
    GROUP,
    GROUP_STATUS,
    KEYWORD,
    METRICS,
    OF_ASSET_GROUPS,
    QUALITY,
    QUERY,
    SHARES,
    TYPE,
    VIDEO,
    VIEW_THROUGH,
    WHOLE,
    Cell,
)
from sandbox.world import Account, Fact, World

# Three years are kept of most reports, of their hours six months.
_KEPT = {"Hourly": 184, "": 3 * 366}
_TWO_WEEKS = {"Hourly": 14, "": 3 * 366}
_ONE_MONTH = {"Hourly": 31, "": 3 * 366}
_FILTERS = ("AccountStatus", "AdDistribution", "CampaignStatus", "Language")


@dataclass(frozen=True, slots=True)
class ReportType:
    """`excludes` are attributes and metrics that may not stand beside one another; `scopes` what a scope may list.

    `kept` are the days for which an aggregation is kept, by "" those of all others. A row that has nothing of what it
    `counts` is left out.
    """

    facts: Callable[[World, Account, dt.date, dt.date], Iterator[Fact]]
    attributes: Mapping[str, Cell]
    metrics: Mapping[str, Cell]
    required: tuple[str, ...] = ()
    excludes: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    scopes: tuple[str, ...] = ("AccountIds", "Campaigns", "AdGroups")
    filters: tuple[str, ...] = _FILTERS
    kept: Mapping[str, int] = field(default_factory=lambda: _KEPT)
    counts: tuple[str, ...] = ()

    def cell(self, column: str) -> Cell | None:
        return self.attributes.get(column) or self.metrics.get(column)


def _some(*names: str) -> dict[str, Cell]:
    return {name: BREAKDOWNS[name] for name in names}


def _exclusion(attributes: Iterable[str], metrics: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(attributes), frozenset(metrics)


NOT_BESIDE_SHARES = ("BidMatchType", "DeviceOS", "Goal", "GoalType", "TopVsOther")
_DEVICE = _some("DeviceType", "DeviceOS", "Network", "TopVsOther", "AdDistribution")
_MATCH = _some("BidMatchType", "DeliveredMatchType")
_PLACES = _some("Country", "State", "MetroArea", "City", "LocationType")
_GOALS = _some("Goal", "GoalType")
_CONVERSIONS = {
    name: METRICS[name] for name in ("AllConversions", "AllConversionsQualified", "AllRevenue", "Assists")
} | VIEW_THROUGH

REPORT_TYPES = {
    "AccountPerformanceReport": ReportType(
        facts=World.campaign_facts,
        attributes=ACCOUNT | CURRENCY | _DEVICE | _MATCH | _GOALS,
        metrics=METRICS | VIEW_THROUGH | VIDEO,
        scopes=("AccountIds",),
        filters=("AccountStatus", "AdDistribution", "DeviceOS", "DeviceType"),
    ),
    "CampaignPerformanceReport": ReportType(
        facts=World.campaign_facts,
        attributes=ACCOUNT | CAMPAIGN | CURRENCY | TYPE | CHANNELS | _DEVICE | _MATCH | _GOALS,
        metrics=METRICS | VIEW_THROUGH | WHOLE | VIDEO | SHARES,
        excludes=(_exclusion(NOT_BESIDE_SHARES, SHARES),),
        scopes=("AccountIds", "Campaigns"),
        filters=("AccountStatus", "AdDistribution", "DeviceOS", "DeviceType", "Status"),
    ),
    "AdGroupPerformanceReport": ReportType(
        facts=World.group_facts,
        attributes=ACCOUNT | CAMPAIGN | CURRENCY | TYPE | GROUP | GROUP_STATUS | _DEVICE | _MATCH | _some("Language"),
        metrics=METRICS | VIEW_THROUGH | VIDEO,
        filters=("AccountStatus", "AdDistribution", "CampaignStatus", "DeviceOS", "DeviceType", "Language", "Status"),
    ),
    "AdPerformanceReport": ReportType(
        facts=World.ad_facts,
        attributes=ACCOUNT | CAMPAIGN | CURRENCY | TYPE | GROUP | AD | _DEVICE | _some("Language"),
        metrics=METRICS | VIEW_THROUGH | VIDEO,
        filters=(*_FILTERS, "DeviceType"),
    ),
    "KeywordPerformanceReport": ReportType(
        facts=World.keyword_facts,
        attributes=ACCOUNT | CAMPAIGN | CURRENCY | GROUP | KEYWORD | _DEVICE | _MATCH | _some("Language"),
        metrics=METRICS | VIEW_THROUGH | QUALITY,
        filters=(*_FILTERS, "BidMatchType", "DeliveredMatchType", "DeviceType", "Keywords"),
    ),
    "SearchQueryPerformanceReport": ReportType(
        facts=World.search_term_facts,
        attributes=ACCOUNT | CAMPAIGN | TYPE | GROUP | KEYWORD | QUERY | _some("DeliveredMatchType", "Language"),
        metrics=METRICS,
        required=("SearchQuery",),
        filters=(
            "AccountStatus",
            "CampaignStatus",
            "DeliveredMatchType",
            "ExcludeZeroClicks",
            "Language",
            "SearchQueries",
        ),
        kept=_ONE_MONTH,
    ),
    "GeographicPerformanceReport": ReportType(
        facts=World.group_facts,
        attributes=ACCOUNT | CAMPAIGN | CURRENCY | TYPE | GROUP | _DEVICE | _PLACES | _some("Language"),
        metrics=METRICS | VIEW_THROUGH,
        filters=(*_FILTERS, "CountryCode"),
        kept=_TWO_WEEKS,
    ),
    "AgeGenderAudienceReport": ReportType(
        facts=World.group_facts,
        attributes=ACCOUNT | CAMPAIGN | GROUP | _some("AdDistribution", "AgeGroup", "Gender", "Language"),
        metrics=METRICS | VIEW_THROUGH,
        required=("AgeGroup", "Gender"),
    ),
    "ProfessionalDemographicsAudienceReport": ReportType(
        facts=World.group_facts,
        attributes=ACCOUNT
        | CAMPAIGN
        | GROUP
        | _some("AdDistribution", "CompanyName", "IndustryName", "JobFunctionName", "Language"),
        metrics=METRICS | VIEW_THROUGH,
        required=("AccountName", "AdGroupName", "CompanyName", "IndustryName", "JobFunctionName"),
    ),
    "AssetGroupPerformanceReport": ReportType(
        facts=asset_groups.facts,
        attributes=ACCOUNT | CAMPAIGN | TYPE | CHANNELS | ASSET_GROUP,
        metrics=OF_ASSET_GROUPS,
        required=("AssetGroupName",),
        scopes=("AccountIds", "Campaigns"),
        filters=("AccountStatus", "AssetGroupStatus", "CampaignStatus"),
    ),
    "PublisherUsagePerformanceReport": ReportType(
        facts=World.group_facts,
        attributes=ACCOUNT
        | CAMPAIGN
        | CURRENCY
        | GROUP
        | _some("AdDistribution", "DeviceType", "Language", "Network", "PublisherUrl"),
        metrics=METRICS | VIEW_THROUGH | VIDEO,
        required=("PublisherUrl",),
        kept={"Hourly": 62, "": 3 * 366},
    ),
    "GoalsAndFunnelsReport": ReportType(
        facts=World.group_facts,
        attributes=ACCOUNT | CAMPAIGN | TYPE | GROUP | _some("DeviceOS", "DeviceType", "Goal", "GoalId", "GoalType"),
        metrics=_CONVERSIONS,
        required=("Goal",),
        filters=("AccountStatus", "AdDistribution", "CampaignStatus", "DeviceOS", "DeviceType", "GoalIds"),
        kept=_ONE_MONTH,
        counts=("conversions_centi", "value_micros", "view_through", "leads"),
    ),
}
