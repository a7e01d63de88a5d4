"""Whose turn it is to change definitions: of the sessions of one run, and of all shards that share the database.

Vertica has no DDL that waits for its own kind and then looks again. So a table is locked meanwhile, on a connection of
its own: DDL commits, and a commit gives all locks of its connection back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from supervisor.config.errors import SinkError
from supervisor.sinks.vertica.connection import Link
from supervisor.sinks.vertica.refusals import LOCK_FAILURE, RefusedError

TABLE = "definitions"
_LOOK_SECONDS = 0.25


class Definitions:
    """One for all sessions of a run. `new_link` makes a connection for the lock; without it no other run writes."""

    def __init__(self, new_link: Callable[[], Link] | None = None) -> None:
        self._new_link = new_link
        self._turn = threading.Lock()

    @contextmanager
    def changing(self, interrupted: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Have the turn: what was seen of definitions before may have changed. Raises SinkError.

        Who waits for it can be `interrupted`, and gets an error then.
        """
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            _check(interrupted)
        try:
            if self._new_link is None:
                yield
                return
            link = self._new_link()
            try:
                link.open()
                while not _is_locked(link):
                    _check(interrupted)
                    time.sleep(_LOOK_SECONDS)
                yield
            finally:
                link.close()
        finally:
            self._turn.release()


def _is_locked(link: Link) -> bool:
    try:
        link.run(f"LOCK TABLE _supervisor.{TABLE} IN EXCLUSIVE MODE NOWAIT", "wait for others' changes of tables")
    except RefusedError as refusal:
        if refusal.sqlstate != LOCK_FAILURE:
            raise
        return False
    return True


def _check(interrupted: Callable[[], bool]) -> None:
    if interrupted():
        raise SinkError("the session was ended")
