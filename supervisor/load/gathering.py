"""Finished regions that wait for each other: a transaction costs the same for one small region as for hundreds.

They wait until they are worth it, by rows, bytes or number, and no longer than a quarter of a second: but for a sink
that is still busy, which would only keep them waiting elsewhere.
"""

from __future__ import annotations

import time

from supervisor.sinks import Commit
from wire.messages import Replaces
from wire.schema import Table, Type

MOST_ROWS = 50_000
MOST_BYTES = 4 * 1024 * 1024
MOST_REGIONS = 500
WAIT_SECONDS = 0.25

_Whose = tuple[tuple[str, str], ...]
_Days = tuple[str, str]
_LAST = "~"  # behind every day


class Gathering:
    """Regions in the order in which they were finished; those of one stream do not overlap."""

    def __init__(self) -> None:
        self._commits: list[Commit] = []
        self._days: dict[str, dict[_Whose, list[_Days]]] = {}
        self._rows = 0
        self._bytes = 0
        self._begun = 0.0

    @property
    def is_empty(self) -> bool:
        return not self._commits

    @property
    def is_full(self) -> bool:
        """Whether they are worth a transaction."""
        return self._rows >= MOST_ROWS or self._bytes >= MOST_BYTES or len(self._commits) >= MOST_REGIONS

    @property
    def have_waited(self) -> bool:
        """Whether the first of them has waited long enough."""
        return not self.is_empty and self.seconds_left <= 0

    @property
    def seconds_left(self) -> float:
        """How long the first of them may still wait."""
        return self._begun + WAIT_SECONDS - time.monotonic()

    def has_room_for(self, table: Table, replaces: Replaces) -> bool:
        """Whether a region can be replaced together with those of its stream that wait.

        Not if it may have rows in common with one of them: the later one must find the earlier one's rows. Regions of
        other columns, and of columns in which two texts can mean one value, may.
        """
        known = self._days.get(table.name)
        if not known:
            return True
        kinds = {column.name: column.type for column in table.columns}
        columns = [name for name, _ in next(iter(known))]
        if sorted(replaces.where) != columns or any(kinds[name] is not Type.STRING for name in columns):
            return False
        first, last = _days(replaces)
        of_same = known.get(_whose(replaces), [])
        # Where one has days and another has none, they are not of the same columns; all that wait are like the first.
        a_first, a_last = next(iter(known.values()))[0]
        is_alike = (first == "", last == _LAST) == (a_first == "", a_last == _LAST)
        return is_alike and all(b < first or last < a for a, b in of_same)

    def add(self, commit: Commit, rows: int, size: int) -> None:
        """Let a finished region of `rows` rows, `size` bytes, wait."""
        assert commit.replaces is not None
        if self.is_empty:
            self._begun = time.monotonic()
        self._commits.append(commit)
        whose = self._days.setdefault(commit.replaces.stream, {})
        whose.setdefault(_whose(commit.replaces), []).append(_days(commit.replaces))
        self._rows += rows
        self._bytes += size

    def take(self) -> list[Commit]:
        """All that wait; none wait afterwards."""
        taken = self._commits
        self._commits, self._days, self._rows, self._bytes = [], {}, 0, 0
        return taken


def _whose(replaces: Replaces) -> _Whose:
    return tuple(sorted(replaces.where.items()))


def _days(replaces: Replaces) -> _Days:
    return replaces.first or "", replaces.last or _LAST
