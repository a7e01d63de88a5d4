"""What a request may ask for, read and checked as the Graph API checks it; a parameter it does not know is ignored."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.facebook.refusals import GraphError, not_one_of, too_much_data

Params = Mapping[str, str]

LARGEST_PAGE = 5000
"""Objects; a larger limit is more data than the API gives at once."""
MONTHS_KEPT = 37
_LIKE_ANY_STATUS = (
    *("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"),
    *("PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "PENDING_BILLING_INFO", "CAMPAIGN_PAUSED", "ADSET_PAUSED"),
)
STATUSES = {
    "campaign": _LIKE_ANY_STATUS[:6],
    "adset": (*_LIKE_ANY_STATUS[:6], "CAMPAIGN_PAUSED"),
    "ad": _LIKE_ANY_STATUS,
}
"""The effective statuses of each level (AdSet.EffectiveStatus and its siblings in facebook-business 26.0.3)."""
DELIVERY = {
    "active": ("ACTIVE",),
    "inactive": ("PAUSED", "CAMPAIGN_PAUSED", "ADSET_PAUSED"),
    "archived": ("ARCHIVED",),
    "deleted": ("DELETED",),
    **dict.fromkeys(
        (
            *("completed", "limited", "not_delivering", "not_published", "pending_review", "permanently_deleted"),
            *("recently_completed", "recently_rejected", "rejected", "scheduled"),
        ),
        (),
    ),
}
"""What each value of `delivery_info` means here in effective statuses."""
COMPARISONS = (
    *("EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL"),
    *("IN", "NOT_IN", "IN_RANGE", "NOT_IN_RANGE"),
)
"""How the numbers and breakdowns of a row can be compared here."""
LEVELS = ("ad", "adset", "campaign", "account")
_PRESETS = ("today", "yesterday", "maximum", *(f"last_{n}d" for n in (3, 7, 14, 28, 30, 90)))
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of `filtering`: values of a level's field, or of the rows' where it has no level."""

    level: str
    field: str
    operator: str
    values: tuple[Any, ...]


def fields_of(params: Params) -> tuple[str, ...]:
    """Fields come with commas between them, or as a JSON list, as the SDK posts them."""
    text = params.get("fields", "")
    names = json_of(params, "fields", []) if text.startswith("[") else text.split(",")
    return tuple(name.strip() for name in names if name)


def limit_of(params: Params) -> int:
    try:
        limit = int(params.get("limit", "25"))
    except ValueError:
        limit = 0
    if limit < 1:
        raise GraphError(100, "(#100) Param limit must be a positive integer")
    if limit > LARGEST_PAGE:
        raise too_much_data(status=500)
    return limit


def json_of(params: Params, name: str, default: Any) -> Any:
    try:
        return json.loads(params[name]) if params.get(name) else default
    except ValueError:
        raise GraphError(100, f"(#100) Param {name} must be JSON") from None


def listed(params: Params, name: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """A list of words, as JSON or with commas between them; each must be allowed."""
    text = params.get(name, "")
    words = json_of(params, name, []) if text.startswith("[") else [word for word in text.split(",") if word]
    known = frozenset(allowed)
    for n, word in enumerate(words):
        if word not in known:
            raise not_one_of(f"{name}[{n}]", sorted(known))
    return tuple(words)


def boolean(params: Params, name: str) -> bool:
    text = params.get(name)
    if text is None:
        return False
    if text.lower() not in _BOOLEANS:
        raise GraphError(100, f"(#100) Param {name} must be a boolean")
    return _BOOLEANS[text.lower()]


def level_of(params: Params, default: str) -> str:
    level = params.get("level") or default
    if level not in LEVELS:
        raise not_one_of("level", LEVELS)
    return level


def filters_of(params: Params, metrics: Collection[str] = ()) -> tuple[Filter, ...]:
    """Every condition of `filtering`; they hold together. `metrics` are what rows of a report are chosen by, too."""
    given = json_of(params, "filtering", [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise GraphError(100, "(#100) Param filtering must be an array of objects")
    return tuple(_filter(each, metrics) for each in given)


def _filter(given: Mapping[str, Any], metrics: Collection[str]) -> Filter:
    name, operator, value = str(given.get("field")), str(given.get("operator")), given.get("value")
    level, _, field = name.partition(".")
    values = tuple(value) if isinstance(value, list) else (value,)
    refused = GraphError(100, f"(#100) Filtering field {name} with operation {operator} is invalid")
    if name in metrics and not field:
        if name.endswith(("_id", "_name")) and level.partition("_")[0] in STATUSES:
            instead = name.replace("_", ".", 1)
            raise GraphError(100, f"(#100) Filter {name} is not valid any more, please use {instead} instead")
        if operator not in COMPARISONS:
            raise refused
        return Filter("", name, operator, values)
    if level not in STATUSES:
        raise refused
    match field, operator:
        case "effective_status", "IN" | "NOT_IN":
            for each in values:
                if each not in STATUSES[level]:
                    raise not_one_of(f"filtering[{name}]", STATUSES[level])
        case "delivery_info", "IN":
            for each in values:
                if each not in DELIVERY:
                    raise not_one_of(f"filtering[{name}]", DELIVERY)
        case "id", "IN" | "NOT_IN" | "EQUAL":
            values = tuple(str(each) for each in values)
        case "name", "CONTAIN" | "NOT_CONTAIN" | "EQUAL" | "NOT_EQUAL" | "STARTS_WITH" | "IN" | "NOT_IN":
            values = tuple(str(each) for each in values)
        case "updated_time" | "created_time", "GREATER_THAN" | "LESS_THAN":
            if not isinstance(value, int | float):
                raise refused
        case _:
            raise refused
    return Filter(level, field, operator, values)


def ranges_of(params: Params, today: dt.date) -> tuple[tuple[dt.date, dt.date], ...]:
    """The spans of days that a report is for, each summed up by itself.

    `time_ranges` rules over `time_range`, that over `date_preset`, and `time_increment` cuts all but the first; without
    any of them it is the last 30 days ("Insights API: parameters").
    """
    ranges = json_of(params, "time_ranges", None)
    if ranges is not None:
        if not isinstance(ranges, list) or not ranges:
            raise GraphError(100, "(#100) Param time_ranges must be an array of date ranges")
        return tuple(_range(each, today) for each in ranges)
    if params.get("time_range"):
        whole = _range(json_of(params, "time_range", {}), today)
    else:
        whole = _preset(params.get("date_preset") or "last_30d", today)
    return tuple(_cut(whole, params.get("time_increment") or "all_days"))


def _range(given: Any, today: dt.date) -> tuple[dt.date, dt.date]:
    try:
        first, last = dt.date.fromisoformat(given["since"]), dt.date.fromisoformat(given["until"])
    except (KeyError, TypeError, ValueError):
        raise GraphError(100, "(#100) Must be a valid date range: time_range") from None
    if first > last:
        raise GraphError(100, "(#100) The start date of the time range must be before its end date")
    if first > today:
        raise GraphError(100, "(#100) The start date of the time range cannot be in the future")
    months = (today.year - first.year) * 12 + today.month - first.month - (first.day > today.day)
    if months >= MONTHS_KEPT:
        raise GraphError(
            3018, "(#3018) The start date of the time range cannot be beyond 37 months from the current date"
        )
    return first, last


def _preset(name: str, today: dt.date) -> tuple[dt.date, dt.date]:
    if name not in _PRESETS:
        raise not_one_of("date_preset", _PRESETS)
    yesterday = today - dt.timedelta(days=1)
    if name == "today":
        return today, today
    if name == "maximum":
        return today - dt.timedelta(days=30 * MONTHS_KEPT), today
    days = 1 if name == "yesterday" else int(name.removeprefix("last_").removesuffix("d"))
    return today - dt.timedelta(days=days), yesterday


def _cut(whole: tuple[dt.date, dt.date], increment: str) -> Sequence[tuple[dt.date, dt.date]]:
    first, last = whole
    if increment == "all_days":
        return [whole]
    if increment == "monthly":
        return _months(first, last)
    if not increment.isdigit() or not 1 <= int(increment) <= 90:
        raise GraphError(100, "(#100) time_increment must be an integer from 1 to 90, monthly or all_days")
    step = dt.timedelta(days=int(increment))
    starts = [first + step * n for n in range((last - first).days // step.days + 1)]
    return [(start, min(start + step - dt.timedelta(days=1), last)) for start in starts]


def _months(first: dt.date, last: dt.date) -> Sequence[tuple[dt.date, dt.date]]:
    out = []
    while first <= last:
        following = (first.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        out.append((first, min(following - dt.timedelta(days=1), last)))
        first = following
    return out
