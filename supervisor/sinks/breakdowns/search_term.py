"""`ads.search_term_daily`: what people had typed, on the two platforms that are searched."""

from __future__ import annotations

from supervisor.sinks.breakdowns.definition import Breakdown, Dimension, Part, told

SEARCH_TERM = Breakdown(
    "search_term_daily",
    "what people had typed",
    ("campaign", "ad_group"),
    (Dimension("search_term", "as the platform tells it"),),
    ("impressions", "clicks", "spend", "conversions", "conversions_value", "is_final"),
    (
        Part("google", "search_term_daily", {"search_term": told("search_term")}),
        # The same searches by campaign, and those of Performance Max, whose campaigns have no ad groups.
        Part(
            "google",
            "campaign_search_term_daily",
            {"search_term": told("search_term")},
            unless="search_term_daily",
        ),
        Part("microsoft", "search_query_daily", {"search_term": told("search_query")}),
    ),
)
