"""The metrics of the built-in daily tables, in the order of their columns and of the calls that ask for them."""

from __future__ import annotations

from linkedin_pipeline.fields import LOCAL, Field, amount, number, whole

METRICS: tuple[Field, ...] = (
    whole("impressions", "impressions"),
    whole("clicks", "clicks", "chargeable clicks"),
    whole("landing_page_clicks", "landingPageClicks"),
    amount("cost_in_local_currency", "costInLocalCurrency", LOCAL),
    amount("cost_in_usd", "costInUsd", "money in US dollars"),
    whole("external_website_conversions", "externalWebsiteConversions", "after a click or a view"),
    whole("external_website_post_click_conversions", "externalWebsitePostClickConversions"),
    whole("external_website_post_view_conversions", "externalWebsitePostViewConversions"),
    amount("conversion_value_in_local_currency", "conversionValueInLocalCurrency", LOCAL),
    whole("one_click_leads", "oneClickLeads", "lead forms sent"),
    whole("one_click_lead_form_opens", "oneClickLeadFormOpens"),
    whole("qualified_leads", "qualifiedLeads"),
    whole("total_engagements", "totalEngagements"),
    whole("other_engagements", "otherEngagements"),
    whole("company_page_clicks", "companyPageClicks"),
    whole("action_clicks", "actionClicks", "Sponsored Messaging"),
    whole("approximate_member_reach", "approximateMemberReach", "people; does not add up over rows"),
    number("average_dwell_time", "averageDwellTime", "seconds"),
    whole("video_views", "videoViews", "two seconds or more"),
    whole("video_starts", "videoStarts"),
    whole("video_first_quartile_completions", "videoFirstQuartileCompletions"),
    whole("video_midpoint_completions", "videoMidpointCompletions"),
    whole("video_third_quartile_completions", "videoThirdQuartileCompletions"),
    whole("video_completions", "videoCompletions"),
    whole("full_screen_plays", "fullScreenPlays"),
    whole("likes", "likes"),
    whole("comments", "comments"),
    whole("comment_likes", "commentLikes"),
    whole("shares", "shares"),
    whole("follows", "follows"),
    whole("reactions", "reactions"),
    whole("sends", "sends", "Sponsored Messaging"),
    whole("opens", "opens", "Sponsored Messaging"),
    whole("viral_impressions", "viralImpressions", "after a share; not in impressions"),
    whole("viral_clicks", "viralClicks", "after a share; not in clicks"),
    whole("viral_total_engagements", "viralTotalEngagements", "after a share; not in total_engagements"),
)
"""Two calls' worth."""
