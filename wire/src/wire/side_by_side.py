"""Accounts side by side inside one pipeline: threads, because a pipeline waits for answers and does not compute.

An account that waits for the platform to forget its throttle gives its turn to another one, so a limited account never
stops the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from wire.limiter import Limiter

T = TypeVar("T")
MOST_THREADS = 4
"""Times the limiter's highest number of requests: so many accounts at most are begun and not finished."""


def side_by_side(work: Callable[[T], None], items: Iterable[T], *, limiter: Limiter) -> None:
    """Do `work` for each item, as many at a time as the limiter has places for requests; returns when all are done.

    What `work` raises stops the others at their next request, and is raised here when nothing runs any more.
    """
    crew = _Crew(work, limiter)
    for item in items:
        if not crew.start(item):
            break
    crew.finish()


class _Crew(Generic[T]):
    """The threads of one call."""

    def __init__(self, work: Callable[[T], None], limiter: Limiter) -> None:
        self._work = work
        self._limiter = limiter
        self._running = 0
        self._lock = threading.Lock()
        self._error: BaseException | None = None

    def start(self, item: T) -> bool:
        """Begin the next item as soon as there is a turn; whether it was begun."""
        self._limiter.wait_for(lambda: self._error is not None or self._has_turn())
        if self._error is not None:
            return False
        with self._lock:
            self._running += 1
        threading.Thread(target=self._do, args=(item,), name="account", daemon=True).start()
        return True

    def finish(self) -> None:
        """Wait for all; raise the first error."""
        self._limiter.wait_for(lambda: self._running == 0)
        if self._error is not None:
            raise self._error

    def _has_turn(self) -> bool:
        most = self._limiter.most
        # At a concurrency of 1 accounts follow one another, whatever one of them waits for.
        waiting = self._limiter.waiting if most > 1 else 0
        return self._running - waiting < most and self._running < MOST_THREADS * most

    def _do(self, item: T) -> None:
        try:
            self._work(item)
        except BaseException as error:  # noqa: BLE001 - raised again by `finish`, on the thread that asked
            with self._lock:
                self._error = self._error or error
            self._limiter.stop(error)
        finally:
            with self._lock:
                self._running -= 1
            self._limiter.changed()
