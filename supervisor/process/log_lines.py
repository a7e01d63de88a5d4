"""The lines that a child writes to its standard error, redacted and cut before anybody shows or keeps them.

A child may write faster than anybody reads, for hours. What is over the bounds is left out and counted, and the child
is slowed down meanwhile, so that it takes neither the disk nor the supervisor's time from the others.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from io import BufferedReader, FileIO

from attrs import define, field

from supervisor.config.redaction import harmless, redact
from wire.bounds import LOG_SECONDS, MOST_LOG_BYTES, MOST_LOG_LINES

_LINE_BYTES = 65536
_LINE_SHOWN = 8192
_LAST_WORDS = 20
"""So many of the lines that were left out are shown after all at the end: there a program says why it ends."""
_REST_EVERY = 1024 * 1024
_REST_SECONDS = 0.01
_METRIC = b"METRIC: {"
_BOUND = f"more than {MOST_LOG_LINES:,} of them, or {MOST_LOG_BYTES // 2**20} MiB, in {LOG_SECONDS:g} s"


@define
class _Quota:
    """How many lines of one kind pass in each span of time. `what` names those that do not."""

    what: str
    clock: Callable[[], float]
    last_words: deque[tuple[bytes, bool]] = field(factory=lambda: deque(maxlen=_LAST_WORDS))
    _left_out: int = 0
    _begun: float = 0.0
    _lines: int = 0
    _bytes: int = 0

    def admits(self, size: int) -> bool:
        """Whether one more line of that many bytes passes."""
        now = self.clock()
        if now - self._begun >= LOG_SECONDS:
            self._begun, self._lines, self._bytes = now, 0, 0
        self._lines += 1
        self._bytes += size
        return self._lines <= MOST_LOG_LINES and self._bytes <= MOST_LOG_BYTES

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing passes before the next span of time."""
        return self._left_out > 0 and self.clock() - self._begun < LOG_SECONDS

    def leave_out(self) -> Iterator[str]:
        """Count a line that does not pass; the first one is told."""
        if not self._left_out:
            yield f"WARNING | {self.what} are left out for now: there are {_BOUND}"
        self.count(1)

    def count(self, lines: int) -> None:
        """Lines that do not pass."""
        self._left_out += lines

    def told(self) -> Iterator[str]:
        """How many were left out, if any, once others pass again or it is over."""
        if self._left_out:
            yield f"WARNING | {self._left_out:,} {self.what} were left out: there were {_BOUND}"
        self._left_out = 0


def log_lines(
    descriptor: int,
    secrets: frozenset[str],
    *,
    sign: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[str]:
    """The lines of a descriptor until its end, when it is closed; empty ones too. `sign` is called for each piece.

    What could steer a terminal or pass for another line is spelled out. METRIC lines have bounds of their own, so that
    a flood of others does not keep them from being counted.
    """
    longest = max(map(len, secrets), default=0)
    metrics, others = _Quota("METRIC lines of its log", clock), _Quota("lines of its log", clock)
    with BufferedReader(FileIO(descriptor), _LINE_BYTES) as stream:
        while line := stream.readline(_LINE_BYTES):
            sign()
            cut = not line.endswith(b"\n") and _skip_line(stream, sign)
            quota = metrics if _METRIC in line else others
            if quota.admits(min(len(line), _LINE_SHOWN)):
                yield from quota.told()
                quota.last_words.clear()
                yield _shown(line, secrets, longest, cut=cut)
                continue
            yield from quota.leave_out()
            quota.last_words.append((line, cut))
            for metric in _left_out(stream, metrics, others, sign):
                yield _shown(metric, secrets, longest, cut=False)
    yield from metrics.told()
    yield from others.told()
    for line, cut in others.last_words:
        yield _shown(line, secrets, longest, cut=cut)


def _left_out(
    stream: BufferedReader[FileIO], metrics: _Quota, others: _Quota, sign: Callable[[], None]
) -> Iterator[bytes]:
    """Read on in blocks, at next to no cost, while lines do not pass; gives the METRIC lines among them that do."""
    taken = 0
    while others.is_exhausted and (block := stream.read1(_LINE_BYTES)):
        sign()
        block += stream.readline(_LINE_BYTES) if not block.endswith(b"\n") else b""
        cut = not block.endswith(b"\n") and _skip_line(stream, sign)
        found = [line for line in block.splitlines() if _METRIC in line] if _METRIC in block else []
        lines = (
            [line for line in block.splitlines() if _METRIC not in line]
            if found
            else block[:-1].rsplit(b"\n", _LAST_WORDS)
        )
        others.last_words.extend((line, cut and line is lines[-1]) for line in lines[-_LAST_WORDS:])
        others.count(max(1, block.count(b"\n")) - len(found))
        for line in found:
            if metrics.admits(len(line)):
                yield line
            else:
                metrics.count(1)
        taken += len(block)
        if taken >= _REST_EVERY:
            taken = 0
            time.sleep(_REST_SECONDS)


def _shown(line: bytes, secrets: frozenset[str], longest: int, *, cut: bool) -> str:
    # Redacted before it is cut, or half a secret would stay at the edge; and at the edge of what was read
    # there may be half of one that no pattern knows.
    text = harmless(redact(line.decode(errors="replace").rstrip(), secrets))
    text = text[: max(0, len(text) - longest)] if cut else text
    return f"{text[:_LINE_SHOWN]} [...]" if cut or len(text) > _LINE_SHOWN else text


def _skip_line(stream: BufferedReader[FileIO], sign: Callable[[], None]) -> bool:
    """Read on to the end of a line that is too long; whether there was more of it."""
    more = False
    while (rest := stream.readline(_LINE_BYTES)) and not rest.endswith(b"\n"):
        sign()
        more = True
    return more or bool(rest.strip())
