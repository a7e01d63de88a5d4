"""Faults that a platform's server commits on request, each a given number of times."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass

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
)

_SPELLING = re.compile(r"(?P<kind>[a-z_]+)(?:@(?P<after>\d+))?(?:x(?P<times>\d+))?")


@dataclass(slots=True)
class Fault:
    """`kind` strikes `times` times, after `after` requests that it could have struck were let through."""

    kind: str
    after: int = 0
    times: int = 1

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`rate_limit`, `html@3` (the fourth request), `server_error@2x5`; raises ValueError."""
        found = _SPELLING.fullmatch(text)
        if found is None or found["kind"] not in KINDS:
            raise ValueError(
                f"{text!r} is no fault; write KIND, KIND@AFTER or KIND@AFTERxTIMES with a kind of {', '.join(KINDS)}"
            )
        return cls(found["kind"], int(found["after"] or 0), int(found["times"] or 1))


class Faults:
    """What a server asks at each request: does a fault strike here? Safe to ask from several threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._lock = threading.Lock()
        self.struck: list[str] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def strike(self, *kinds: str) -> str | None:
        """The fault that strikes this request, of the kinds that it can suffer; None for none."""
        with self._lock:
            for fault in self._faults:
                if fault.kind not in kinds or not fault.times:
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                self.struck.append(fault.kind)
                return fault.kind
        return None
