"""All views of the schema `ads`: levels, breakdowns, and the levels held against each other."""

from __future__ import annotations

from collections.abc import Mapping

from supervisor.sinks.breakdowns import BREAKDOWNS
from supervisor.sinks.breakdowns.queries import breakdown_views
from supervisor.sinks.exchange_rates import in_reporting_currency
from supervisor.sinks.reconciliation import reconciliation_view
from supervisor.sinks.unified import LEVELS, unified_views

_AMOUNTS = ("spend", "conversions_value", "all_conversions_value")
AMOUNTS = {
    **{f"{level}_daily": _AMOUNTS[:2] for level in LEVELS},
    **{view.name: tuple(name for name in _AMOUNTS if name in view.measures) for view in BREAKDOWNS},
}
"""The measures of each view that are money."""


def reader_views(
    columns: Mapping[str, set[str]], *, types: Mapping[str, str] | None = None, reporting_currency: str | None = None
) -> dict[str, str]:
    """View name -> query, of every view for which there are tables; as `unified_views`."""
    views = {**unified_views(columns, types=types), **breakdown_views(columns, types=types)}
    if reporting_currency is not None:
        views = {name: in_reporting_currency(query, reporting_currency, AMOUNTS[name]) for name, query in views.items()}
    differences = reconciliation_view(columns)
    return {**views, "reconciliation": differences} if differences else views
