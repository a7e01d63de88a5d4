"""The limits of the Marketing API as Meta documents them, for one app with standard access.

An ad account has a score: a read counts 1 and a write 3, they decay over 300 seconds, and beyond the most it is
blocked for 60 seconds ("Rate limiting", Marketing API: 9,000 with standard access, 60 in development). What reports the
app may ask for altogether Meta does not publish, only its headers and refusal (4/1504022): that number is made up.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.facebook.refusals import GraphError

ACCOUNT_SCORE = 9000
ACCOUNT_SECONDS = 300.0
BLOCKED_SECONDS = 60.0
WRITE_SCORE = 3
APP_CALLS = 150
APP_SECONDS = 5.0
"""The app's calls for reports in so many seconds."""


@dataclass(slots=True)
class Used:
    """What has been used, in percent; `accounts` are those of the request, `minutes` until one is served again."""

    accounts: dict[str, float]
    app: float
    minutes: int = 0

    def headers(self) -> dict[str, Any]:
        highest = max(self.accounts.values(), default=0.0)
        return {
            "x-app-usage": {"call_count": 0, "total_cputime": 0, "total_time": 0},
            "x-ad-account-usage": {"acc_id_util_pct": round(highest, 2), "reset_time_duration": int(ACCOUNT_SECONDS)},
            "x-business-use-case-usage": {
                name: [
                    {
                        **{"type": "ads_insights", "call_count": math.floor(used), "total_cputime": 0, "total_time": 0},
                        "estimated_time_to_regain_access": self.minutes,
                    }
                ]
                for name, used in self.accounts.items()
            },
            "x-fb-ads-insights-throttle": {"app_id_util_pct": round(self.app, 2), "acc_id_util_pct": round(highest, 2)},
        }


class ThrottledError(GraphError):
    """A refusal for the rate, with the usage that its headers tell."""

    def __init__(self, code: int, words: str, *, subcode: int, used: Used) -> None:
        super().__init__(code, words, subcode=subcode)
        self.used = used


@dataclass(slots=True)
class _Window:
    """Points of the last so many seconds."""

    seconds: float
    points: deque[tuple[float, int]] = field(default_factory=deque)
    total: int = 0
    blocked_until: float = 0.0

    def add(self, now: float, points: int) -> None:
        self.points.append((now, points))
        self.total += points

    def used(self, now: float) -> int:
        while self.points and self.points[0][0] <= now - self.seconds:
            self.total -= self.points.popleft()[1]
        return self.total


class Limits:
    """Counts what is asked; `SANDBOX_FACEBOOK_ACCOUNT_SCORE` and `_APP_CALLS` make the limits lower or higher."""

    def __init__(self) -> None:
        self._most = int(os.environ.get("SANDBOX_FACEBOOK_ACCOUNT_SCORE", ACCOUNT_SCORE))
        self._most_of_app = int(os.environ.get("SANDBOX_FACEBOOK_APP_CALLS", APP_CALLS))
        self._accounts: dict[str, _Window] = {}
        self._app = _Window(APP_SECONDS)
        self._lock = threading.Lock()

    def count(self, accounts: Sequence[str], *, insights: bool, writes: bool) -> Used:
        """Count a request for some accounts; what is used with it. Raises ThrottledError where it is too much."""
        now = time.monotonic()
        with self._lock:
            used = Used({}, 100 * self._app.used(now) / self._most_of_app)
            if insights and used.app >= 100:
                words = "(#4) There have been too many calls from this app. Wait a bit and try again"
                raise ThrottledError(4, words, subcode=1504022, used=used)
            for name in accounts:
                window = self._accounts.setdefault(name, _Window(ACCOUNT_SECONDS))
                used.accounts[name] = 100 * window.used(now) / self._most
                if used.accounts[name] >= 100 and window.blocked_until <= now:
                    window.blocked_until = now + BLOCKED_SECONDS
                    window.points.clear()
                    window.total = 0
                if window.blocked_until > now:
                    used.minutes = math.ceil((window.blocked_until - now) / 60)
                    raise ThrottledError(17, "(#17) User request limit reached", subcode=2446079, used=used)
                window.add(now, WRITE_SCORE if writes else 1)
            if insights:
                self._app.add(now, 1)
        return used
