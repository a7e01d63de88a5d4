"""Which runs hold a database: tables locked for the whole run, on a connection that dies with its process.

A run of all accounts has `run_lock` alone. Shards share it, and each has the table of its index alone. The modes S
(SHARE) and I (INSERT) go with themselves and not with each other, so a shard of N, which takes S of `shards_of_N` and I
of the tables of other numbers, goes with the shards of N and with no others. That says Vertica's table of lock modes:
https://docs.vertica.com/24.2.x/en/admin/db-locks/lock-modes/.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import suppress

from supervisor.config.errors import SinkError
from supervisor.sinks.sharing import Holder, is_in_the_way, until
from supervisor.sinks.vertica.connection import PRODUCT, Link
from supervisor.sinks.vertica.refusals import LOCK_FAILURE, RefusedError, addresses
from wire.shards import Shard, parse_shard

_PURPOSE = "lock"
_LABEL = re.compile(rf"{PRODUCT} (\d+)@(\S+) (\S+)T(\S+)Z {_PURPOSE}(?: (\d+-of-\d+))?")
_SHARDS_OF = "shards_of_"
_AT_WORK = "at_work"


def purpose(shard: Shard | None) -> str:
    """What the label of a lock's connection says that it is for."""
    return f"{_PURPOSE} {shard.label}" if shard else _PURPOSE


def tables(shard: Shard | None) -> tuple[str, ...]:
    """The tables of `_supervisor` that are locked for a shard, beside `run_lock`; they must be there before."""
    return (f"{_SHARDS_OF}{shard.count}", f"shard_{shard.index}", _AT_WORK) if shard else ()


class RunLock:
    """Held from `take` to `release`, or to the end of the process however it ends; `link` is the lock's alone.

    Every verb raises SinkError.
    """

    def __init__(self, link: Link, shard: Shard | None = None) -> None:
        self._link = link
        self._shard = shard
        self._mutex = threading.Lock()

    def take(self) -> None:
        """Lock the tables, over the open connection."""
        try:
            for table, mode in self._modes():
                self._lock(f"{table} IN {mode} MODE NOWAIT")
        except RefusedError as refusal:
            if refusal.sqlstate != LOCK_FAILURE:
                raise
            access, (holder, remedy) = self._link.access, self._in_the_way()
            self._link.close()  # or `ensure` would take it for one that has the lock
            raise SinkError(
                f"the Vertica database {access.database} on {addresses(access)} is in use by {holder}; {remedy}"
            ) from refusal
        if self._shard:
            self._lock(f"{_AT_WORK} IN SHARE MODE")  # it waits, as whoever asks for it alone has it for a moment
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
        self._link.roll_back()  # or the server would hold the tables until it saw that the connection has ended
        self._link.close()

    def end_work(self) -> bool:
        """Give a shard's hold back; whether no other one is at work, and then none begins before `release`.

        Of shards that end at the same time at least one is told so: who asks has given its own hold back before, and
        has by then committed all that it will.
        """
        self._link.run("ROLLBACK", "give the database back")
        try:
            self._lock(f"{_AT_WORK} IN EXCLUSIVE MODE NOWAIT")
        except RefusedError as refusal:
            self._link.close()
            if refusal.sqlstate != LOCK_FAILURE:
                raise
            return False
        return True

    def _modes(self) -> Iterator[tuple[str, str]]:
        """Tables and the modes in which they are locked, in this order; each is free at once or the run is refused."""
        if self._shard is None:
            yield "run_lock", "EXCLUSIVE"
            return
        yield "run_lock", "SHARE"
        own, index, _ = tables(self._shard)
        yield own, "SHARE"
        # Those of two numbers have both made their tables before they look, so one of them sees the other's.
        for (other,) in self._link.run(
            "SELECT lower(table_name) FROM v_catalog.tables WHERE lower(table_schema) = '_supervisor' "
            f"AND substr(lower(table_name), 1, {len(_SHARDS_OF)}) = '{_SHARDS_OF}' ORDER BY 1",
            "show the tables",
        ):
            if other != own:
                yield other, "INSERT"
        yield index, "EXCLUSIVE"

    def _lock(self, what: str) -> None:
        self._link.run(f"LOCK TABLE _supervisor.{what}", "lock the database for this run")

    def _in_the_way(self) -> tuple[str, str]:
        """Who holds the database, and what to do; a user sees the sessions of others only with the right to."""
        labels: list[tuple[str, ...]] = []
        with suppress(SinkError):
            labels = self._link.run(
                f"SELECT client_label FROM v_monitor.sessions WHERE client_label LIKE '{PRODUCT} %' "
                "AND session_id NOT IN (SELECT session_id FROM v_monitor.current_session) ORDER BY login_timestamp",
                "show the sessions",
            )
        for (found,) in labels:
            holder = _holder(found)
            if holder is not None and is_in_the_way(holder.shard, self._shard):
                return str(holder), until(holder.shard, self._shard)
        return "another run, which this user cannot see", "wait until that run ends"


def _holder(label: str) -> Holder | None:
    """The run whose lock has this label; None where it is none of a lock."""
    parts = _LABEL.fullmatch(label)
    if parts is None:
        return None
    pid, host, day, time, shard = parts.groups()
    try:
        return Holder(f"pid {pid} on {host}", f"{day} {time} UTC", parse_shard(shard) if shard else None)
    except ValueError:  # whoever logs in may choose any label
        return None
