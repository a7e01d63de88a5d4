"""The wish to stop, set once from a signal handler, a timer or another thread, and looked at by whoever works."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from attrs import define, field


@define
class StopRequest:
    """`reason` is the first one given. `hurry` cuts grace periods short. A deadline asks by itself, once it is over."""

    event: threading.Event = field(factory=threading.Event)
    reason: str = ""
    hurry: bool = False
    since: float | None = None
    _deadline: tuple[float, str] | None = None

    def request(self, reason: str) -> None:
        # Not `event.is_set()`: a second signal may come while the handler of the first holds the event's lock.
        if not self.reason:
            self.reason = reason
            self.since = time.monotonic()
            self.event.set()

    def request_after(self, seconds: float, reason: str) -> None:
        """Ask when so many seconds have passed; found out by whoever looks, so that it needs no thread."""
        self._deadline = (time.monotonic() + seconds, reason)

    def clear(self) -> None:
        """Nobody has asked: for the next run."""
        self._deadline = None
        self.event.clear()
        self.reason, self.hurry, self.since = "", False, None

    def wait(self, seconds: float) -> bool:
        """Wait until somebody asks, or so many seconds; whether somebody has."""
        if self._deadline is not None:
            seconds = min(seconds, max(0.0, self._deadline[0] - time.monotonic()))
        return self.event.wait(seconds) or bool(self)

    def __bool__(self) -> bool:
        if self._deadline is not None and time.monotonic() >= self._deadline[0]:
            self.request(self._deadline[1])
        return self.event.is_set()


def stop_on_signals(stop: StopRequest, on_stop: Callable[[int], None]) -> None:
    """From now on a signal only asks for the end; `on_stop` gets the exit code that says so."""

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's signature
        stop.hurry = stop.hurry or (bool(stop) and number == signal.SIGINT)
        on_stop(128 + number)
        stop.request(f"the run was stopped by {signal.Signals(number).name}")

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup means it: who starts us with SIGHUP ignored wants the run to go on.
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, on_signal)
