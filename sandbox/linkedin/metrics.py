"""The metrics of adAnalytics: what one creative's day adds to each, and how a sum is shown.

LinkedIn's counts are whole numbers at every level, and a level is the sum of what is below it. So fractions of the
world's numbers are cut once, per creative and day, and every other level adds up what is left. Only reach and the
average dwell time are no sums: they are made from a level's own impressions and engagements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.linkedin.exchange import RATES
from sandbox.world import Metrics

_WHOLE = 10**18
"""Money is summed in units of 1e-18."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`part` is a creative's day; None is "does not apply". `shown` makes the sum of the parts what is answered."""

    part: Callable[[Metrics, str], int | None]
    shown: Callable[[int], Any] = int


def _money(units: int) -> str:
    return f"{units // _WHOLE}.{units % _WHOLE:018d}".rstrip("0").rstrip(".")


def _local(metrics: Metrics, _currency: str) -> int:
    tail = 1 if metrics.clicks % 7 == 3 else 0
    return metrics.cost_micros * 10**12 + tail


def _usd(metrics: Metrics, currency: str) -> int:
    return metrics.cost_micros * RATES[currency] * 10**8


def _sparse(count: Callable[[Metrics], int]) -> Metric:
    """A count that LinkedIn leaves out where there was none."""
    return Metric(lambda metrics, _: count(metrics), lambda total: total or None)


def _credited(count: Callable[[Metrics], int]) -> Metric:
    """The same of what the reference has as BigDecimal."""
    return Metric(lambda metrics, _: count(metrics), lambda total: str(total) if total else None)


def _plain(count: Callable[[Metrics], int]) -> Metric:
    return Metric(lambda metrics, _: count(metrics))


def _video(count: Callable[[int], int]) -> Metric:
    return Metric(lambda metrics, _: count(metrics.video_views) if metrics.video_views else None)


def _quartile(n: int) -> Metric:
    return Metric(lambda metrics, _: metrics.video_quartiles[n] if metrics.video_quartiles else None)


_NOTHING = Metric(lambda _metrics, _currency: None)

METRICS: dict[str, Metric] = {
    "impressions": _plain(lambda m: m.impressions),
    "clicks": _plain(lambda m: m.clicks),
    "landingPageClicks": _plain(lambda m: m.link_clicks),
    "costInLocalCurrency": Metric(_local, _money),
    "costInUsd": Metric(_usd, _money),
    "externalWebsiteConversions": _plain(lambda m: m.conversions_centi // 100 + m.view_through),
    "externalWebsitePostClickConversions": _plain(lambda m: m.conversions_centi // 100),
    "externalWebsitePostViewConversions": _plain(lambda m: m.view_through),
    "conversionValueInLocalCurrency": Metric(lambda m, _: m.value_micros * 10**12, _money),
    "oneClickLeads": _plain(lambda m: m.leads),
    "oneClickLeadFormOpens": _plain(lambda m: m.leads * 3),
    "qualifiedLeads": _sparse(lambda m: m.leads // 4),
    "totalEngagements": _plain(lambda m: m.engagements),
    "otherEngagements": _plain(lambda m: m.engagements // 20),
    "companyPageClicks": _plain(lambda m: m.engagements // 15),
    "approximateMemberReach": Metric(lambda m, _: m.impressions, lambda total: total * 62 // 100 + 1),
    "averageDwellTime": Metric(lambda m, _: m.engagements, lambda total: total * 7 / 4 if total % 4 else None),
    "videoViews": _video(lambda views: views),
    "videoStarts": _video(lambda views: 2 * views),
    "videoFirstQuartileCompletions": _quartile(0),
    "videoMidpointCompletions": _quartile(1),
    "videoThirdQuartileCompletions": _quartile(2),
    "videoCompletions": _quartile(3),
    "fullScreenPlays": _video(lambda views: views // 50),
    "likes": _sparse(lambda m: m.engagements // 12),
    "comments": _sparse(lambda m: m.engagements // 40),
    "commentLikes": _sparse(lambda m: m.engagements // 90),
    "shares": _sparse(lambda m: m.engagements // 50),
    "follows": _sparse(lambda m: m.engagements // 60),
    "reactions": _sparse(lambda m: m.engagements // 10),
    "viralImpressions": _sparse(lambda m: m.impressions // 400),
    "viralClicks": _sparse(lambda m: m.impressions // 9_000),
    "viralTotalEngagements": _sparse(lambda m: m.impressions // 5_000),
    "validWorkEmailLeads": _sparse(lambda m: m.leads // 2),
    "documentFirstQuartileCompletions": _sparse(lambda m: m.engagements // 8),
    "documentMidpointCompletions": _sparse(lambda m: m.engagements // 16),
    "documentThirdQuartileCompletions": _sparse(lambda m: m.engagements // 24),
    "documentCompletions": _sparse(lambda m: m.engagements // 32),
    "downloadClicks": _sparse(lambda m: m.engagements // 70),
    "jobApplyClicks": _credited(lambda m: m.link_clicks // 10 + m.link_clicks // 25),
    "postClickJobApplyClicks": _credited(lambda m: m.link_clicks // 10),
    "postViewJobApplyClicks": _credited(lambda m: m.link_clicks // 25),
    "videoWatchTime": _video(lambda views: 4_200 * views),
    # Documented metrics of products that this world's advertisers do not buy.
    **dict.fromkeys(
        (
            *("actionClicks", "adUnitClicks", "appointmentsScheduled", "audiencePenetration"),
            *("averageVideoWatchTime", "averageEventWatchTime", "averageEventWatchTimeOver15Seconds"),
            *("averageEventWatchTimeOver30Seconds", "averageEventWatchTimeOver2Minutes", "costPerEventView"),
            *("costPerEventViewOver15Seconds", "costPerEventViewOver30Seconds", "costPerEventViewOver2Minutes"),
            *("eventViews", "eventWatchTime", "eventViewsOver15Seconds", "eventViewsOver30Seconds"),
            *("eventViewsOver2Minutes", "cardClicks", "cardImpressions", "costPerQualifiedLead"),
            *("headlineClicks", "headlineImpressions", "jobApplications"),
            *("leadGenerationMailContactInfoShares", "leadGenerationMailInterestedClicks", "opens"),
            *("postClickJobApplications", "postClickRegistrations", "postViewJobApplications"),
            *("postViewRegistrations", "registrations", "sends", "subscriptionClicks", "talentLeads"),
            "textUrlClicks",
            *("viralCardClicks", "viralCardImpressions", "viralCommentLikes", "viralComments"),
            *("viralCompanyPageClicks", "viralDocumentCompletions", "viralDocumentFirstQuartileCompletions"),
            *("viralDocumentMidpointCompletions", "viralDocumentThirdQuartileCompletions", "viralDownloadClicks"),
            *("viralExternalWebsiteConversions", "viralExternalWebsitePostClickConversions"),
            *("viralExternalWebsitePostViewConversions", "viralFollows", "viralFullScreenPlays"),
            *("viralJobApplications", "viralJobApplyClicks", "viralLandingPageClicks", "viralLikes"),
            *("viralOneClickLeadFormOpens", "viralOneClickLeads", "viralOtherEngagements"),
            *("viralPostClickJobApplications", "viralPostClickJobApplyClicks", "viralPostClickRegistrations"),
            *("viralPostViewJobApplications", "viralPostViewJobApplyClicks", "viralPostViewRegistrations"),
            *("viralReactions", "viralRegistrations", "viralShares", "viralSubscriptionClicks"),
            *("viralVideoCompletions", "viralVideoFirstQuartileCompletions", "viralVideoMidpointCompletions"),
            *("viralVideoStarts", "viralVideoThirdQuartileCompletions", "viralVideoViews"),
        ),
        _NOTHING,
    ),
}

_CONVERSIONS = (
    *("externalWebsiteConversions", "externalWebsitePostClickConversions", "externalWebsitePostViewConversions"),
    *("viralExternalWebsiteConversions", "viralExternalWebsitePostClickConversions"),
    *("viralExternalWebsitePostViewConversions", "conversionValueInLocalCurrency"),
)
_CARDS = ("cardClicks", "cardImpressions", "viralCardClicks", "viralCardImpressions")
UNTOLD: dict[str, frozenset[str]] = {
    "MEMBER_": frozenset(
        ("approximateMemberReach", "audiencePenetration", "conversionValueInLocalCurrency", *_CARDS),
    ),
    "IMPRESSION_DEVICE_TYPE": frozenset(("approximateMemberReach", "audiencePenetration", *_CONVERSIONS)),
}
"""What is left out of rows by pivot; one that ends with `_` stands for all that begin so."""
