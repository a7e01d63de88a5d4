"""How many reports are in the making at once, of all accounts together, as Microsoft lets them be.

Microsoft limits the reports of a user, says so with 207, and names no number. The room begins with `FIRST` places and
grows by one as often as that many reports were accepted. A refusal sets it to what is being made, and from then on one
more is tried only after `PROBE_AFTER`. Whoever has a report of its own looks after that instead of waiting here. Where
a refusal comes and none of ours is being made, another run of the user, a shard say, has all places, for seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from microsoft_pipeline.errors import TooManyReportsError
from wire import Backoff, Kind, Limiter, count_pause
from wire.metrics import count_retry

log = logging.getLogger(__name__)

FIRST = 5
PROBE_AFTER = 30
_FIRST_PAUSE = 1.0
_LOOK_SECONDS = 0.5
_SECONDS_OF_SILENCE = 60.0


class ReportRoom:
    """Places for reports in the making, `most` of them. Safe to share between threads."""

    def __init__(self, limiter: Limiter, most: int, attempts: int) -> None:
        self._limiter = limiter
        self._most = most
        self._attempts = attempts
        self._changed = threading.Condition()
        self._allowed = min(FIRST, most)
        self._was_refused = False
        self._taken = 0
        self._making = 0
        self._accepted = 0
        self._refused_alone = 0
        self._alone_since = 0.0
        self._speak_at = 0.0

    def take(self) -> None:
        """A place for a report that is about to be asked for, waited for while others have their turn."""
        while not self.try_take():
            with self._limiter.repeating(), self._changed:
                self._changed.wait_for(lambda: self._taken < self._allowed, _LOOK_SECONDS)
            self._limiter.rest(0)
            self.speak()

    def try_take(self) -> bool:
        """The same without waiting: whether there is one."""
        with self._changed:
            if self._taken >= self._allowed:
                return False
            self._taken += 1
            return True

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While a report is asked for in a place that was taken. The place stays where that works, for `leave`."""
        try:
            yield
        except TooManyReportsError:
            self._refused()
            raise
        except BaseException:
            self._give_back()
            raise
        with self._changed:
            self._making += 1
            self._allowed = max(
                self._allowed, self._making
            )  # asked for when another was refused, and made all the same
            self._accepted += 1
            self._refused_alone = 0
            enough = PROBE_AFTER if self._was_refused else self._allowed
            if self._accepted >= enough and self._allowed < self._most:
                self._allowed, self._accepted = self._allowed + 1, 0
                self._changed.notify_all()

    def leave(self) -> None:
        """A report is made, or is not asked for any more."""
        with self._changed:
            self._making -= 1
        self._give_back()

    def wait_for_room(self, error: TooManyReportsError) -> None:
        """After a refusal: wait a little, and longer each time, where nothing of our own is being made.

        Raises the error after as long as the attempts of a request last that wait as told each time. Where something is
        being made, the next `take` waits for that.
        """
        longest = error.retry_after or 0
        with self._changed:
            if self._making:
                return
            now = time.monotonic()
            if not self._refused_alone:
                self._alone_since = now
            self._refused_alone += 1
            alone, waited = self._refused_alone, now - self._alone_since
        if alone >= self._attempts and waited >= longest * (self._attempts - 1):
            raise error
        pause = pause_after(error, alone)
        count_pause(pause)
        self._limiter.rest(pause)

    def speak(self) -> None:
        """A word now and then tells whoever watches that this is no standstill."""
        now = time.monotonic()
        with self._changed:
            if now < self._speak_at:
                return
            self._speak_at = now + _SECONDS_OF_SILENCE
            making = self._making
        log.info("%d reports are being made", making)

    def _refused(self) -> None:
        count_retry(Kind.RATE_LIMIT, 0)
        with self._changed:
            self._accepted, self._was_refused = 0, True
            allowed = max(1, self._making)
            if allowed < self._allowed:
                self._allowed = allowed
                log.info("Microsoft makes no more than %d reports at once; the others wait", allowed)
        self._give_back()

    def _give_back(self) -> None:
        with self._changed:
            self._taken -= 1
            self._changed.notify_all()


def pause_after(error: TooManyReportsError, refusals: int) -> float:
    """Seconds until a report is asked for again that was refused so often: a place is free as soon as one is made."""
    return Backoff(first=_FIRST_PAUSE, longest=error.retry_after or 0).wait(refusals)
