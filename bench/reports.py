"""A report of one's own beside the built-in table of the same shape: rows per CPU-second of each pipeline.

`python -m bench.reports PLATFORM` measures one platform, `python -m bench reports` all that are listed here.
"""

from __future__ import annotations

import sys
from typing import Any

from attrs import frozen

from bench.pipelines import pull
from bench.result import Result

_TIMES = 3


@frozen(kw_only=True)
class Shape:
    """A built-in table, the report that has its columns and rows, and the small table that is loaded with either."""

    table: str
    report: dict[str, Any]
    beside: str
    since: str


_LINKEDIN = (
    *("impressions", "clicks", "landingPageClicks", "costInLocalCurrency", "costInUsd", "externalWebsiteConversions"),
    *("externalWebsitePostClickConversions", "externalWebsitePostViewConversions", "conversionValueInLocalCurrency"),
    *("oneClickLeads", "oneClickLeadFormOpens", "qualifiedLeads", "totalEngagements", "otherEngagements"),
    *("companyPageClicks", "actionClicks", "approximateMemberReach", "averageDwellTime", "videoViews", "videoStarts"),
    *("videoFirstQuartileCompletions", "videoMidpointCompletions", "videoThirdQuartileCompletions"),
    *("videoCompletions", "fullScreenPlays", "likes", "comments", "commentLikes", "shares", "follows", "reactions"),
    *("sends", "opens", "viralImpressions", "viralClicks", "viralTotalEngagements"),
)
_GOOGLE = (
    *("impressions", "clicks", "cost_micros", "conversions", "conversions_value", "all_conversions"),
    *("all_conversions_value", "view_through_conversions", "interactions", "engagements", "video_trueview_views"),
    *("video_quartile_p25_rate", "video_quartile_p50_rate", "video_quartile_p75_rate", "video_quartile_p100_rate"),
    *("top_impression_percentage", "absolute_top_impression_percentage"),
)
_FACEBOOK = (
    *("impressions", "reach", "frequency", "clicks", "inline_link_clicks", "inline_post_engagement", "spend", "cpc"),
    *("cpm", "ctr", "conversions_value", "purchases", "purchase_value", "leads"),
    *("view_through_conversions", "landing_page_views", "video_plays", "video_views", "video_thruplays"),
    *("video_p25_watched", "video_p50_watched", "video_p75_watched", "video_p100_watched"),
)
_MICROSOFT = (
    *("Impressions", "Clicks", "Spend", "Conversions", "ConversionsQualified", "Revenue", "AllConversions"),
    *("AllConversionsQualified", "AllRevenue", "Assists", "ViewThroughConversions", "ViewThroughConversionsQualified"),
    *("ViewThroughRevenue", "VideoViews", "VideoViewsAt25Percent", "VideoViewsAt50Percent", "VideoViewsAt75Percent"),
    *("CompletedVideoViews", "TotalWatchTimeInMS"),
)
SHAPES = {
    "facebook": Shape(
        table="ad_daily",
        report={
            "of": "ad",
            "metrics": _FACEBOOK,
            "attributes": [
                *("campaign_name", "ad_set_name", "ad_name", "attribution_setting", "objective"),
            ],
        },
        beside="account",
        since="2026-10-25",
    ),
    "google": Shape(
        table="ad_daily",
        report={
            "of": "ad_group_ad",
            "metrics": _GOOGLE,
            "attributes": ["campaign.name", "ad_group.name", "ad_group_ad.ad.name"],
        },
        beside="customer",
        since="2026-10-24",
    ),
    "microsoft": Shape(
        table="ad_daily",
        report={
            "of": "AdPerformanceReport",
            "metrics": _MICROSOFT,
            "attributes": ["CampaignName", "AdGroupName", "AdTitle", "AdType", "AdStatus"],
        },
        beside="account",
        since="2026-10-25",
    ),
    "linkedin": Shape(
        table="creative_daily",
        report={
            "of": "creative",
            "metrics": _LINKEDIN,
            "attributes": ["campaign_group_id", "campaign_group_name", "campaign_id", "campaign_name", "creative_name"],
        },
        beside="account",
        since="2026-10-25",
    ),
}


def measure(platforms: tuple[str, ...] = tuple(SHAPES)) -> list[Result]:
    return [_measure(platform, SHAPES[platform]) for platform in platforms]


def _measure(platform: str, shape: Shape) -> Result:
    settings = {"start_date": shape.since}
    built_in = settings | {"tables": [shape.beside, shape.table]}
    own = settings | {"tables": [shape.beside], "reports": [{"name": "own", **shape.report}]}
    # Side by side in time, because the machine is another one every minute.
    pairs = [(pull(platform, built_in), pull(platform, own)) for _ in range(_TIMES)]
    assert len({each.rows for pair in pairs for each in pair}) == 1, "both have the same rows"
    theirs, ours = (max(pair[n].rows / pair[n].cpu_seconds for pair in pairs) for n in (0, 1))
    return Result(
        name=f"report {platform}",
        what=f"`pipeline-{platform}`, {pairs[0][1].rows:,} rows of a report that has the columns of {shape.table}",
        figure=f"{ours:,.0f} rows per CPU-s, {ours / theirs:.1%} of the built-in table's",
        aim="≥ 95 %",
        peak_bytes=max(own.peak_bytes for _, own in pairs),
        cpu_seconds=min(own.cpu_seconds for _, own in pairs),
        note=f"fastest of {_TIMES} each",
    )


if __name__ == "__main__":
    for each in measure(tuple(sys.argv[1:]) or tuple(SHAPES)):
        print(f"{each.what}: {each.figure}")
