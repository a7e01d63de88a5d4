"""What a run has loaded already: a second attempt, or a run that follows a failed one soon, does not load it again.

The supervisor names a chain of attempts by the variable `WIRE_RESUME`; the state of an account's part of a table holds
the chain that loaded it last, and which days. Under any other program nothing is remembered and everything is loaded.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wire.days import Window, merged, without

RESUME_VARIABLE = "WIRE_RESUME"


class Resumed:
    """The chain of attempts that this one belongs to; "" where nobody names one."""

    def __init__(self, chain: str | None = None) -> None:
        self._chain = os.environ.get(RESUME_VARIABLE, "") if chain is None else chain

    def has(self, account: Mapping[str, Any]) -> bool:
        """Whether this chain has loaded the account's part of a table, which has no days."""
        return bool(self._chain) and account.get("loaded", {}).get("by") == self._chain

    def left(self, account: Mapping[str, Any], due: Sequence[Window]) -> tuple[Window, ...]:
        """The due days that this chain has not loaded."""
        if not self.has(account):
            return tuple(due)
        done = windows(account["loaded"].get("days", ()))
        return tuple(piece for each in due for piece in without(each, done))

    def mark(self, account: dict[str, Any], window: Window | None = None) -> None:
        """Remember that this chain has loaded the account's part of a table, or these days of it."""
        if not self._chain:
            return
        before = windows(account["loaded"].get("days", ())) if self.has(account) else ()
        account["loaded"] = {"by": self._chain}
        if window is not None:
            account["loaded"]["days"] = pairs(merged([*before, window]))


def windows(found: Iterable[Sequence[str]]) -> tuple[Window, ...]:
    """Windows from the pairs of ISO days that a state holds."""
    return tuple(Window(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in found)


def pairs(found: Iterable[Window]) -> list[list[str]]:
    """Windows as a state holds them."""
    return [[each.first.isoformat(), each.last.isoformat()] for each in found]
