"""What each platform's processes held over time, against its limit: one small chart each, with an axis of its own."""

from __future__ import annotations

from attrs import frozen

from supervisor.record.outcome import AttemptResult
from supervisor.record.run_record import PlatformRecord, RunRecord
from supervisor.report.page.chart import BOTTOM, TOP, WIDE, Level, Mark, along, levels
from supervisor.report.page.scale import binary_ticks, clock, time_ticks
from supervisor.report.page.words import seconds, size

PLOT = 110


@frozen
class Curve:
    """The points of a line and of the area under it, as SVG writes them."""

    line: str
    area: str


@frozen(kw_only=True)
class MemoryPanel:
    """One platform's chart; heights in pixels."""

    platform: str
    said: str
    text: str
    curves: tuple[Curve, ...]
    levels: tuple[Level, ...]
    limits: tuple[Level, ...]
    times: tuple[Mark, ...]
    top: int = TOP
    plot: int = PLOT
    height: int = TOP + PLOT + BOTTOM
    wide: int = WIDE


def memory(record: RunRecord) -> tuple[MemoryPanel, ...]:
    """The curves of all platforms whose attempts lasted long enough to be looked at."""
    return tuple(
        _panel(platform) for platform in record.platforms if any(attempt.samples for attempt in platform.attempts)
    )


def _panel(platform: PlatformRecord) -> MemoryPanel:
    attempts = platform.attempts
    origin = attempts[0].started
    peak = max(attempt.peak_memory_bytes for attempt in attempts)
    limit = attempts[-1].memory_limit_bytes
    high = 1.15 * max(peak, limit or 0, 1)
    offsets = [max((attempt.started - origin).total_seconds(), 0.0) for attempt in attempts]
    length = max(offset + attempt.duration_seconds for offset, attempt in zip(offsets, attempts, strict=True)) or 0.01
    ticks = [tick for tick in binary_ticks(high) if limit is None or abs(tick - limit) > high / 7]
    said = f"peak {size(peak)}" + (f" of {size(limit)} ({peak / limit:.0%})" if limit else ", no limit set")
    return MemoryPanel(
        platform=platform.platform_name,
        said=said,
        text=f"All its processes, over {seconds(length)}: {said}.",
        curves=tuple(
            _curve(attempt, offset, length, high)
            for offset, attempt in zip(offsets, attempts, strict=True)
            if attempt.samples
        ),
        levels=levels((TOP + _y(tick, high), size(tick)) for tick in ticks),
        limits=levels([(TOP + _y(limit, high), size(limit))] if limit else ()),
        times=along((tick / length, clock(tick)) for tick in time_ticks(length, 4)),
    )


def _curve(attempt: AttemptResult, offset: float, length: float, high: float) -> Curve:
    points = [
        (round(WIDE * min((offset + at) / length, 1), 1), round(_y(held, high), 1)) for at, held, _ in attempt.samples
    ]
    if len(points) == 1:
        points.append((min(points[0][0] + 2, WIDE), points[0][1]))
    line = " ".join(f"{x:g},{y:g}" for x, y in points)
    return Curve(line, f"{points[0][0]:g},{PLOT} {line} {points[-1][0]:g},{PLOT}")


def _y(held: float, high: float) -> float:
    return PLOT * (1 - held / high)
