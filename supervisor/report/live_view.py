"""A run as a few lines of text that fit a terminal: what each platform does now, from the record and the limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from attrs import define, field, frozen

from supervisor.config.units import size_text
from supervisor.record.backfill import backfill_of
from supervisor.record.progress import AttemptProgress
from supervisor.record.run_record import PlatformRecord, Status
from supervisor.report.display import counted, elapsed, printable

_RATE_SECONDS = 10.0
_WIDE = 100
_NARROWEST = 20
_OVER = (Status.COMPLETED, Status.FAILED, Status.SKIPPED)
_MARKS = {
    Status.PENDING: ("·", "."),
    Status.RUNNING: ("▶", ">"),
    Status.RETRYING: ("↻", "~"),
    Status.COMPLETED: ("✓", "+"),
    Status.FAILED: ("✗", "x"),
    Status.SKIPPED: ("–", "-"),
}


@frozen(kw_only=True)
class Limits:
    """What a platform may use; seconds and bytes."""

    timeout: float
    memory: int | None
    attempts: int


@frozen(kw_only=True)
class Line:
    """A line of the view; `status` chooses its colour, and is None for a line that belongs to the one above."""

    text: str
    status: Status | None = None


@define
class Rates:
    """Rows per second of each attempt under way over its last seconds, from what successive looks saw."""

    _seen: dict[tuple[str, int], deque[tuple[float, int]]] = field(factory=dict)

    def of(self, progress: AttemptProgress) -> float:
        looks = self._seen.setdefault((progress.platform, progress.number), deque([(0.0, 0)]))
        if progress.seconds > looks[-1][0]:
            looks.append((progress.seconds, progress.rows))
        while len(looks) > 2 and progress.seconds - looks[1][0] >= _RATE_SECONDS:
            looks.popleft()
        (began, before), (ends, after) = looks[0], looks[-1]
        return (after - before) / (ends - began) if ends > began else 0.0


def view(
    platforms: Sequence[PlatformRecord],
    limits: Mapping[str, Limits],
    rates: Mapping[str, float],
    *,
    width: int,
    height: int,
    plain: bool = False,
) -> list[Line]:
    """The lines, none wider than `width` and no more than `height`; `plain` leaves out what ASCII cannot write."""
    width = max(_NARROWEST, width)
    blocks = [(record, _block(record, limits.get(record.platform_name), rates, width, plain)) for record in platforms]
    lines = [line for _, block in blocks for line in block]
    if len(lines) <= height:
        return lines
    return _folded(blocks, width, max(1, height), plain)


def _folded(blocks: Sequence[tuple[PlatformRecord, list[Line]]], width: int, height: int, plain: bool) -> list[Line]:
    """What runs, as far as it fits, and a last line that counts the rest."""
    ordered = sorted(blocks, key=lambda pair: pair[0].status in (*_OVER, Status.PENDING))
    lines: list[Line] = []
    hidden = [record for record, _ in blocks]
    for record, block in ordered:
        if len(lines) + len(block) < height:
            lines += block
            hidden.remove(record)
    count = {status: sum(record.status is status for record in hidden) for status in Status}
    rest = ", ".join(f"{number} {status}" for status, number in count.items() if number)
    return [*lines, Line(text=_cut(f"  and {rest}", width, plain))]


def _block(
    record: PlatformRecord, limits: Limits | None, rates: Mapping[str, float], width: int, plain: bool
) -> list[Line]:
    mark = _MARKS[record.status][plain]
    name = printable(record.platform_name)
    head = f"{mark} {name}  {record.status}"
    parts = list(_parts(record, limits, rates.get(record.platform_name, 0.0)))
    one = f"{mark} {name:<12} {record.status:<10} {'  '.join(parts)}"
    if len(one) <= width:
        return [Line(text=one.rstrip(), status=record.status)]
    if width >= _WIDE:
        return [Line(text=_cut(one, width, plain), status=record.status)]
    wrapped = [Line(text=_cut(text, width, plain)) for text in _wrapped(parts, width)]
    return [Line(text=_cut(head, width, plain), status=record.status), *wrapped]


def _parts(record: PlatformRecord, limits: Limits | None, rate: float) -> Iterator[str]:
    """In the order in which an operator asks: how much, how fast, how long, how big, how far, how often, and where."""
    if record.status is Status.PENDING:
        return
    if record.status is Status.SKIPPED:
        yield printable(record.error_message or "")
        return
    progress = record.progress
    yield counted(record.rows_processed + (progress.rows if progress else 0), "row")
    if progress is None:
        yield elapsed(record.duration_seconds)
    else:
        yield f"{rate:,.0f} rows/s"
        yield f"{elapsed(progress.seconds)}/{elapsed(limits.timeout)}" if limits else elapsed(progress.seconds)
        memory = size_text(progress.memory_bytes)
        yield f"{memory}/{size_text(limits.memory)}" if limits and limits.memory else memory
        if progress.accounts:
            yield f"accounts {progress.accounts_done:,}/{progress.accounts:,}"
        backfill = backfill_of((progress,))
        if backfill is not None and backfill.left:
            yield f"backfill {backfill.percent} %"
        if progress.seconds_left:
            yield f"about {elapsed(progress.seconds_left)} left"
        if progress.requests_in_flight:
            yield f"{counted(progress.requests_in_flight, 'request')} at once"
        if progress.throttled_seconds >= 1:
            yield f"throttled {elapsed(progress.throttled_seconds)}"
    if record.retry_count and limits:
        yield f"attempt {record.retry_count + 1} of {limits.attempts}"
    if progress is not None and progress.last_commit:
        yield printable(progress.last_commit)
    elif record.error_message:
        yield printable(record.error_message)


def _wrapped(parts: Sequence[str], width: int) -> Iterator[str]:
    line = ""
    for part in parts:
        if line and len(line) + 2 + len(part) > width:
            yield line
            line = ""
        line = f"{line}  {part}" if line else f"  {part}"
    if line:
        yield line


def _cut(text: str, width: int, plain: bool) -> str:
    end = "..." if plain else "…"
    return text if len(text) <= width else text[: width - len(end)] + end
