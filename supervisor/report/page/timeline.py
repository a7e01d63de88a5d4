"""When each platform ran: one lane per platform, one bar per attempt, over the time of the run."""

from __future__ import annotations

from attrs import frozen

from supervisor.record.outcome import AttemptResult, Outcome
from supervisor.record.run_record import PlatformRecord, RunRecord
from supervisor.report.page.chart import Bar, Mark, along, percent
from supervisor.report.page.scale import clock, time_ticks
from supervisor.report.page.words import counted, outcome, seconds

HEIGHT = 30
_BAR = 16
_CLASSES = {Outcome.COMPLETED: "good", Outcome.INTERRUPTED: "cut"}


@frozen(kw_only=True)
class Lane:
    """One platform's attempts; `waits` are the stretches between them, from and to."""

    platform: PlatformRecord
    said: str
    text: str
    bars: tuple[Bar, ...]
    waits: tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class Timeline:
    """The lanes in the order in which the platforms were planned, over one axis; `grid` are its ticks."""

    lanes: tuple[Lane, ...]
    grid: tuple[str, ...]
    axis: tuple[Mark, ...]
    height: int = HEIGHT


def timeline(record: RunRecord) -> Timeline:
    """The lanes, and the time under them."""
    length = max([_end(record, attempt) for each in record.platforms for attempt in each.attempts], default=0.0)
    length = max(length, record.summary.total_duration_seconds, 0.01)
    ticks = time_ticks(length)
    return Timeline(
        lanes=tuple(_lane(record, platform, length) for platform in record.platforms),
        grid=tuple(percent(tick / length) for tick in ticks),
        axis=along((tick / length, clock(tick)) for tick in ticks),
    )


def attempt_class(attempt: AttemptResult) -> str:
    """How an attempt is drawn: good, bad or cut."""
    return _CLASSES.get(attempt.outcome, "bad")


def _lane(record: RunRecord, platform: PlatformRecord, length: float) -> Lane:
    starts = [_start(record, attempt) for attempt in platform.attempts]
    ends = [_end(record, attempt) for attempt in platform.attempts]
    status = platform.status
    return Lane(
        platform=platform,
        said=f"{status}, {seconds(platform.duration_seconds)}" if platform.attempts else str(status),
        text="; ".join(map(_sentence, platform.attempts)) or f"It was not started: {platform.error_message or ''}",
        bars=tuple(
            Bar(
                x=percent(start / length),
                width=percent(attempt.duration_seconds / length),
                y=(HEIGHT - _BAR) // 2,
                height=_BAR,
                kind=attempt_class(attempt),
                text=_sentence(attempt),
            )
            for attempt, start in zip(platform.attempts, starts, strict=True)
        ),
        waits=tuple(
            (percent(end / length), percent(start / length)) for end, start in zip(ends, starts[1:], strict=False)
        ),
    )


def _sentence(attempt: AttemptResult) -> str:
    return (
        f"attempt {attempt.number} {outcome(attempt.outcome)} after {seconds(attempt.duration_seconds)}, "
        f"{counted(attempt.rows, 'row')}"
    )


def _start(record: RunRecord, attempt: AttemptResult) -> float:
    return max((attempt.started - record.started).total_seconds(), 0.0)


def _end(record: RunRecord, attempt: AttemptResult) -> float:
    return _start(record, attempt) + attempt.duration_seconds
