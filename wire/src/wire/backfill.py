"""How much of the backfill there is, is left, and was loaded by this attempt: in days of all accounts and tables.

Backfill are the days before those that the lookback loads every night.
"""

from __future__ import annotations

from collections import Counter


class Backfill:
    """Counts; whoever uses it from several threads holds a lock. A day counts once for each account and daily table."""

    def __init__(self) -> None:
        self._total: dict[tuple[str, str], int] = {}
        self._left: dict[tuple[str, str], int] = {}
        self._left_of: Counter[str] = Counter()
        self.total = 0
        self.left = 0
        self.done = 0
        self.recent = 0
        """Days of the lookback that this attempt has loaded."""

    def due(self, table: str, account_id: str, *, total: int, left: int) -> None:
        """An account's part of a table has so many days of backfill, of which later rounds are left so many."""
        key = table, account_id
        self.total += total - self._total.get(key, 0)
        change = left - self._left.get(key, 0)
        self.left += change
        self._left_of[account_id] += change
        self._total[key], self._left[key] = total, left

    def loaded(self, *, recent: int, backfill: int) -> None:
        """So many days were sent."""
        self.recent += recent
        self.done += backfill

    def is_left(self, account_id: str) -> bool:
        """Whether days of the account are left for later rounds."""
        return self._left_of[account_id] > 0
