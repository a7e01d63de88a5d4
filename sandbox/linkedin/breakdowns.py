"""The built-in tables beside the levels', as `report_truth` has them."""

from __future__ import annotations

from sandbox.linkedin.report_truth import Breakdown

_SPLIT = (
    *("impressions", "clicks", "landing_page_clicks", "cost_in_local_currency", "cost_in_usd", "one_click_leads"),
    *("one_click_lead_form_opens", "total_engagements", "video_views", "video_completions"),
)
_CONVERSIONS = (
    *("external_website_conversions", "external_website_post_click_conversions"),
    "external_website_post_view_conversions",
)
_FURTHER = (
    *("valid_work_email_leads", "talent_leads", "lead_generation_mail_contact_info_shares"),
    *("lead_generation_mail_interested_clicks", "document_first_quartile_completions"),
    *("document_midpoint_completions", "document_third_quartile_completions", "document_completions"),
    *("download_clicks", "job_apply_clicks", "post_click_job_apply_clicks", "post_view_job_apply_clicks"),
    *("job_applications", "post_click_job_applications", "post_view_job_applications", "registrations"),
    *("post_click_registrations", "post_view_registrations", "video_watch_time", "event_views"),
    *("event_views_over15_seconds", "event_views_over30_seconds", "event_views_over2_minutes"),
    *("event_watch_time", "card_clicks", "card_impressions", "headline_clicks", "headline_impressions"),
    *("ad_unit_clicks", "text_url_clicks", "subscription_clicks"),
)
_VALUE = "conversion_value_in_local_currency"
_ABOVE = ("campaign_group_id", "campaign_group_name", "campaign_name")

_MEMBERS = (
    *("member_company", "member_job_title", "member_job_function", "member_industry", "member_seniority"),
    *("member_company_size", "member_country", "member_region"),
)


def _of_members(of: str, column: str, *, monthly: bool = True) -> Breakdown:
    above = _ABOVE if of == "campaign" else ()
    metrics = (*_SPLIT, *_CONVERSIONS)
    return Breakdown(of, metrics, [column], above, monthly=monthly, named=column != "member_company_size")


BREAKDOWNS: dict[str, Breakdown] = {
    "campaign_conversion_daily": Breakdown("campaign", (*_CONVERSIONS, _VALUE), ["conversion_id"], _ABOVE),
    "campaign_device_daily": Breakdown("campaign", _SPLIT, ["impression_device_type"], _ABOVE),
    "campaign_placement_daily": Breakdown(
        "campaign", (*_SPLIT, *_CONVERSIONS, _VALUE), ["serving_location", "placement_name"], _ABOVE
    ),
    "campaign_metrics_daily": Breakdown("campaign", _FURTHER, (), _ABOVE),
    "creative_metrics_daily": Breakdown("creative", _FURTHER, (), (*_ABOVE, "campaign_id", "creative_name")),
    **{f"{column}_monthly": _of_members("account", column) for column in _MEMBERS},
    **{f"{column}_daily": _of_members("account", column, monthly=False) for column in _MEMBERS},
    **{f"campaign_{column}_monthly": _of_members("campaign", column) for column in _MEMBERS},
}
