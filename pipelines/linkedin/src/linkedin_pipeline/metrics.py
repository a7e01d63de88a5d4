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

FURTHER: tuple[Field, ...] = (
    whole("valid_work_email_leads", "validWorkEmailLeads", "leads with an e-mail address of a company"),
    whole("talent_leads", "talentLeads", "of talent media campaigns"),
    whole(
        "lead_generation_mail_contact_info_shares",
        "leadGenerationMailContactInfoShares",
        "contact details shared, Sponsored Messaging",
    ),
    whole(
        "lead_generation_mail_interested_clicks",
        "leadGenerationMailInterestedClicks",
        "recipients that showed interest, Sponsored Messaging",
    ),
    whole("document_first_quartile_completions", "documentFirstQuartileCompletions", "read to 25 %, document ads"),
    whole("document_midpoint_completions", "documentMidpointCompletions", "read to 50 %, document ads"),
    whole("document_third_quartile_completions", "documentThirdQuartileCompletions", "read to 75 %, document ads"),
    whole("document_completions", "documentCompletions", "read to the end, document ads"),
    whole("download_clicks", "downloadClicks", "on the download icon of an ad's media"),
    amount("job_apply_clicks", "jobApplyClicks", "on the apply button of a job, after a click or a view"),
    amount("post_click_job_apply_clicks", "postClickJobApplyClicks", "after a click"),
    amount("post_view_job_apply_clicks", "postViewJobApplyClicks", "after a view"),
    amount("job_applications", "jobApplications", "after a click or a view"),
    amount("post_click_job_applications", "postClickJobApplications", "after a click"),
    amount("post_view_job_applications", "postViewJobApplications", "after a view"),
    amount("registrations", "registrations", "for an event, after a click or a view"),
    amount("post_click_registrations", "postClickRegistrations", "after a click"),
    amount("post_view_registrations", "postViewRegistrations", "after a view"),
    whole("video_watch_time", "videoWatchTime", "milliseconds; up to two days late"),
    whole("event_views", "eventViews", "of an event"),
    whole("event_views_over15_seconds", "eventViewsOver15Seconds", "of an event"),
    whole("event_views_over30_seconds", "eventViewsOver30Seconds", "of an event"),
    whole("event_views_over2_minutes", "eventViewsOver2Minutes", "of an event"),
    whole("event_watch_time", "eventWatchTime", "of an event"),
    whole("card_clicks", "cardClicks", "on a card of a carousel"),
    whole("card_impressions", "cardImpressions", "of a card of a carousel"),
    whole("headline_clicks", "headlineClicks", "on the headline, conversation ads"),
    whole("headline_impressions", "headlineImpressions", "of the headline, conversation ads"),
    whole("ad_unit_clicks", "adUnitClicks", "on the ad unit beside a Sponsored Messaging ad"),
    whole("text_url_clicks", "textUrlClicks", "on links in the text, Sponsored Messaging"),
    whole("subscription_clicks", "subscriptionClicks", "to a newsletter or the like"),
)
"""Of the tables of the group `metrics`: what most advertisers have nothing of. Two calls' worth.

Neither what is made of other metrics or happened after a share, nor what not every version knows: reports of one's own
can ask for those.
"""
