"""How fast requests may come: a bucket of tokens for each account and one for the login, as Google says it meters them.

Google names no numbers: "limits vary with the load". Those here are the sandbox's own, and
SANDBOX_GOOGLE_REQUESTS_PER_SECOND gives others: of an account, of the login.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from math import ceil
from typing import NamedTuple

ACCOUNT_PER_SECOND = 10.0
LOGIN_PER_SECOND = 100.0
BURST_SECONDS = 2.0
"""A bucket that was left alone holds what comes in so many seconds."""

VARIABLE = "SANDBOX_GOOGLE_REQUESTS_PER_SECOND"


class Refusal(NamedTuple):
    """Whose limit it is (ACCOUNT or DEVELOPER), and after how many seconds to ask again."""

    scope: str
    seconds: int


class Bucket:
    """Tokens that come at a rate, up to as many as come in BURST_SECONDS."""

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._tokens = self._most = per_second * BURST_SECONDS
        self._since = now

    def take(self, now: float) -> int:
        """Take one: 0, or after how many whole seconds to try again, when the bucket is full anew."""
        self._tokens = min(self._most, self._tokens + (now - self._since) * self._per_second)
        self._since = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return max(1, ceil((self._most - self._tokens) / self._per_second))


class Throttles:
    """All buckets. Safe to use from several threads."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        given = [float(word) for word in environment.get(VARIABLE, "").split()]
        self._per_account, login = given or (ACCOUNT_PER_SECOND, LOGIN_PER_SECOND)
        self._clock = clock
        self._login = Bucket(login, clock())
        self._accounts: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def refusal(self, customer_id: str) -> Refusal | None:
        """The refusal of a request about a customer, "" for one about none; None where it may pass."""
        with self._lock:
            now = self._clock()
            wait = self._login.take(now)
            if wait:
                return Refusal("DEVELOPER", wait)
            if customer_id and (
                wait := self._accounts.setdefault(customer_id, Bucket(self._per_account, now)).take(now)
            ):
                return Refusal("ACCOUNT", wait)
            return None
