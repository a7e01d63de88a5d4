"""How many calls there may be: of a customer in any minute (117), and Bulk files of an account in 15 minutes (4204).

Microsoft documents both codes and that it counts by the minute and customer, and names no numbers: those here are the
sandbox's own. SANDBOX_MICROSOFT_LIMITS="CALLS SECONDS DOWNLOADS" gives others, SECONDS in place of the minute. So it is
with the reports that are in the making at once (207), which SANDBOX_MICROSOFT_REPORTS sets.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from sandbox.microsoft.calls import BULK, CAMPAIGN, Call
from sandbox.microsoft.refusals import RefusalError

CALLS = 600
SECONDS = 60.0
DOWNLOADS = 8
VARIABLE = "SANDBOX_MICROSOFT_LIMITS"
REPORTS = 6
REPORTS_VARIABLE = "SANDBOX_MICROSOFT_REPORTS"
_PERIOD = 900.0


class Throttles:
    """Counts the calls. Safe to use from several threads."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        calls, seconds, downloads = environment.get(VARIABLE, "").split() or (CALLS, SECONDS, DOWNLOADS)
        self._calls, self._seconds, self._downloads = int(calls), float(seconds), int(downloads)
        self._clock = clock
        self._counted: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, call: Call) -> None:
        """Count a call; raises RefusalError for one too many, which does not count."""
        if call.service == CAMPAIGN:
            self._count(f"customer {call.headers['CustomerId']}", self._calls, self._seconds, 117)
        elif call.service == BULK and call.operation.startswith("DownloadCampaigns"):
            self._count(f"account {call.account_id}", self._downloads, _PERIOD, 4204)

    def _count(self, whose: str, most: int, seconds: float, code: int) -> None:
        with self._lock:
            now, counted = self._clock(), self._counted.setdefault(whose, deque())
            while counted and counted[0] <= now - seconds:
                counted.popleft()
            if len(counted) >= most:
                raise RefusalError(code)
            counted.append(now)


def reports_at_once(environment: Mapping[str, str] = os.environ) -> int:
    """How many reports of the user may be in the making, with `--throttle` and without."""
    return int(environment.get(REPORTS_VARIABLE, REPORTS))
