"""What can be asked of Google Ads: resources, what goes with each, and what a version's messages say of each field.

Attributed and segmenting resources, and which metrics go with which resource, are those of the field reference
(https://developers.google.com/google-ads/api/fields/v26/overview), as far as the sandbox's world reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

RESOURCES: dict[str, tuple[str, ...]] = {
    "customer_client": ("customer_client", "customer"),
    "customer": ("customer", "metrics", "segments"),
    "campaign": ("campaign", "campaign_budget", "bidding_strategy", "customer", "metrics", "segments"),
    # A campaign segments a budget: one row for each campaign that uses it.
    "campaign_budget": ("campaign_budget", "campaign", "customer", "metrics", "segments"),
    "ad_group": ("ad_group", "campaign", "customer", "metrics", "segments"),
    "ad_group_ad": ("ad_group_ad", "ad_group", "campaign", "customer", "metrics", "segments"),
    "ad_group_criterion": ("ad_group_criterion", "ad_group", "campaign", "customer"),
    "keyword_view": ("keyword_view", "ad_group_criterion", "ad_group", "campaign", "customer", "metrics", "segments"),
    "search_term_view": ("search_term_view", "ad_group", "campaign", "customer", "metrics", "segments"),
    "campaign_search_term_view": ("campaign_search_term_view", "campaign", "customer", "metrics", "segments"),
    # Campaign and ad group segment a geographic view: https://developers.google.com/google-ads/api/fields/v26/geographic_view
    "geographic_view": ("geographic_view", "ad_group", "campaign", "customer", "metrics", "segments"),
    "asset_group": ("asset_group", "campaign", "customer", "metrics", "segments"),
    "geo_target_constant": ("geo_target_constant",),
    "conversion_action": ("conversion_action", "customer", "metrics", "segments"),
    "age_range_view": (
        "age_range_view",
        "ad_group_criterion",
        "ad_group",
        "campaign",
        "customer",
        "metrics",
        "segments",
    ),
    "gender_view": ("gender_view", "ad_group_criterion", "ad_group", "campaign", "customer", "metrics", "segments"),
}
"""The resources whose fields a query may select with each resource in FROM."""

ONLY_FOR = {
    "metrics.search_impression_share": ("customer", "campaign", "ad_group", "keyword_view"),
    "metrics.search_rank_lost_impression_share": ("customer", "campaign", "ad_group", "keyword_view"),
    "metrics.search_top_impression_share": ("campaign", "ad_group", "keyword_view"),
    "metrics.search_budget_lost_impression_share": ("customer", "campaign"),
    "metrics.historical_quality_score": ("keyword_view",),
    "segments.search_term_match_type": ("search_term_view",),
    "segments.hour": ("customer", "campaign", "ad_group"),
    "segments.geo_target_region": ("geographic_view",),
}
"""The resources that a field goes with, where those are not all that have its kind."""

OF_CONVERSIONS = ("conversion_action", "conversion_action_name", "conversion_action_category")
"""The segments beside which there are numbers of conversions only."""

WITH_CONVERSIONS = (
    *("conversions", "conversions_value", "all_conversions", "all_conversions_value", "view_through_conversions"),
    *("conversions_by_conversion_date", "conversions_value_by_conversion_date", "all_conversions_by_conversion_date"),
    *("all_conversions_value_by_conversion_date", "cross_device_conversions", "cross_device_conversions_value"),
    *("value_per_conversion", "value_per_all_conversions"),
)
"""The metrics that stand beside them: https://developers.google.com/google-ads/api/fields/v26/segments."""

HIDES_REMOVED = {
    "ad_group_ad": "ad_group_ad.status",
    "ad_group_criterion": "ad_group_criterion.status",
    "keyword_view": "ad_group_criterion.status",
    "asset_group": "asset_group.status",
}
"""The resources that leave removed ones out unless the query filters by this field, or names one by its id.

Recorded for the first two, and told in https://github.com/googleads/google-ads-python/issues/717; for the others it is
an assumption.
"""

_MESSAGE = 11
_TYPES = {1: "DOUBLE", 2: "FLOAT", 3: "INT64", 4: "UINT64", 5: "INT32", 8: "BOOLEAN", 9: "STRING", 14: "ENUM"}


class Catalog:
    """The fields of one version of the API. `row` is the descriptor of its `GoogleAdsRow`."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def field(self, path: str) -> Any | None:
        """The descriptor of what a query may name: a value, or a list of messages; None for anything else."""
        message, found = self._row, None
        for name in path.split("."):
            fields = message.fields_by_name if message is not None else {}
            found = None if name.endswith("_") else fields.get(name) or fields.get(f"{name}_")
            if found is None:
                return None
            message = found.message_type if not found.is_repeated else None
        return found if found is not None and (found.type != _MESSAGE or found.is_repeated) else None

    def enum_names(self, path: str) -> tuple[str, ...]:
        """The values of an enum field; none for any other."""
        field = self.field(path)
        return tuple(value.name for value in field.enum_type.values) if field is not None and field.enum_type else ()

    def paths(self, resource: str) -> Iterator[str]:
        """All fields of a resource, of `metrics` or of `segments`, by their paths."""
        top = self._row.fields_by_name.get(resource)
        if top is not None:
            yield from _below(top.message_type, resource, depth=4)

    def data_type(self, path: str) -> str:
        """As GoogleAdsFieldService names it."""
        field = self.field(path)
        assert field is not None
        if path.endswith("resource_name"):
            return "RESOURCE_NAME"
        if path == "segments.date":
            return "DATE"
        return "MESSAGE" if field.type == _MESSAGE else _TYPES.get(field.type, "UNKNOWN")


def _below(message: Any, prefix: str, depth: int) -> Iterator[str]:
    for field in message.fields:
        path = f"{prefix}.{field.name.removesuffix('_')}"
        if field.type != _MESSAGE or field.is_repeated:
            yield path
        elif depth:
            yield from _below(field.message_type, path, depth - 1)
