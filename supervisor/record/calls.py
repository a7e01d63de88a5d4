"""What a pipeline tells about its API calls: Singer's METRIC lines on standard error.

A METRIC line holds what was counted since the one before it, so values add up. The Singer SDK writes
`METRIC: {"type": "counter", "metric": "http_request_count", "value": 12, "tags": {...}}`, singer-python one timer
`http_request_duration` per request; a tap that writes both is not counted twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from attrs import define, field

from wire.bounds import LONGEST_METRIC

_MOST = 1e9
"""No line tells of more calls, or of more seconds, than this; sums then stay finite."""
_IN_FLIGHT = "http_requests_in_flight"
_ESTIMATE = "estimated_seconds_left"
_GAUGES = frozenset(
    {
        "accounts_total", "accounts_done", "backfill_days_total", "backfill_days_left", "backfill_days_done",
        _IN_FLIGHT, _ESTIMATE,
    }
)  # fmt: skip
_METRIC = re.compile(r"\bMETRIC: (?=\{)")


@define
class Calls:
    """The sums so far; `throttled_seconds` is what was spent waiting because the platform asked for it.

    Gauges stand for themselves, the newest value each: how many accounts there are, how many of them have their recent
    days, how many days of backfill, of all accounts and tables, there are, are left and were loaded, how many requests
    were under way together, and how long it will still take.
    """

    retries: int = 0
    throttled_seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic
    _gauges: dict[str, int] = field(factory=dict)
    _peak_in_flight: int = field(default=0)
    _estimated_at: float = field(default=0.0)
    _counted: int = field(default=0)
    _timed: int = field(default=0)

    @property
    def calls(self) -> int:
        return max(self._counted, self._timed)

    def take(self, line: str) -> bool:
        """Add up what one line of a pipeline's log says; whether it is a METRIC line at all."""
        found = _METRIC.search(line) if len(line) <= LONGEST_METRIC else None
        point = _decoded(line[found.end() :]) if found else None
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
            case _ if metric in _GAUGES:
                self._gauges[metric] = int(value)
                if metric == _IN_FLIGHT:
                    self._peak_in_flight = max(self._peak_in_flight, int(value))
                if metric == _ESTIMATE:
                    self._estimated_at = self.clock()
        return True

    @property
    def requests_in_flight(self) -> int:
        """The most that were under way together lately."""
        return self._gauges.get(_IN_FLIGHT, 0)

    @property
    def seconds_left(self) -> float | None:
        """How long the pipeline thinks that it will still take; None where it does not tell."""
        told = self._gauges.get(_ESTIMATE)
        return None if told is None else max(0.0, told - (self.clock() - self._estimated_at))

    def told(self) -> dict[str, Any]:
        """Everything that the progress of an attempt and its result have in common, by the names that both have."""
        return {
            "api_calls": self.calls,
            "api_retries": self.retries,
            "throttled_seconds": self.throttled_seconds,
            "peak_requests_in_flight": self._peak_in_flight,
            "accounts": self._gauges.get("accounts_total"),
            "accounts_done": self._gauges.get("accounts_done", 0),
            "backfill_days_total": self._gauges.get("backfill_days_total"),
            "backfill_days_left": self._gauges.get("backfill_days_left"),
            "backfill_days_done": self._gauges.get("backfill_days_done"),
        }


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
