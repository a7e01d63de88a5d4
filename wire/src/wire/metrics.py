"""How often a pipeline called its platform, repeated a call, and was made to wait: Singer's METRIC lines in its log.

Each line holds what was counted since the one before it. They are logged at INFO whatever LOG_LEVEL says, because the
supervisor reads them, and keeps them out of its own log.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from wire.exits import Kind

_EVERY_SECONDS = 5.0
_THROTTLED = frozenset({Kind.RATE_LIMIT, Kind.QUOTA})
_IN_FLIGHT = "http_requests_in_flight"
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Meter:
    """Counts, from any thread, and logs the counts every five seconds at most, and when it is told to."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls = 0
        self._retries: Counter[str] = Counter()
        self._throttled = 0.0
        self._in_flight = self._most_in_flight = 0
        self._gauges: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._logged = clock()

    def count_calls(self, number: int = 1) -> None:
        """Requests that are sent now."""
        with self._lock:
            self._calls += number
            self._log_if_due()

    def count_retry(self, kind: Kind, wait: float) -> None:
        """A call failed for this kind of reason and is repeated after `wait` seconds."""
        with self._lock:
            self._retries[kind.value] += 1
            self._throttled += wait if kind in _THROTTLED else 0.0
            self._log_if_due()

    def count_pause(self, seconds: float) -> None:
        """The platform is not called for so long, because it asked for it or will refuse otherwise."""
        with self._lock:
            self._throttled += seconds
            self._log_if_due()

    def count_in_flight(self, change: int) -> None:
        """Requests begin, or end. The most that were under way together since the line before is logged."""
        with self._lock:
            self._in_flight += change
            self._most_in_flight = max(self._most_in_flight, self._in_flight)

    def gauge(self, name: str, value: float) -> None:
        """How far the run is: a number that stands for itself, unlike the counts."""
        with self._lock:
            self._gauges[name] = value
            self._log_if_due()

    def report(self) -> None:
        """Log what was not logged yet."""
        with self._lock:
            self._log()

    def _log_if_due(self) -> None:
        if self._clock() - self._logged >= _EVERY_SECONDS:
            self._log()

    def _log(self) -> None:
        if self._calls:
            _log_point("counter", "http_request_count", self._calls, {})
        for reason, number in sorted(self._retries.items()):
            _log_point("counter", "http_retry_count", number, {"reason": reason})
        if self._throttled:
            _log_point("timer", "throttled_duration", round(self._throttled, 3), {})
        if self._most_in_flight or _IN_FLIGHT in self._gauges:
            self._gauges[_IN_FLIGHT] = self._most_in_flight
        for name, value in self._gauges.items():
            if self._told.get(name) != value:
                _log_point("gauge", name, value, {})
        self._told = dict(self._gauges)
        self._calls, self._throttled = 0, 0.0
        self._most_in_flight = self._in_flight
        self._retries.clear()
        self._logged = self._clock()


def _log_point(kind: str, metric: str, value: float, tags: dict[str, str]) -> None:
    log.info("METRIC: %s", json.dumps({"type": kind, "metric": metric, "value": value, "tags": tags}))


_meter = Meter()
gauge = _meter.gauge
count_calls = _meter.count_calls
count_in_flight = _meter.count_in_flight
count_retry = _meter.count_retry
count_pause = _meter.count_pause
report = _meter.report
