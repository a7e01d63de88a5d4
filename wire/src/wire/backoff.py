"""Repeating a call that a wait can mend, with exponential backoff and jitter."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from msgspec import Struct

from wire import metrics
from wire.exits import Kind
from wire.failures import PipelineError
from wire.limiter import Limiter

T = TypeVar("T")
log = logging.getLogger(__name__)


class Backoff(Struct, frozen=True):
    """How often and how patiently, in seconds: retry n waits `first` x 2^(n-1), jittered down by up to half."""

    attempts: int = 5
    first: float = 2.0
    longest: float = 300.0

    def wait(self, retry: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """Seconds to wait before retry number `retry`, which counts from 1."""
        return float(min(self.longest, self.first * 2 ** (retry - 1)) * uniform(0.5, 1.0))


def call_with_retries(
    call: Callable[[], T],
    *,
    mendable: Callable[[PipelineError], bool],
    backoff: Backoff,
    what: str,
    sleep: Callable[[float], None] | None = None,
    limiter: Limiter | None = None,
    shared: Callable[[PipelineError], bool] = lambda error: error.account_id is None,
) -> T:
    """Call until it works, the error is not `mendable`, or the attempts are used up; then raise the last error.

    An error's own `retry_after` wins over the computed wait, unless it is longer than `backoff.longest`: then the
    error is raised at once, so that the supervisor can schedule the next attempt.

    With a `limiter` each call takes a place, a throttle (rate_limit) halves the places, and one that is `shared`, of
    the login and not of one account, makes everybody wait; by default one without an account.
    """
    pause = sleep or (limiter.rest if limiter else time.sleep)
    for retry in range(1, backoff.attempts + 1):
        place: AbstractContextManager[int] = limiter.place() if limiter else nullcontext(0)
        seen = 0
        try:
            with place as seen:
                return call()
        except PipelineError as error:
            wait = error.retry_after if error.retry_after is not None else backoff.wait(retry)
            if limiter and error.kind is Kind.RATE_LIMIT:
                limiter.throttled(seen, pause=min(wait, backoff.longest) if shared(error) else 0.0)
            if retry == backoff.attempts or not mendable(error) or wait > backoff.longest:
                raise
            metrics.count_retry(error.kind, wait)
            log.warning("%s: %s; retry %d in %.1f s", what, error.message, retry, wait)
            pause(wait)
    raise AssertionError("a backoff makes at least one attempt")
