"""The columns of reports: the text that each shows for a row.

The deprecated conversion columns (Conversions, AllConversions, ViewThroughConversions) follow their pages: the
campaign report gives whole numbers, cut from what the row's Qualified column says; all other reports give 0. The
Qualified columns have hundredths at every level, which add up exactly.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.microsoft.asset_groups import asset_group_id, asset_group_name
from sandbox.microsoft.campaigns import ad_type, campaign_type, keyword_id, status_text
from sandbox.microsoft.customers import number_of, status_of
from sandbox.microsoft.splits import COLUMNS
from sandbox.world import Account, Fact, Metrics


@dataclass(frozen=True, slots=True)
class Row:
    """What a row of a report is about, as seen on the account's `today`; `commas` is what format version 1.0 adds.

    `parts` are the values of the dimensions that it is a part by.
    """

    account: Account
    fact: Fact
    today: dt.date
    commas: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> Metrics:
        return self.fact.metrics


Cell = Callable[[Row], str]


def _money(micros: int, *, commas: bool = False) -> str:
    whole, rest = divmod(micros, 1_000_000)
    text = _grouped(whole, commas)
    return f"{text}.{rest:06d}".rstrip("0").removesuffix(".") if rest else f"{text}.00"


def _grouped(number: int, commas: bool) -> str:
    return f"{number:,}" if commas else str(number)


def _time(row: Row) -> str:
    """The day, of a report by hours with its hour, which format version 1.0 writes in another manner."""
    day, hour = row.fact.day, row.parts.get("Hour")
    if hour is None:
        return day.isoformat()
    return f"{day:%-m/%-d/%Y} 12:00:00 AM|{hour}" if row.commas else f"{day.isoformat()}|{hour}"


def _hundredths(centi: int) -> str:
    return f"{centi // 100}.{centi % 100:02d}"


def _optional(value: int | None, nothing: str) -> str:
    return nothing if value is None else str(value)


def _quartile(n: int) -> Cell:
    def cell(row: Row) -> str:
        quartiles = row.metrics.video_quartiles
        return "" if quartiles is None else str(quartiles[n])

    return cell


def _watch_time(row: Row) -> str:
    views = row.metrics.video_views
    return "--" if views is None else f"{views * 1500:,}"


def _share(salt: int) -> Cell:
    """A percentage that the platform does not know for every day."""

    def cell(row: Row) -> str:
        if "Hour" in row.parts:
            return ""
        day = row.fact.day.toordinal()
        if (row.fact.campaign.id + day + salt) % 7 == 0:
            return "--"
        hundredths = (row.fact.campaign.id * 7 + day * 13 + salt * 101) % 9_000 + 500
        return f"{hundredths // 100}.{hundredths % 100:02d}%"

    return cell


def _quality(row: Row) -> str:
    assert row.fact.keyword is not None and row.fact.group is not None
    score = (row.fact.group.id + row.fact.group.keywords.index(row.fact.keyword) + row.fact.day.toordinal()) % 12
    return "--" if score > 10 or score == 0 else str(score)


def _keyword_id(row: Row) -> str:
    assert row.fact.group is not None and row.fact.keyword is not None
    return keyword_id(row.fact.group, row.fact.group.keywords.index(row.fact.keyword))


def _campaign_status(row: Row) -> str:
    return {"enabled": "Active", "paused": "Paused", "removed": "Deleted"}[row.fact.campaign.status(row.today)]


def _ad_type(row: Row) -> str:
    return f"{ad_type(row.fact.ad, row.fact.campaign)} ad" if row.fact.ad else ""


ACCOUNT: dict[str, Cell] = {
    "TimePeriod": _time,
    "AccountId": lambda row: row.account.id,
    "AccountName": lambda row: row.account.name,
    "AccountNumber": lambda row: number_of(row.account),
    "AccountStatus": lambda row: status_of(row.account),
}
CAMPAIGN: dict[str, Cell] = {
    "CampaignId": lambda row: str(row.fact.campaign.id),
    "CampaignName": lambda row: row.fact.campaign.name,
    "CampaignStatus": _campaign_status,
}
CURRENCY: dict[str, Cell] = {"CurrencyCode": lambda row: row.account.currency}
TYPE: dict[str, Cell] = {"CampaignType": lambda row: campaign_type(row.fact.campaign)}
# In the value set since msads 13.0.30; what they show is a guess.
CHANNELS: dict[str, Cell] = {
    "Channel": lambda row: "Native" if row.fact.campaign.video else "Search",
    "SubChannel": lambda _: "",
    "MarketingObjective": lambda _: "",
}
GROUP: dict[str, Cell] = {
    "AdGroupId": lambda row: str(row.fact.group.id) if row.fact.group else "",
    "AdGroupName": lambda row: row.fact.group.name if row.fact.group else "",
}
GROUP_STATUS: dict[str, Cell] = {
    "Status": lambda row: status_text(row.fact.group is not None and row.fact.group.paused)
}
ASSET_GROUP: dict[str, Cell] = {
    "AssetGroupId": lambda row: asset_group_id(row.fact.group) if row.fact.group else "",
    "AssetGroupName": lambda row: asset_group_name(row.fact.group) if row.fact.group else "",
    "AssetGroupStatus": GROUP_STATUS["Status"],
}
AD: dict[str, Cell] = {
    "AdId": lambda row: str(row.fact.ad.id) if row.fact.ad else "",
    "AdTitle": lambda row: row.fact.ad.name if row.fact.ad else "",
    "AdType": _ad_type,
    "AdStatus": lambda row: status_text(row.fact.ad is not None and row.fact.ad.paused),
}
KEYWORD: dict[str, Cell] = {
    "KeywordId": _keyword_id,
    "Keyword": lambda row: row.fact.keyword.text if row.fact.keyword else "",
    "KeywordStatus": lambda _: "Active",
}
QUERY: dict[str, Cell] = {"SearchQuery": lambda row: row.fact.search_term or ""}

METRICS: dict[str, Cell] = {
    "Impressions": lambda row: f"{row.metrics.impressions:,}",
    "Clicks": lambda row: str(row.metrics.clicks),
    "Ctr": lambda row: (
        f"{100 * row.metrics.clicks / row.metrics.impressions:.2f}%" if row.metrics.impressions else "--"
    ),
    "Spend": lambda row: _money(row.metrics.cost_micros),
    "Conversions": lambda _: "0",
    "ConversionsQualified": lambda row: _hundredths(row.metrics.conversions_centi),
    "Revenue": lambda row: _money(row.metrics.value_micros, commas=row.commas),
    "AllConversions": lambda _: "0",
    "AllConversionsQualified": lambda row: _hundredths(row.metrics.conversions_centi + 100 * row.metrics.view_through),
    "AllRevenue": lambda row: _money(row.metrics.value_micros + row.metrics.value_micros // 10, commas=row.commas),
    "Assists": lambda row: _grouped(row.metrics.leads, row.commas),
}
# Of asset groups there are no Qualified columns, and the page of this report does not call Conversions deprecated.
OF_ASSET_GROUPS: dict[str, Cell] = {
    **{name: METRICS[name] for name in ("Impressions", "Clicks", "Ctr", "Spend", "Revenue")},
    "Conversions": METRICS["ConversionsQualified"],
}
VIEW_THROUGH: dict[str, Cell] = {
    "ViewThroughConversions": lambda _: "0",
    "ViewThroughConversionsQualified": lambda row: _hundredths(100 * row.metrics.view_through),
    "ViewThroughRevenue": lambda row: _money(row.metrics.value_micros // 20),
}
WHOLE: dict[str, Cell] = {
    "Conversions": lambda row: str(row.metrics.conversions_centi // 100),
    "AllConversions": lambda row: str(row.metrics.conversions_centi // 100 + row.metrics.view_through),
    "ViewThroughConversions": lambda row: str(row.metrics.view_through),
}
QUALITY: dict[str, Cell] = {"HistoricalQualityScore": _quality}
VIDEO: dict[str, Cell] = {
    "VideoViews": lambda row: _optional(row.metrics.video_views, "--"),
    "VideoViewsAt25Percent": _quartile(0),
    "VideoViewsAt50Percent": _quartile(1),
    "VideoViewsAt75Percent": _quartile(2),
    "CompletedVideoViews": _quartile(3),
    "TotalWatchTimeInMS": _watch_time,
}
SHARES: dict[str, Cell] = {
    name: _share(salt)
    for salt, name in enumerate(
        (
            "ImpressionSharePercent",
            "ImpressionLostToBudgetPercent",
            "ImpressionLostToRankAggPercent",
            "ExactMatchImpressionSharePercent",
            "ClickSharePercent",
            "TopImpressionSharePercent",
            "AbsoluteTopImpressionSharePercent",
            "TopImpressionRatePercent",
            "AbsoluteTopImpressionRatePercent",
        )
    )
}


def _part(name: str) -> Cell:
    return lambda row: row.parts[name]


BREAKDOWNS: dict[str, Cell] = {name: _part(name) for name in COLUMNS - {"Hour"}}
