"""The wish to stop, set once from a signal handler, a timer or another thread, and looked at by whoever works."""

from __future__ import annotations

import threading

from attrs import define, field


@define
class StopRequest:
    """`reason` is the first one given. `hurry` cuts grace periods short."""

    event: threading.Event = field(factory=threading.Event)
    reason: str = ""
    hurry: bool = False

    def request(self, reason: str) -> None:
        # Not `event.is_set()`: a second signal may come while the handler of the first holds the event's lock.
        if not self.reason:
            self.reason = reason
            self.event.set()

    def __bool__(self) -> bool:
        return self.event.is_set()
