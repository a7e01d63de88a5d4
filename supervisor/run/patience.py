"""How long a sink may go on when its attempt should be over: a database that hangs must not keep a run from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.25


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
