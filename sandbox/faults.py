"""Faults that a platform's server commits on request, each a given number of times.

Which of them a server knows is its `FAULTS`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

KINDS = (
    "rate_limit",
    "expired_token",
    "revoked_token",
    "server_error",
    "html",
    "broken_connection",
    "hang",
    "failed_job",
    "truncated_file",
    "error",
    "bare",
    "empty_body",
    "empty_job",
    "expired_link",
    "future_value",
    "missing_value",
    "repeated_object",
    "unknown_rows",
    "wrong_first_line",
    "too_much_data",
    "large_page",
    "large_object",
    "large_single_object",
    "lost_run",
    "empty_answer",
    "cursor_cycle",
    "changed_object",
    "empty_list",
    "unlisted_object",
    "no_refresh_token",
    "lost_page",
    "repeated_page",
    "missing_campaign",
)
LOSSES = ("lost_page", "repeated_page", "missing_campaign")
"""Faults of a daily report of campaigns, which no status or count gives away; `damaged` commits them."""

_WITH_CODE = frozenset({"error", "bare"})
_SPELLING = re.compile(
    r"(?P<kind>[a-z_]+)(?:=(?P<code>\d+))?(?:/(?P<account>\d+))?(?:@(?P<after>\d+))?(?:x(?P<times>\d+))?"
)


@dataclass(slots=True)
class Fault:
    """`kind` strikes `times` times, after `after` requests that it could have struck were let through.

    An `error` has the platform's own `code`, a `bare` answer an HTTP status; with an `account` a fault strikes requests
    for that one alone.
    """

    kind: str
    after: int = 0
    times: int = 1
    code: int | None = None
    account: str | None = None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`rate_limit`, `html@3` (the fourth request), `hang@2x5`, `error=105/3001234567`; raises ValueError."""
        found = _SPELLING.fullmatch(text)
        if found is None or found["kind"] not in KINDS or (found["kind"] in _WITH_CODE) != bool(found["code"]):
            raise ValueError(
                f"{text!r} is no fault; write KIND, KIND@AFTER or KIND@AFTERxTIMES, KIND/ACCOUNT for one account, or "
                f"error=CODE or bare=STATUS, with a kind of {', '.join(KINDS)}"
            )
        code = int(found["code"]) if found["code"] else None
        return cls(found["kind"], int(found["after"] or 0), int(found["times"] or 1), code, found["account"])

    @property
    def name(self) -> str:
        """The kind, with its code where it has one."""
        return self.kind if self.code is None else f"{self.kind}={self.code}"


class Faults:
    """What a server asks at each request: does a fault strike here? Safe to ask from several threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._lock = threading.Lock()
        self.struck: list[str] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def may_strike(self, kind: str) -> bool:
        """Whether a fault of this kind is still to come, for whoever must look closely before one can strike."""
        with self._lock:
            return any(fault.kind == kind and fault.times for fault in self._faults)

    def strike(
        self, *kinds: str, account: str | Collection[str] | None = None, suits: Callable[[Fault], bool] = lambda _: True
    ) -> str | None:
        """The name of the fault that strikes this request, of the kinds that it can suffer; None for none.

        `account` is the one that the request is for, or all of them.
        """
        accounts = {account} if account is None or isinstance(account, str) else account
        with self._lock:
            for fault in self._faults:
                if fault.kind not in kinds or not fault.times or not suits(fault):
                    continue
                if fault.account is not None and fault.account not in accounts:
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                self.struck.append(fault.name)
                return fault.name
        return None


def damaged(rows: Sequence[T], loss: str | None, campaign_of: Callable[[T], object]) -> list[T]:
    """The rows of a report after a loss: of two pages one is not sent, or the first again in its place."""
    half = (len(rows) + 1) // 2
    if loss == "lost_page":
        return list(rows[:half])
    if loss == "repeated_page":
        return [*rows[:half], *rows[: len(rows) - half]]
    if loss == "missing_campaign":
        return [row for row in rows if campaign_of(row) != campaign_of(rows[0])]
    return list(rows)
