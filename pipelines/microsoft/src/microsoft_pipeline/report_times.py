"""When a report in the making is worth a look, as earlier ones of its table tell.

Microsoft says no more of a report than that it is pending, and a made one keeps its place until it is looked at. So
looks begin shortly before the quickest of the last reports was ready and follow one another closely there; later, or
where nothing is known yet, they become rarer. A report that is ready at the first look was so for an unknown time, and
the next one is looked at sooner.
"""

from __future__ import annotations

import threading
from collections import deque

_REMEMBERED = 8
_EARLY = 0.8
_CLOSE = 0.1
_LATE = 2.0
_WIDE = 0.5
_SLOWEST = 30.0


class ReportTimes:
    """Seconds, for all reports of a run. Safe to share between threads."""

    def __init__(self, first: float) -> None:
        self._first = first
        self._lock = threading.Lock()
        self._seen: dict[str, deque[float]] = {}

    def first_look(self, table: str) -> float:
        """The age at which a report is looked at for the first time."""
        with self._lock:
            seen = self._seen.get(table)
            return max(self._first, _EARLY * min(seen)) if seen else self._first

    def next_look(self, table: str, age: float) -> float:
        """The age of the look after one that found it pending."""
        with self._lock:
            due = min(self._seen.get(table, (0.0,)))
        return age + max(self._first, min(age * (_CLOSE if age < _LATE * due else _WIDE), _SLOWEST))

    def ready(self, table: str, age: float, pending_at: float) -> None:
        """A report was found ready at an age, and pending before at another, 0 where there was no look before."""
        with self._lock:
            self._seen.setdefault(table, deque(maxlen=_REMEMBERED)).append(pending_at or age / 2)
