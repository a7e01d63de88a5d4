"""What each platform's processes held over time, against its limit: one small chart each, with an axis of its own."""

from __future__ import annotations

from supervisor.record.outcome import AttemptResult
from supervisor.record.run_record import PlatformRecord, RunRecord
from supervisor.report.page.chart import BOTTOM, TOP, WIDE, along, chart, levels, stretched
from supervisor.report.page.markup import Markup, tag
from supervisor.report.page.scale import binary_ticks, clock, time_ticks
from supervisor.report.page.words import seconds, size

_PLOT = 110


def memory(record: RunRecord) -> Markup:
    """The curves of all platforms whose attempts lasted long enough to be looked at."""
    panels = [
        _panel(f"memory{n}", platform)
        for n, platform in enumerate(record.platforms)
        if any(attempt.samples for attempt in platform.attempts)
    ]
    if not panels:
        return tag("p", "No attempt lasted long enough for a look at its memory.", class_="soft")
    return tag("div", *panels, class_="panels")


def _panel(key: str, platform: PlatformRecord) -> Markup:
    attempts = platform.attempts
    origin = attempts[0].started
    peak = max(attempt.peak_memory_bytes for attempt in attempts)
    limit = attempts[-1].memory_limit_bytes
    high = 1.15 * max(peak, limit or 0, 1)
    offsets = [max((attempt.started - origin).total_seconds(), 0.0) for attempt in attempts]
    length = max(offset + attempt.duration_seconds for offset, attempt in zip(offsets, attempts, strict=True)) or 0.01
    curves = [
        part
        for offset, attempt in zip(offsets, attempts, strict=True)
        for part in _curve(attempt, offset, length, high)
    ]
    ticks = [tick for tick in binary_ticks(high) if limit is None or abs(tick - limit) > high / 7]
    marks = levels((TOP + _y(tick, high), size(tick)) for tick in ticks)
    limits = levels([(TOP + _y(limit, high), size(limit))], class_="limit") if limit else ()
    height = TOP + _PLOT + BOTTOM
    floor = tag("line", x1=0, x2="100%", y1=TOP + _PLOT, y2=TOP + _PLOT, class_="floor")
    times = along([(tick / length, clock(tick)) for tick in time_ticks(length, 4)], y=height - 6)
    said = f"peak {size(peak)}" + (f" of {size(limit)} ({peak / limit:.0%})" if limit else ", no limit set")
    return tag(
        "figure",
        tag("figcaption", tag("b", platform.platform_name), " ", tag("span", said, class_="soft")),
        chart(
            key, stretched(*curves, height=_PLOT), *marks, floor, *limits, *times, height=height,
            title=f"Memory of {platform.platform_name}", text=f"All its processes, over {seconds(length)}: {said}.",
        ),
    )  # fmt: skip


def _curve(attempt: AttemptResult, offset: float, length: float, high: float) -> list[Markup]:
    if not attempt.samples:
        return []
    points = [
        (round(WIDE * min((offset + at) / length, 1), 1), round(_y(held, high), 1)) for at, held, _ in attempt.samples
    ]
    if len(points) == 1:
        points.append((min(points[0][0] + 2, WIDE), points[0][1]))
    line = " ".join(f"{x:g},{y:g}" for x, y in points)
    area = f"{points[0][0]:g},{_PLOT} {line} {points[-1][0]:g},{_PLOT}"
    return [tag("polygon", points=area, class_="area"), tag("polyline", points=line, class_="curve")]


def _y(held: float, high: float) -> float:
    return _PLOT * (1 - held / high)
