"""How many calls a minute each customer may make: Microsoft says when they were too many, and names no number.

The first refusal (117) teaches the number. From then on the calls of that customer and service are spread so that there
are fewer in any such minute, while those of other customers go on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from wire import Limiter

Key = tuple[str, str]
"""The service and the customer: a limit is of both."""

_BELOW = 0.9
_FEWEST = 10
_GROWTH = 1.25


class Rates:
    """Holds calls back, on whatever thread. `window` is the span in seconds that Microsoft counts calls in."""

    def __init__(self, limiter: Limiter, window: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limiter = limiter
        self._window = window
        self._clock = clock
        self._customers: dict[Key, _Customer] = {}
        self._lock = threading.Lock()

    def wait_for_turn(self, key: Key) -> None:
        """Return when a call may be made, counting it; raises what the limiter was stopped for."""
        while (left := self._take(key)) > 0:
            self._limiter.rest(left)

    def refused(self, key: Key) -> None:
        """A call was too many: learn the number, and hold everybody of this customer back until the minute is over."""
        with self._lock:
            self._customer(key).refused(self._clock(), self._window)

    def _take(self, key: Key) -> float:
        with self._lock:
            return self._customer(key).take(self._clock(), self._window)

    def _customer(self, key: Key) -> _Customer:
        return self._customers.setdefault(key, _Customer())


class _Customer:
    """The calls of the last minute, and how many there may be; None while that was never too many."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._most: int | None = None
        self._learned = 0.0
        self._paused_until = 0.0

    def take(self, now: float, window: float) -> float:
        """Count a call: 0, or after how many seconds to try again."""
        while self._sent and self._sent[0] <= now - window:
            self._sent.popleft()
        if self._most is not None and now - self._learned > 2 * window:
            # What was too much may have been another program's calls.
            self._most, self._learned = int(self._most * _GROWTH) + 1, now
        if now < self._paused_until:
            return self._paused_until - now
        if self._most is not None and len(self._sent) >= self._most:
            return self._sent[0] + window - now
        self._sent.append(now)
        return 0.0

    def refused(self, now: float, window: float) -> None:
        if now >= self._paused_until:  # of the calls that were under way together only the first teaches
            self._most = max(_FEWEST, int(len(self._sent) * _BELOW))
            self._learned = now
        self._paused_until = max(self._paused_until, now + window)
