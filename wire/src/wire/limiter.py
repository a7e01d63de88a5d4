"""How many requests a pipeline has under way at once, as the platform lets it.

Slow start, then additive increase and multiplicative decrease, as TCP does: the limit begins at `FIRST`, doubles after
as many good answers as it is high until the platform throttles for the first time, and grows by one from then on; each
throttle halves it. What was too much is remembered, as CUBIC does: the limit stays just below it, and tries it again
only after `PROBE_AFTER` good answers, so that a lasting limit costs few refused calls. A throttle of the whole login
also pauses everybody for as long as the platform asks; one of a single account makes only that account wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wire import metrics
from wire.exits import Kind
from wire.failures import PipelineError

FIRST = 2
PROBE_AFTER = 200
"""Good answers before the limit is tried again at which the platform throttled: half a percent of refused calls."""


class Limiter:
    """Hands out places for requests, to any number of threads. `most` is the highest limit that it ever allows.

    Raises PipelineError (config) where `most` is below 1.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        if most < 1:
            raise PipelineError(
                Kind.CONFIG, f"settings.concurrency: expected a whole number of at least 1, got {most!r}"
            )
        self.most = most
        self._clock = clock
        self._changed = threading.Condition()
        self._allowed = min(FIRST, most)
        self._slow_start = True
        self._good = 0
        self._throttles = 0
        self._too_much = most + 1
        self._in_flight = 0
        self._waiting = 0
        self._paused_until = 0.0
        self._reason: BaseException | None = None

    def divide(self, count: int) -> None:
        """From now on allow what is one of `count` equal parts, and one request at least."""
        with self._changed:
            self.most = max(1, self.most // count)
            self._allowed = min(self._allowed, self.most)
            self._too_much = min(self._too_much, self.most + 1)

    @property
    def allowed(self) -> int:
        """How many requests may be under way now."""
        return self._allowed

    @property
    def in_flight(self) -> int:
        """How many are."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """How many threads wait before a request is repeated, with nothing under way."""
        return self._waiting

    @contextmanager
    def place(self) -> Iterator[int]:
        """A place for one request, waited for; raises what `stop` was given. Pass what it yields to `throttled`."""
        with self._changed:
            while (seconds := self._closed_for()) is not None:
                self._changed.wait(seconds or None)
            self._in_flight += 1
            metrics.count_in_flight(1)
            seen = self._throttles
        try:
            yield seen
        except BaseException:
            self._leave(good=False)
            raise
        self._leave(good=True)

    def throttled(self, seen: int, *, pause: float = 0.0) -> None:
        """The platform refused a request for its rate; nobody sends for `pause` seconds.

        `seen` is what `place` yielded: of the requests that were under way together only the first halves the limit.
        """
        with self._changed:
            if seen == self._throttles:
                self._throttles += 1
                self._slow_start = False
                self._good = 0
                self._too_much = self._allowed
                self._allowed = max(1, self._allowed // 2)
            self._paused_until = max(self._paused_until, self._clock() + pause)
            self._changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Wait before a request is repeated, as in `repeating`; raises what `stop` was given as soon as it is."""
        with self.repeating(), self._changed:
            self._changed.wait_for(lambda: self._reason is not None, seconds)
            if self._reason is not None:
                raise self._reason

    def pause(self, seconds: float) -> float:
        """Nobody sends for `seconds`: the platform says that its limit is near, and has refused nothing yet.

        Returns how many seconds that is longer than everybody would have waited anyway.
        """
        with self._changed:
            now = self._clock()
            before = max(self._paused_until, now)
            self._paused_until = max(before, now + seconds)
            self._changed.notify_all()
            return self._paused_until - before

    def check(self) -> None:
        """Raise what `stop` was given, for whoever waits for something else than a place."""
        if self._reason is not None:
            raise self._reason

    @contextmanager
    def repeating(self) -> Iterator[None]:
        """While a thread waits to repeat a request; another account may use its turn meanwhile."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1

    def stop(self, reason: BaseException) -> None:
        """Let no further request begin: whoever asks for a place gets `reason` raised."""
        with self._changed:
            self._reason = self._reason or reason
            self._changed.notify_all()

    def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Wait until `predicate` holds, looking again whenever the limiter changes or `changed` was called."""
        with self._changed:
            self._changed.wait_for(predicate)

    def changed(self) -> None:
        """Wake whoever waits in `wait_for`."""
        with self._changed:
            self._changed.notify_all()

    def _closed_for(self) -> float | None:
        """None where a request may begin, else after how many seconds to look again, 0 for when something changes."""
        if self._reason is not None:
            raise self._reason
        left = self._paused_until - self._clock()
        if left > 0:
            return left
        return None if self._in_flight < self._allowed else 0.0

    @property
    def _enough(self) -> int:
        """Good answers until the limit grows."""
        return self._allowed if self._allowed + 1 < self._too_much else max(self._allowed, PROBE_AFTER)

    def _leave(self, *, good: bool) -> None:
        with self._changed:
            self._in_flight -= 1
            metrics.count_in_flight(-1)
            if good:
                self._good += 1
                if self._good >= self._enough and self._allowed < self.most:
                    self._allowed = min(self.most, self._allowed * 2 if self._slow_start else self._allowed + 1)
                    self._good = 0
            self._changed.notify_all()
