"""Faults that the server commits when asked, so that a client's behaviour in bad moments can be tested.

A fault strikes a number of times, at statements that contain `matching` (any case; "" is every statement), in sessions
whose label contains `label`:

* `cut_copy`: take `after` octets of the next COPY's data, then close the connection
* `stall_copy`: take `after` octets of the next COPY's data, then read no more and answer nothing
* `disk_full`: the next COPY takes its data and is then answered with "No space left on device" (53100)
* `short_count`: the next COPY loads all rows and GET_NUM_ACCEPTED_ROWS() says one too few
* `lose_commit_answer`: the next COMMIT commits, then the connection closes without an answer
* `lose_commit`: the next COMMIT does not commit; the connection closes
* `hang`: the next statement gets no answer, ever
* `close`: the next statement is not done; the connection closes
* `refuse_login`: the next login is refused as if the password were wrong (`matching` and `label` do not apply)
* `linger`: the next session that ends keeps its locks for `after` milliseconds more (`matching` does not apply)
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = (
    "cut_copy",
    "stall_copy",
    "disk_full",
    "short_count",
    "lose_commit_answer",
    "lose_commit",
    "hang",
    "close",
    "refuse_login",
    "linger",
)


@dataclass(slots=True)
class Fault:
    kind: str
    matching: str = ""
    label: str = ""
    after: int = 0
    times: int = 1

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Fault:
        """From JSON. Raises ValueError for an unknown kind, TypeError for an unknown key."""
        fault = cls(**document)  # type: ignore[arg-type]  # the types are the caller's to keep: a test wrote them
        if fault.kind not in KINDS:
            raise ValueError(f"{fault.kind!r} is no fault; the kinds are {', '.join(KINDS)}")
        return fault


class Faults:
    """What sessions ask at each statement: does a fault strike here? Safe to ask from several threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self.struck: list[str] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def strike(self, kind: str, statement: str = "", label: str = "") -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if (
                    fault.kind == kind
                    and fault.times > 0
                    and fault.matching.lower() in statement.lower()
                    and fault.label in label
                ):
                    fault.times -= 1
                    self.struck.append(kind)
                    return fault
        return None
