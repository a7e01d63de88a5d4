"""One run at a time per database: a table locked for the whole run, on a connection that dies with its process."""

from __future__ import annotations

import re
import threading
from contextlib import suppress

from supervisor.config.errors import SinkError
from supervisor.sinks.vertica.connection import PRODUCT, Link
from supervisor.sinks.vertica.refusals import LOCK_FAILURE, RefusedError, addresses

PURPOSE = "lock"
_LABEL = re.compile(rf"{PRODUCT} (\d+)@(\S+) (\S+)T(\S+)Z {PURPOSE}")


class RunLock:
    """Held from `take` to `release`, or to the end of the process however it ends; `link` is the lock's alone.

    Every verb raises SinkError.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._mutex = threading.Lock()

    def take(self) -> None:
        """Lock the table, over the open connection."""
        try:
            self._link.run("LOCK TABLE _supervisor.run_lock IN EXCLUSIVE MODE NOWAIT", "lock the database for this run")
        except RefusedError as refusal:
            if refusal.sqlstate != LOCK_FAILURE:
                raise
            access, holder = self._link.access, self._holder()
            self._link.close()  # or `ensure` would take it for one that has the lock
            raise SinkError(
                f"the Vertica database {access.database} on {addresses(access)} is in use by {holder}; "
                "wait until that run ends"
            ) from refusal
        self._link.expect_short_answers()

    def ensure(self) -> None:
        """Take it again if its connection was lost, as after a restart of the server."""
        with self._mutex:
            try:
                self._link.run("SELECT 1", "answer")
            except SinkError:
                self._link.close()
                self._link.open()
                self.take()

    def release(self) -> None:
        self._link.close()

    def _holder(self) -> str:
        """Whoever else has the label of a lock; a user sees the sessions of others only with the right to."""
        labels: list[tuple[str, ...]] = []
        with suppress(SinkError):
            labels = self._link.run(
                f"SELECT client_label FROM v_monitor.sessions WHERE client_label LIKE '{PRODUCT} %' "
                "AND session_id NOT IN (SELECT session_id FROM v_monitor.current_session) ORDER BY login_timestamp",
                "show the sessions",
            )
        for (found,) in labels:
            parts = _LABEL.fullmatch(found)
            if parts:
                pid, host, day, time = parts.groups()
                return f"pid {pid} on {host}, a run that started {day} {time} UTC"
        return "another run, which this user cannot see"
