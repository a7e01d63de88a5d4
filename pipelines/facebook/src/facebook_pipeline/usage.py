"""How much of its quota an app has used, as the Graph API's usage headers tell it.

Three headers are objects of percentages: X-App-Usage, X-Ad-Account-Usage, which also counts the seconds until it is
reset, and the insights throttle. The business use case header is an object of lists, one for each business object, each
entry with percentages and the minutes until calls are allowed again. It may tell of other ad accounts beside the one
that was asked: their usage is no reason for this one to wait.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_PERCENTAGES = ("call_count", "total_time", "total_cputime", "app_id_util_pct", "acc_id_util_pct")
_HEADERS = ("x-app-usage", "x-ad-account-usage", "x-fb-ads-insights-throttle", "x-business-use-case-usage")
NEARLY_USED_UP = 95.0
"""Percent of any quota from which calls pause."""


def utilisation(headers: Mapping[str, str], account_id: str | None = None) -> float:
    """The highest percentage in any usage header; 0 where there is none."""
    return max(map(_highest, _entries(headers, account_id)), default=0.0)


def app_utilisation(headers: Mapping[str, str]) -> float:
    """The highest percentage that concerns the whole app; 0 where there is none."""
    lower = {name.lower(): value for name, value in headers.items()}
    whole = [_highest(entry) for entry in _objects(lower.get("x-app-usage", ""), None)]
    parts = [_number(entry.get("app_id_util_pct")) for entry in _entries(headers, None)]
    return max((*whole, *parts), default=0.0)


def regain_seconds(headers: Mapping[str, str], account_id: str | None = None) -> float | None:
    """Seconds until calls are allowed again; None where no header says so."""
    return max(map(_wait, _entries(headers, account_id)), default=0.0) or None


def _highest(entry: Mapping[str, Any]) -> float:
    return max((_number(entry.get(name)) for name in _PERCENTAGES), default=0.0)


def _wait(entry: Mapping[str, Any]) -> float:
    """Seconds; the time to a reset is always told, so it counts only where something is used up."""
    minutes = _number(entry.get("estimated_time_to_regain_access"))
    reset = _number(entry.get("reset_time_duration")) if _highest(entry) >= NEARLY_USED_UP else 0.0
    return max(60 * minutes, reset)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _entries(headers: Mapping[str, str], account_id: str | None) -> Iterator[Mapping[str, Any]]:
    lower = {name.lower(): value for name, value in headers.items()}
    for name in _HEADERS:
        if name in lower:
            yield from _objects(lower[name], account_id)


def _objects(text: str, account_id: str | None) -> Iterator[Mapping[str, Any]]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return
    if not isinstance(value, dict):
        return
    yield value
    # Where the account has an entry of its own, the others are other accounts'; else they are the business's.
    own = {account_id} & value.keys()
    for name, listed in value.items():
        if isinstance(listed, list) and (not own or name in own):
            yield from (entry for entry in listed if isinstance(entry, dict))
