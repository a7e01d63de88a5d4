"""The live view of a run on a terminal: the log scrolls, and below it stands what each platform does now.

Anything that is no terminal that can move its cursor gets the log lines alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from supervisor.config.schema import PlatformConfig
from supervisor.record.log import log
from supervisor.record.run_record import PlatformRecord


def can_be_live(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether standard error is a terminal that can move its cursor."""
    return sys.stderr.isatty() and environ.get("TERM", "").lower() not in ("", "dumb", "unknown")


@contextmanager
def live(
    platforms: Iterable[PlatformConfig], records: Callable[[], Sequence[PlatformRecord]], *, wanted: bool = True
) -> Iterator[None]:
    """Show the run while it lasts, if there is a terminal for it; a view that fails is a warning.

    `records` tells how the platforms stand at each look.
    """
    if not (wanted and can_be_live()):
        yield
        return
    try:
        from supervisor.report.terminal import log_above, started  # noqa: PLC0415 - other runs need nothing of it

        shown = started(platforms, records)
    except Exception as error:  # noqa: BLE001 - the run is what counts, and the log tells it all
        log.warning("The live view cannot be shown: %s: %s", type(error).__name__, error)
        yield
        return
    with log_above(shown.console):
        try:
            yield
        finally:
            # A terminal that went away meanwhile must not hide how the run ended.
            with suppress(OSError, ValueError):
                shown.stop()
