"""What one refusal says about the requests that were not sent yet: a quota that is used up, a throttle that lasts.

LinkedIn counts per endpoint, for the application and its member together, so what one account learned holds for all.
"""

from __future__ import annotations

import threading
from collections import Counter

from wire import Kind, PipelineError

LASTING = 3
"""Requests in a row whose attempts all ended in a throttle, until nobody else tries any more."""


class NotAskedError(PipelineError):
    """A request that was not sent, because others like it were refused; nothing is to be learned from it."""


class Refusals:
    """Remembers by endpoint what was refused. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._final: dict[str, PipelineError] = {}
        self._throttled = Counter[str]()

    def check(self, endpoint: str, account_id: str | None) -> None:
        """Raise NotAskedError where another request would only be refused as well."""
        final = self._final.get(endpoint)
        if final is not None:
            raise NotAskedError(
                final.kind,
                f"{endpoint} is not asked any more, because LinkedIn refused others before: {final.message}",
                retry_after=final.retry_after,
                account_id=account_id,
            )

    def note(self, endpoint: str, error: PipelineError) -> None:
        """A request failed after all its attempts."""
        if isinstance(error, NotAskedError):
            return
        with self._lock:
            if error.kind is Kind.RATE_LIMIT:
                self._throttled[endpoint] += 1
            if error.kind is Kind.QUOTA or self._throttled[endpoint] >= LASTING:
                self._final.setdefault(endpoint, error)

    def answered(self, endpoint: str) -> None:
        """A request got what it asked for."""
        if self._throttled[endpoint]:
            with self._lock:
                self._throttled[endpoint] = 0
