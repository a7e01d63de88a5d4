"""The terminal that shows a run: rich draws what `live_view` says at each look, below the lines of the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from supervisor.config.schema import PlatformConfig
from supervisor.record.log import log
from supervisor.record.run_record import PlatformRecord, Status
from supervisor.report.live_view import Limits, Rates, view

_PER_SECOND = 4
_STYLES = {
    Status.PENDING: "dim",
    Status.RUNNING: "bold",
    Status.RETRYING: "yellow",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.SKIPPED: "dim",
}
_LEVEL_STYLES = {"SUCCESS": "green", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "dim"}


def started(platforms: Iterable[PlatformConfig], records: Callable[[], Sequence[PlatformRecord]]) -> Live:
    """The view, which draws itself on a thread of its own from now on; raises what rich raises."""
    # Colours, and their absence with NO_COLOR, are rich's to decide.
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    shown = Live(
        get_renderable=_Frame(platforms, records, console).render, console=console, refresh_per_second=_PER_SECOND,
        redirect_stdout=False, redirect_stderr=False, vertical_overflow="crop",
    )  # fmt: skip
    shown.start(refresh=True)
    return shown


class _Frame:
    """Makes the view anew at each refresh, on the refreshing thread."""

    def __init__(
        self, platforms: Iterable[PlatformConfig], records: Callable[[], Sequence[PlatformRecord]], console: Console
    ) -> None:
        self._records = records
        self._console = console
        self._rates = Rates()
        self._broken = False
        self._limits = {
            platform.name: Limits(
                timeout=platform.timeout, memory=platform.memory_limit, attempts=platform.retry.max_attempts
            )
            for platform in platforms
        }

    def render(self) -> Text:
        try:
            return self._text()
        except Exception as error:  # noqa: BLE001 - on rich's own thread nobody would catch it
            if not self._broken:
                self._broken = True
                log.warning("The live view cannot be shown: %s: %s", type(error).__name__, error)
            return Text()

    def _text(self) -> Text:
        records = self._records()
        if all(record.status is Status.PENDING for record in records):
            return Text()  # nothing has begun, and if the storage is refused nothing will
        rates = {r.platform_name: self._rates.of(r.progress) for r in records if r.progress}
        # Without the last column no terminal wraps, and without two lines the last log line stays in sight.
        lines = view(
            records, self._limits, rates, width=self._console.width - 1, height=self._console.height - 2,
            plain=self._console.options.ascii_only,
        )  # fmt: skip
        text = Text(no_wrap=True, overflow="crop", end="")
        for number, line in enumerate(lines):
            style = _STYLES[line.status] if line.status else "dim"
            text.append(("\n" if number else "") + line.text, style=style)
        return text


class _Above(logging.Handler):
    """Log lines, as they would be without the view, above it."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = _harmless(self.format(record))
            self._console.print(Text(line, style=_LEVEL_STYLES.get(record.levelname, "")), soft_wrap=True)
        except Exception:  # noqa: BLE001 - what logging itself does with a line that it cannot write
            self.handleError(record)


def _harmless(text: str) -> str:
    """Log lines may quote anything; here they must not move the cursor that the view relies on."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


@contextmanager
def log_above(console: Console) -> Iterator[None]:
    """Send to `console` what the log writes to standard error."""
    before = [handler for handler in log.handlers if type(handler) is logging.StreamHandler]
    above = _Above(console)
    if before:
        above.setFormatter(before[0].formatter)
    for handler in before:
        log.removeHandler(handler)
    log.addHandler(above)
    try:
        yield
    finally:
        log.removeHandler(above)
        for handler in before:
            log.addHandler(handler)
