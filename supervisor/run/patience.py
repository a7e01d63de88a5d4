"""How long a sink may go on when its attempt or the run should be over: a database that hangs keeps no run alive.

First it is interrupted, again and again. One that answers no interruption is left behind with its thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from attrs import define, field

from supervisor.config.errors import SinkError

_LOOK_SECONDS = 0.5
T = TypeVar("T")


@contextmanager
def limited(interrupt: Callable[[str], None], overdue: Callable[[], str | None]) -> Iterator[None]:
    """While the block runs: as soon as `overdue` gives a reason, `interrupt` gets it, again and again until the end.

    Once would not do: an interruption that comes between two statements of a database stops neither.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            reason = overdue()
            if reason is not None:
                interrupt(reason)

    watcher = threading.Thread(target=watch, name="patience", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


class OverdueError(SinkError):
    """The sink did not come back in time, and its work goes on in a thread that nobody waits for."""


@define
class _Work(Generic[T]):
    work: Callable[[], T]
    over: threading.Event = field(factory=threading.Event)
    result: T | None = None
    error: BaseException | None = None

    def do(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            self.error = error
        finally:
            self.over.set()


def patiently(work: Callable[[], T], overdue: Callable[[], str | None]) -> T:
    """Do `work` and return what it gives, but raise OverdueError as soon as `overdue` gives a reason."""
    done = _Work(work)
    try:
        threading.Thread(target=done.do, name="sink", daemon=True).start()
    except (RuntimeError, MemoryError):
        return work()  # without a limit, which is better than not at all
    while not done.over.wait(_LOOK_SECONDS):
        reason = overdue()
        if reason is not None:
            raise OverdueError(reason)
    if done.error is not None:
        raise done.error
    return done.result  # type: ignore[return-value]  # without an error it is what the work gave
