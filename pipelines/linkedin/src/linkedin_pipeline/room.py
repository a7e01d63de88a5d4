"""How many rows all accounts together hold in memory while the answers that they come from are put together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

ROWS = 15_000
"""The most that one answer of LinkedIn's has; a run stays below 150 MiB with them."""


class Room:
    """Room for so many rows, shared by threads."""

    def __init__(self, rows: int = ROWS) -> None:
        self._rows = rows
        self._free = rows
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, rows: int) -> Iterator[None]:
        """Wait until there is room for so many rows, or for as many as there can be at all, and hold it."""
        rows = min(rows, self._rows)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= rows)
            self._free -= rows
        try:
            yield
        finally:
            with self._changed:
                self._free += rows
                self._changed.notify_all()
