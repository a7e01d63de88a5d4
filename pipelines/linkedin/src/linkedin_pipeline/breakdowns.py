"""The built-in tables beside the levels', as data: of conversion rules, devices, places, further metrics and members.

A further one is one more `Report`; a further pivot of members is one line in `MEMBERS`.
"""

from __future__ import annotations

from collections.abc import Iterator

from linkedin_pipeline import levels
from linkedin_pipeline.fields import Field
from linkedin_pipeline.metrics import FURTHER, METRICS
from linkedin_pipeline.report_table import Granularity, Pivot, Report


def _metrics(*names: str) -> tuple[Field, ...]:
    return tuple(metric for metric in METRICS if metric.name in names)


_SPLIT = (
    *("impressions", "clicks", "landing_page_clicks", "cost_in_local_currency", "cost_in_usd", "one_click_leads"),
    *("one_click_lead_form_opens", "total_engagements", "video_views", "video_completions"),
)
_CONVERSIONS = (
    *("external_website_conversions", "external_website_post_click_conversions"),
    "external_website_post_view_conversions",
)
_ABOVE = ("campaign_group_id", "campaign_group_name", "campaign_name")
_VALUE = "conversion_value_in_local_currency"

_FURTHER_COST = "2 requests per account and 31 days, of fewer days for more than 483 campaigns or creatives"

CONVERSION_LOOKBACK = 90
"""Days: the widest window of most conversion rules. Rules of five types may have 365 (see `CONVERSION`)."""

MEMBERS = (
    Pivot("MEMBER_COMPANY", ("member_company",), "URN of an organization", name_column="member_company_name"),
    Pivot("MEMBER_JOB_TITLE", ("member_job_title",), "URN of a title", name_column="member_job_title_name"),
    Pivot("MEMBER_JOB_FUNCTION", ("member_job_function",), "URN of a function", name_column="member_job_function_name"),
    Pivot("MEMBER_INDUSTRY", ("member_industry",), "URN of an industry", name_column="member_industry_name"),
    Pivot("MEMBER_SENIORITY", ("member_seniority",), "URN of a seniority", name_column="member_seniority_name"),
    Pivot("MEMBER_COMPANY_SIZE", ("member_company_size",), "SIZE_11_TO_50 and the like"),
    Pivot("MEMBER_COUNTRY_V2", ("member_country",), "URN of a geo", name_column="member_country_name"),
    Pivot("MEMBER_REGION_V2", ("member_region",), "URN of a geo", name_column="member_region_name"),
)
"""What LinkedIn knows of the members who saw an ad, one table for each."""

_PLACES = frozenset({"MEMBER_COUNTRY_V2", "MEMBER_REGION_V2"})


def _of_members() -> Iterator[Report]:
    """Whole months, and days, which do not add up to them. By campaign each campaign is asked for alone."""
    metrics = _metrics(*_SPLIT, *_CONVERSIONS)
    for pivot in MEMBERS:
        (column,) = pivot.columns
        yield Report(
            name=f"{column}_monthly",
            level=levels.ACCOUNT,
            by=(pivot,),
            metrics=metrics,
            granularity=Granularity.MONTHLY,
            group="geo" if pivot.name in _PLACES else "audience",
            cost="1 request per account and month, and 1 for each 20 names",
        )
    for pivot in MEMBERS:
        (column,) = pivot.columns
        yield Report(
            name=f"{column}_daily",
            level=levels.ACCOUNT,
            by=(pivot,),
            metrics=metrics,
            group="audience_daily",
            cost="1 request per account and 31 days, and 1 for each 20 names",
        )
    for pivot in MEMBERS:
        (column,) = pivot.columns
        yield Report(
            name=f"campaign_{column}_monthly",
            level=levels.CAMPAIGN,
            by=(pivot,),
            attributes=_ABOVE,
            metrics=metrics,
            granularity=Granularity.MONTHLY,
            group="audience_by_campaign",
            cost="1 request per campaign with numbers and month, 1 per account and month, and 1 for each 20 names",
        )


BREAKDOWNS = (
    Report(
        name="campaign_conversion_daily",
        level=levels.CAMPAIGN,
        by=(Pivot("CONVERSION", ("conversion_id",), "conversion rule", is_id=True),),
        attributes=_ABOVE,
        metrics=_metrics(*_CONVERSIONS, _VALUE),
        lookback_days=CONVERSION_LOOKBACK,
        group="conversions",
    ),
    Report(
        name="campaign_device_daily",
        level=levels.CAMPAIGN,
        by=(Pivot("IMPRESSION_DEVICE_TYPE", ("impression_device_type",), "empty where LinkedIn does not know it"),),
        attributes=_ABOVE,
        metrics=_metrics(*_SPLIT),
        group="placement",
        cost="1 request per account and 31 days, of fewer days for more than 96 campaigns",
    ),
    Report(
        name="campaign_placement_daily",
        level=levels.CAMPAIGN,
        by=(
            Pivot("SERVING_LOCATION", ("serving_location",), "ON_NETWORK, OFF_NETWORK; UNKNOWN where a model made it"),
            Pivot("PLACEMENT_NAME", ("placement_name",), "UNKNOWN where a model made it"),
        ),
        attributes=_ABOVE,
        metrics=_metrics(*_SPLIT, *_CONVERSIONS, _VALUE),
        group="placement",
        cost="1 request per account and 31 days, of fewer days for more than 19 campaigns",
    ),
    Report(
        name="campaign_metrics_daily",
        level=levels.CAMPAIGN,
        attributes=_ABOVE,
        metrics=FURTHER,
        group="metrics",
        cost=_FURTHER_COST,
    ),
    Report(
        name="creative_metrics_daily",
        level=levels.CREATIVE,
        attributes=("campaign_group_id", "campaign_group_name", "campaign_id", "campaign_name", "creative_name"),
        metrics=FURTHER,
        group="metrics",
        cost=_FURTHER_COST,
    ),
    *_of_members(),
)
