"""Whose turn it is: platforms run side by side, each as soon as what it depends on is over.

A thread works off one platform after another. Where the system gives fewer threads than asked for, there are fewer
platforms at once; where it gives none, the caller's own thread does the work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence

from attrs import define, field

from supervisor.record.log import log

_LOOK_SECONDS = 0.5


@define
class Turns:
    """The names in the order in which they go when several could; `needs` holds what each of them waits for.

    `work` is called once for each name, at most `at_once` at a time. What is needed but not among the names counts as
    over. An exception of `work` is kept, and raised when all is done.
    """

    _names: Sequence[str]
    _needs: Mapping[str, Collection[str]]
    _work: Callable[[str], None]
    _changed: threading.Condition = field(factory=threading.Condition, init=False)
    _waiting: list[str] = field(factory=list, init=False)
    _unsettled: set[str] = field(factory=set, init=False)
    _errors: list[Exception] = field(factory=list, init=False)

    def take(self, at_once: int) -> None:
        """Do all the work; returns when the last of it is over."""
        self._waiting, self._unsettled = list(self._names), set(self._names)
        wanted = min(at_once, len(self._names))
        threads = list(filter(None, (self._started(number) for number in range(wanted))))
        if len(threads) < wanted:
            log.warning(
                "Only %d of %d threads can be started, so fewer platforms run side by side", len(threads), wanted
            )
        if not threads:
            self._run()
        for thread in threads:
            # The system may hand a signal to any thread, and this one acts on it only when it wakes.
            while thread.is_alive():
                thread.join(_LOOK_SECONDS)
        if self._errors:
            raise self._errors[0]

    def _started(self, number: int) -> threading.Thread | None:
        thread = threading.Thread(target=self._run, name=f"platform_{number}", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            return None
        return thread

    def _run(self) -> None:
        while (name := self._next()) is not None:
            try:
                self._work(name)
            except Exception as error:  # noqa: BLE001 - whoever waits for this platform must not wait for ever
                self._errors.append(error)
            finally:
                with self._changed:
                    self._unsettled.discard(name)
                    self._changed.notify_all()

    def _next(self) -> str | None:
        with self._changed:
            while self._waiting:
                ready = (name for name in self._waiting if self._unsettled.isdisjoint(self._needs.get(name, ())))
                name = next(ready, None)
                if name is not None:
                    self._waiting.remove(name)
                    return name
                self._changed.wait()
            return None
