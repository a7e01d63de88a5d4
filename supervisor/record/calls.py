"""What a pipeline tells about its API calls: Singer's METRIC lines on standard error.

A METRIC line holds what was counted since the one before it, so values add up. The Singer SDK writes
`METRIC: {"type": "counter", "metric": "http_request_count", "value": 12, "tags": {...}}`, singer-python one timer
`http_request_duration` per request; a tap that writes both is not counted twice.
"""

from __future__ import annotations

import json
import re

from attrs import define, field

_MOST = 1e9
"""No line tells of more calls, or of more seconds, than this; sums then stay finite."""
_METRIC = re.compile(r"\bMETRIC: (\{.*\})$")


@define
class Calls:
    """The sums so far; `throttled_seconds` is what was spent waiting because the platform asked for it.

    `gauges` stand for themselves, the newest value each: how many accounts there are, how many of them have their
    recent days, and how many days of backfill, of all accounts and tables, are left.
    """

    retries: int = 0
    throttled_seconds: float = 0.0
    gauges: dict[str, int] = field(factory=dict)
    _counted: int = field(default=0)
    _timed: int = field(default=0)

    @property
    def calls(self) -> int:
        return max(self._counted, self._timed)

    def take(self, line: str) -> bool:
        """Add up what one line of a pipeline's log says; whether it is a METRIC line at all."""
        found = _METRIC.search(line)
        point = _decoded(found.group(1)) if found else None
        if point is None:
            return False
        metric, value = point
        match metric:
            case "http_request_count":
                self._counted += int(value)
            case "http_request_duration":
                self._timed += 1
            case "http_retry_count":
                self.retries += int(value)
            case "throttled_duration":
                self.throttled_seconds += value
            case "accounts_total" | "accounts_done" | "backfill_days_left":
                self.gauges[metric] = int(value)
        return True


def _decoded(text: str) -> tuple[str, float] | None:
    """A metric and a number that can be added up, or None: the line is then shown like any other."""
    try:
        point = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(point, dict) or not isinstance(point.get("metric"), str):
        return None
    value = point.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return (point["metric"], value) if 0 <= value <= _MOST else None
