"""`ads.conversion_daily`: what was won, by what counts as a conversion; it adds up to the campaigns' conversions."""

from __future__ import annotations

from supervisor.sinks.breakdowns.definition import UNTOLD, Breakdown, Dimension, Lookup, Part, always, told
from supervisor.sinks.unified import Measure, column, exact

_CONVERSION = Lookup(
    "c",
    "conversion",
    "c.account_id = d.account_id AND c.conversion_id = d.conversion_id",
    ("account_id", "conversion_id", "name", "type"),
)

CONVERSION = Breakdown(
    "conversion_daily",
    "what was won, by what counts as a conversion",
    ("campaign",),
    (
        Dimension("conversion_id", "the platform's id, or the word by which it tells conversions apart"),
        Dimension("conversion_category", "the platform's own word for its kind; empty where it has none"),
        Dimension("conversion_name", "as it is now; null where it has none", is_attribute=True),
    ),
    (
        *("conversions", "conversions_value", "all_conversions", "all_conversions_value", "view_through_conversions"),
        "is_final",
    ),
    (
        Part(
            "google",
            "campaign_conversion_action_daily",
            {
                "conversion_id": (Measure("split_part(d.conversion_action, '/', 4)", ("conversion_action",)),),
                "conversion_category": told("conversion_action_category"),
                "conversion_name": (column("conversion_action_name"),),
            },
            {"all_conversions": column("all_conversions"), "all_conversions_value": exact("all_conversions_value")},
        ),
        # By campaign its report has no id of a goal, and a name is not its own alone.
        Part(
            "microsoft",
            "campaign_goal_daily",
            {
                "conversion_id": told("goal"),
                "conversion_category": told("goal_type"),
                "conversion_name": (column("goal"),),
            },
            {
                "all_conversions": Measure(
                    "coalesce(d.all_conversions_qualified, d.all_conversions)",
                    ("all_conversions_qualified", "all_conversions"),
                ),
                "all_conversions_value": column("all_revenue"),
            },
            where=Measure("d.goal <> ''", ("goal",)),
        ),
        # Meta's types of actions contain one another; these two are each counted by one of them already.
        Part(
            "facebook",
            "ad_set_daily",
            {
                "conversion_id": always("purchases"),
                "conversion_category": always("PURCHASE"),
                "conversion_name": always("purchases"),
            },
            {
                "conversions": column("purchases"),
                "conversions_value": column("purchase_value"),
                "view_through_conversions": UNTOLD,
            },
            where=Measure("d.purchases IS NOT NULL OR d.purchase_value IS NOT NULL", ("purchases", "purchase_value")),
        ),
        Part(
            "facebook",
            "ad_set_daily",
            {
                "conversion_id": always("leads"),
                "conversion_category": always("LEAD"),
                "conversion_name": always("leads"),
            },
            {
                "conversions": column("leads"),
                "conversions_value": Measure(
                    "nullif(d.conversions_value - coalesce(d.purchase_value, 0), 0)",
                    ("conversions_value", "purchase_value"),
                ),
                "view_through_conversions": UNTOLD,
            },
            where=Measure("d.leads IS NOT NULL", ("leads",)),
        ),
        Part(
            "linkedin",
            "campaign_conversion_daily",
            {
                "conversion_id": told("conversion_id"),
                "conversion_category": (Measure("coalesce(c.type, '')", ("c.type",)), *always("")),
                "conversion_name": (Measure("c.name", ("c.name",)),),
            },
            {"conversions": column("external_website_conversions")},
            lookups=(_CONVERSION,),
        ),
        Part(
            "linkedin",
            "campaign_daily",
            {
                "conversion_id": always("one_click_leads"),
                "conversion_category": always("LEAD"),
                "conversion_name": always("lead forms"),
            },
            {
                "conversions": column("one_click_leads"),
                "conversions_value": UNTOLD,
                "view_through_conversions": UNTOLD,
            },
            where=Measure("d.one_click_leads > 0", ("one_click_leads",)),
        ),
    ),
)
