"""What LinkedIn lets through: calls per endpoint and day, metric values in five minutes, requests under way at once.

That there are limits per application, and per member of an application, each day until midnight UTC, and of 45 million
metric values in five minutes, is documented; so is a 429 "as part of infrastructure protection". The numbers of calls
are not published: docs/sandbox.md says where each one here is from.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.linkedin.limits import Limits
from sandbox.linkedin.replies import RefusalError, Reply, error

METRIC_VALUES = 45_000_000
METRIC_SECONDS = 300.0
MEMBER_CALLS = 5_000
APPLICATION_CALLS = 15_000_000
AT_ONCE = 16

DATA_LIMIT = (
    "The data request limit has been exceeded: more than 45 million metric values were requested in a 5 minute window."
)
RATE_LIMIT = "Resource level throttle APPLICATION limit for calls to this resource is reached."
_MEMBER_DAY = "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached."
_APPLICATION_DAY = "Resource level throttle APPLICATION DAY limit for calls to this resource is reached."


class Throttles:
    """Counts what a server answers. The limits that variables give always hold, the others where `throttled`."""

    def __init__(self, limits: Limits, *, throttled: bool) -> None:
        self._member_calls = limits.daily_calls or (MEMBER_CALLS if throttled else None)
        self._application_calls = limits.application_calls or (APPLICATION_CALLS if throttled else None)
        self._values = limits.metric_values or (METRIC_VALUES if throttled else None)
        self._seconds = limits.metric_seconds or METRIC_SECONDS
        self._at_once = limits.at_once or (AT_ONCE if throttled else None)
        self._everywhere = throttled
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._told: deque[tuple[float, int]] = deque()
        self._under_way = 0

    @contextmanager
    def under_way(self) -> Iterator[Reply | None]:
        """While a request is answered; yields the refusal where it is one too many."""
        with self._lock:
            self._under_way += 1
            too_many = self._at_once is not None and self._under_way > self._at_once
        try:
            yield throttle(RATE_LIMIT) if too_many else None
        finally:
            with self._lock:
                self._under_way -= 1

    def count_call(self, endpoint: str) -> None:
        """One more call today; raises the refusal where it is one too many."""
        if endpoint != "adAnalytics" and not self._everywhere:
            return  # The variables are about adAnalytics.
        with self._lock:
            self._calls[endpoint] += 1
            calls = self._calls[endpoint]
        for most, text in ((self._application_calls, _APPLICATION_DAY), (self._member_calls, _MEMBER_DAY)):
            if most is not None and calls > most:
                raise RefusalError(throttle(text))

    def count_values(self, values: int) -> None:
        """An answer tells so many metric values; raises the refusal where the last minutes had enough of them."""
        if self._values is None:
            return
        now = time.monotonic()
        with self._lock:
            while self._told and self._told[0][0] < now - self._seconds:
                self._told.popleft()
            if sum(told for _, told in self._told) + values > self._values:
                raise RefusalError(throttle(DATA_LIMIT))
            self._told.append((now, values))


def throttle(text: str) -> Reply:
    """The answer to whoever asks too much. LinkedIn sends no Retry-After, and no headers of usage."""
    return error(429, "TOO_MANY_REQUESTS", text, 101)
