"""How far a night is, told to the supervisor while it lasts: accounts, backfill, and how long it will still take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wire import metrics
from wire.backfill import Backfill


class Night:
    """The rounds of one run over `accounts` accounts; from any thread. `budget` is the backfill's, in seconds.

    A run that was asked for exactly some days has no backfill, and tells nothing of it.
    """

    def __init__(
        self,
        backfill: Backfill,
        accounts: int,
        *,
        has_backfill: bool,
        budget: float | None,
        clock: Callable[[], float],
    ) -> None:
        self._backfill = backfill
        self._has_backfill = has_backfill
        self._accounts = accounts
        self._budget = budget
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._backfill_began: float | None = None
        self._begun = 0
        self._done = 0
        metrics.gauge("accounts_total", accounts)

    def begin_backfill(self) -> None:
        """From the first call on the time of the budget runs."""
        if self._backfill_began is None:
            self._backfill_began = self._clock()

    @property
    def budget_is_spent(self) -> bool:
        if self._budget is None or self._backfill_began is None:
            return False
        return self._clock() - self._backfill_began > self._budget

    @contextmanager
    def account(self, *, is_first_round: bool) -> Iterator[None]:
        """While one account's part of a round is loaded."""
        with self._lock:
            self._begun += is_first_round
        yield
        with self._lock:
            self._done += is_first_round
        self.tell()

    def tell(self) -> None:
        """Tell how far it is; see `wire.metrics` for how often that is logged."""
        backfill = self._backfill
        with self._lock:
            metrics.gauge("accounts_done", self._done)
            if self._has_backfill:
                metrics.gauge("backfill_days_total", backfill.total)
                metrics.gauge("backfill_days_left", backfill.left)
                metrics.gauge("backfill_days_done", backfill.done)
            seconds = self._seconds_left()
            if seconds is not None:
                metrics.gauge("estimated_seconds_left", round(seconds))

    def _seconds_left(self) -> float | None:
        """How long it will take if it goes on like this; None where nothing is known yet."""
        now, backfill = self._clock(), self._backfill
        if self._backfill_began is not None:
            spent = now - self._backfill_began
            return self._within_budget(backfill.left * spent / backfill.done if backfill.done else 0.0, spent)
        passed = now - self._began
        # Whoever is under way is taken for half done.
        done = (self._begun + self._done) / 2
        if not self._done:
            return None
        rest = max(0.0, self._accounts - done) * passed / done
        to_come = backfill.left * self._accounts / done
        return rest + self._within_budget(to_come * passed / backfill.recent if backfill.recent else 0.0, 0.0)

    def _within_budget(self, seconds: float, spent: float) -> float:
        return seconds if self._budget is None else max(0.0, min(seconds, self._budget - spent))
