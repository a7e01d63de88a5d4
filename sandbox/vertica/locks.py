"""Table locks, as Vertica takes them: a statement locks its table until its transaction ends, and others wait.

INSERT and COPY take I, which they share; DELETE, UPDATE, MERGE and LOCK TABLE IN EXCLUSIVE MODE take X; changes of a
table's definition take O. Reads take nothing (READ COMMITTED). A wait ends after the lock timeout (Vertica's
`LockTimeout`, 300 s), at once when it would close a circle (deadlock), and when the statement is canceled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sandbox.vertica.errors import ServerError, canceled

MODES = {"SHARE": "S", "INSERT": "I", "SHARE INSERT": "SI", "EXCLUSIVE": "X", "OWNER": "O", "USAGE": "U"}

_SHARED = {("S", "S"), ("I", "I"), *((m, "U") for m in "SIXU"), *(("U", m) for m in "SIXU")}
_LOOK = 0.1  # seconds between looks for a cancellation


@dataclass(eq=False)
class Owner:
    """A session, as far as locks know it."""

    user: str
    statement: str = ""
    cancelled: Callable[[], bool] = lambda: False
    held: dict[str, str] = field(default_factory=dict)


class Locks:
    """`waits` are how many locks were had after a wait, and `waited` how long all these waits took, in seconds."""

    def __init__(self, timeout: float) -> None:
        self.waits, self.waited = 0, 0.0
        self._timeout = timeout
        self._changed = threading.Condition()
        self._owners: set[Owner] = set()
        self._waits: dict[Owner, set[Owner]] = {}
        self._commits = 0
        self._last_change: dict[str, int] = {}

    def now(self) -> int:
        """How many commits there have been."""
        with self._changed:
            return self._commits

    def changed_since(self, moment: int) -> list[str]:
        """The tables that a commit after that moment changed."""
        with self._changed:
            return [table for table, changed in self._last_change.items() if changed > moment]

    def committed(self, tables: Iterable[str]) -> None:
        """To be told before the locks are released."""
        with self._changed:
            self._commits += 1
            self._last_change |= dict.fromkeys(tables, self._commits)

    def take(self, owner: Owner, table: str, mode: str, *, wait: bool = True) -> None:
        """Raises ServerError: 55V03 when the lock is not to be had, 40V01 for a deadlock, 57014 when canceled."""
        asked = time.monotonic()
        until, had_to_wait = asked + (self._timeout if wait else 0), False
        with self._changed:
            mode = _stronger(owner.held.get(table), mode)
            while in_the_way := self._in_the_way(owner, table, mode):
                self._waits[owner], had_to_wait = in_the_way, True
                try:
                    self._wait(owner, table, mode, until)
                finally:
                    del self._waits[owner]
            owner.held[table] = mode
            self._owners.add(owner)
            if had_to_wait:
                self.waits, self.waited = self.waits + 1, self.waited + time.monotonic() - asked

    def release(self, owner: Owner) -> None:
        """All of them: the transaction has ended."""
        with self._changed:
            owner.held.clear()
            self._owners.discard(owner)
            self._changed.notify_all()

    def _wait(self, owner: Owner, table: str, mode: str, until: float) -> None:
        holder = next(iter(self._waits[owner]))
        if self._closes_a_circle(owner):
            raise ServerError(
                f"Deadlock: initiator locks for query - Deadlock {mode} locking Table:{table}", "40V01", 3010
            )
        if time.monotonic() >= until:
            raise ServerError(
                f"Unavailable: initiator locks for query - Locking failure: Timed out {mode} locking Table:{table}. "
                f"{holder.held[table]} held by [user {holder.user} ({holder.statement[:100]})]. "
                "Your current transaction isolation level is READ COMMITTED",
                "55V03",
                5156,
            )
        if owner.cancelled():
            raise canceled()
        self._changed.wait(min(_LOOK, max(0.0, until - time.monotonic())))

    def _in_the_way(self, owner: Owner, table: str, mode: str) -> set[Owner]:
        return {
            other
            for other in self._owners
            if other is not owner and table in other.held and (other.held[table], mode) not in _SHARED
        }

    def _closes_a_circle(self, owner: Owner) -> bool:
        seen: set[Owner] = set()
        ahead = list(self._waits[owner])
        while ahead:
            other = ahead.pop()
            if other is owner:
                return True
            if other not in seen:
                seen.add(other)
                ahead += self._waits.get(other, ())
        return False


def _stronger(held: str | None, asked: str) -> str:
    """What a transaction that holds one lock and asks for another must hold."""
    if held is None or held == asked:
        return asked
    if {held, asked} == {"S", "I"}:
        return "SI"
    order = ("U", "S", "I", "SI", "X", "O")
    return max(held, asked, key=order.index)
