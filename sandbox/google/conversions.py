"""The conversion actions of an account: what is counted, and for how long after a click.

Two of them share the numbers; the third is hidden, has the name of the first and counts nothing. An account without
campaigns has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.world import Account

_CLICK_WINDOWS = (45, 30, 7)
"""Days of the first action, by the account's number; the second has 30 or less."""


@dataclass(frozen=True, slots=True)
class ConversionAction:
    """`click_days` of None is a window that Google does not tell."""

    id: int
    name: str
    category: str
    status: str
    type: str
    is_primary: bool
    counting: str
    click_days: int | None
    view_days: int
    value: float

    def resource_name(self, account: Account) -> str:
        return f"customers/{account.id}/conversionActions/{self.id}"


def conversion_actions(account: Account) -> tuple[ConversionAction, ...]:
    """All of them, in Google's order; the first two are those that the numbers are divided by."""
    if not account.campaigns:
        return ()
    number = int(account.id) % len(_CLICK_WINDOWS)
    days = _CLICK_WINDOWS[number]
    untold = days if number != 1 else None
    return (
        ConversionAction(71, "Purchase", "PURCHASE", "ENABLED", "WEBPAGE", True, "MANY_PER_CLICK", days, 1, 12.5),
        ConversionAction(
            72, "Sign-up", "SIGNUP", "ENABLED", "UPLOAD_CLICKS", False, "ONE_PER_CLICK", min(30, days), 1, 2.5
        ),
        ConversionAction(73, "Purchase", "PURCHASE", "HIDDEN", "WEBPAGE", False, "MANY_PER_CLICK", untold, 1, 0.0),
    )


FIELDS: dict[str, Callable[[Any], Any]] = {
    "conversion_action.resource_name": lambda line: line.action.resource_name(line.account),
    "conversion_action.id": lambda line: line.action.id,
    "conversion_action.name": lambda line: line.action.name,
    "conversion_action.status": lambda line: line.action.status,
    "conversion_action.category": lambda line: line.action.category,
    "conversion_action.type": lambda line: line.action.type,
    "conversion_action.origin": lambda line: "WEBSITE",  # noqa: ARG005 - every field is asked the same way
    "conversion_action.primary_for_goal": lambda line: line.action.is_primary,
    "conversion_action.include_in_conversions_metric": lambda line: line.action.is_primary,
    "conversion_action.counting_type": lambda line: line.action.counting,
    "conversion_action.click_through_lookback_window_days": lambda line: line.action.click_days,
    "conversion_action.view_through_lookback_window_days": lambda line: line.action.view_days,
    "conversion_action.attribution_model_settings.attribution_model": lambda line: (
        "GOOGLE_SEARCH_ATTRIBUTION_DATA_DRIVEN" if line.action.is_primary else "GOOGLE_ADS_LAST_CLICK"
    ),
    "conversion_action.value_settings.default_value": lambda line: line.action.value,
    "conversion_action.value_settings.default_currency_code": lambda line: line.account.currency,
    "conversion_action.owner_customer": lambda line: f"customers/{line.account.id}",
}
