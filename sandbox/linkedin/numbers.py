"""What a creative's day adds to each column, and what a level shows of its sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.linkedin.exchange import RATES
from sandbox.world import Ad, Metrics, World

_MILLION = Decimal(1_000_000)
_LEFT_OUT_AT_ZERO = (
    *("qualified_leads", "likes", "comments", "comment_likes", "shares", "follows", "reactions"),
    *("viral_impressions", "viral_clicks", "viral_total_engagements"),
    *("valid_work_email_leads", "document_first_quartile_completions", "document_midpoint_completions"),
    *("document_third_quartile_completions", "document_completions", "download_clicks", "job_apply_clicks"),
    *("post_click_job_apply_clicks", "post_view_job_apply_clicks"),
)
_NOT_BOUGHT = (
    *("talent_leads", "lead_generation_mail_contact_info_shares", "lead_generation_mail_interested_clicks"),
    *("job_applications", "post_click_job_applications", "post_view_job_applications", "registrations"),
    *("post_click_registrations", "post_view_registrations", "event_views", "event_views_over15_seconds"),
    *("event_views_over30_seconds", "event_views_over2_minutes", "event_watch_time", "card_clicks"),
    *("card_impressions", "headline_clicks", "headline_impressions", "ad_unit_clicks", "text_url_clicks"),
    "subscription_clicks",
)


def utc_today(world: World) -> dt.date:
    """LinkedIn's own day, for accounts of every country."""
    return world.as_of.astimezone(dt.UTC).date()


def creative_name(ad: Ad) -> str | None:
    return None if ad.id % 3 == 0 else ad.name


def counts(metrics: Metrics, currency: str) -> dict[str, int | Decimal | None]:
    """What one creative's day adds to each column that is a sum."""
    post_click = metrics.conversions_centi // 100
    engagements = metrics.engagements
    cost = metrics.cost_micros / _MILLION
    return {
        "impressions": metrics.impressions,
        "clicks": metrics.clicks,
        "landing_page_clicks": metrics.link_clicks,
        "cost_in_local_currency": cost + Decimal("1E-18") if metrics.clicks % 7 == 3 else cost,
        "cost_in_usd": cost * RATES[currency] / 10_000,
        "external_website_conversions": post_click + metrics.view_through,
        "external_website_post_click_conversions": post_click,
        "external_website_post_view_conversions": metrics.view_through,
        "conversion_value_in_local_currency": metrics.value_micros / _MILLION,
        "one_click_leads": metrics.leads,
        "one_click_lead_form_opens": 3 * metrics.leads,
        "qualified_leads": metrics.leads // 4,
        "total_engagements": engagements,
        "other_engagements": engagements // 20,
        "company_page_clicks": engagements // 15,
        **_video(metrics),
        "likes": engagements // 12,
        "comments": engagements // 40,
        "comment_likes": engagements // 90,
        "shares": engagements // 50,
        "follows": engagements // 60,
        "reactions": engagements // 10,
        "viral_impressions": metrics.impressions // 400,
        "viral_clicks": metrics.impressions // 9_000,
        "viral_total_engagements": metrics.impressions // 5_000,
    }


def further_counts(metrics: Metrics) -> dict[str, int | Decimal | None]:
    """The same of the metrics that the daily tables of the levels do not have."""
    engagements, clicks = metrics.engagements, metrics.link_clicks
    after_click, after_view = Decimal(clicks // 10), Decimal(clicks // 25)
    return {
        **dict.fromkeys(_NOT_BOUGHT),
        "valid_work_email_leads": metrics.leads // 2,
        "document_first_quartile_completions": engagements // 8,
        "document_midpoint_completions": engagements // 16,
        "document_third_quartile_completions": engagements // 24,
        "document_completions": engagements // 32,
        "download_clicks": engagements // 70,
        "job_apply_clicks": after_click + after_view,
        "post_click_job_apply_clicks": after_click,
        "post_view_job_apply_clicks": after_view,
        "video_watch_time": 4_200 * metrics.video_views if metrics.video_views else None,
    }


def metrics_of(sums: Mapping[str, Any]) -> dict[str, int | float | Decimal | None]:
    """The columns of a level, given its sums; reach and the average are made of the level's own numbers."""
    engagements = sums["total_engagements"]
    return {
        **sums,
        **{name: sums[name] or None for name in _LEFT_OUT_AT_ZERO if name in sums},
        "approximate_member_reach": sums["impressions"] * 62 // 100 + 1,
        "average_dwell_time": engagements * 1.75 if engagements % 4 else None,
        **dict.fromkeys(("action_clicks", "sends", "opens")),
    }


def _video(metrics: Metrics) -> dict[str, int | Decimal | None]:
    views = metrics.video_views or None
    first, middle, third, full = metrics.video_quartiles or (None, None, None, None)
    return {
        "video_views": views,
        "video_starts": 2 * views if views else None,
        "video_first_quartile_completions": first,
        "video_midpoint_completions": middle,
        "video_third_quartile_completions": third,
        "video_completions": full,
        "full_screen_plays": views // 50 if views else None,
    }
