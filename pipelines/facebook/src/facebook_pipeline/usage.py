"""How much of its quota an app has used, as the Graph API's usage headers tell it.

Three headers tell: X-App-Usage and the insights throttle are objects of percentages, the business use case header is an
object of lists, one per business object, each entry with percentages and the minutes until calls are allowed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_PERCENTAGES = ("call_count", "total_time", "total_cputime", "app_id_util_pct", "acc_id_util_pct")
_HEADERS = ("x-app-usage", "x-ad-account-usage", "x-fb-ads-insights-throttle", "x-business-use-case-usage")


def utilisation(headers: Mapping[str, str]) -> float:
    """The highest percentage in any usage header; 0 where there is none."""
    values = (entry.get(name) for entry in _entries(headers) for name in _PERCENTAGES)
    return max((float(value) for value in values if isinstance(value, int | float)), default=0.0)


def regain_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds until calls are allowed again; None where no header says so. The header counts minutes."""
    values = (entry.get("estimated_time_to_regain_access") for entry in _entries(headers))
    longest = max((float(value) for value in values if isinstance(value, int | float)), default=0.0)
    return longest * 60 if longest else None


def _entries(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    lower = {name.lower(): value for name, value in headers.items()}
    for name in _HEADERS:
        yield from _objects(lower.get(name, ""))


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return
    if not isinstance(value, dict):
        return
    yield value
    for listed in value.values():
        if isinstance(listed, list):
            yield from (entry for entry in listed if isinstance(entry, dict))
