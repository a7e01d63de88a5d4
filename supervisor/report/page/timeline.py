"""When each platform ran: one lane per platform, one bar per attempt, over the time of the run."""

from __future__ import annotations

from supervisor.record.outcome import AttemptResult, Outcome
from supervisor.record.run_record import PlatformRecord, RunRecord
from supervisor.report.page.chart import along, chart, percent
from supervisor.report.page.markup import Markup, joined, tag
from supervisor.report.page.scale import clock, time_ticks
from supervisor.report.page.words import STATUS_SIGNS, counted, outcome, seconds

_HEIGHT = 30
_BAR = 16
_CLASSES = {Outcome.COMPLETED: "good", Outcome.INTERRUPTED: "cut"}


def timeline(record: RunRecord) -> Markup:
    """The lanes in the order in which the platforms were planned, and the time under them."""
    length = max([_end(record, attempt) for each in record.platforms for attempt in each.attempts], default=0.0)
    length = max(length, record.summary.total_duration_seconds, 0.01)
    lanes = [_lane(f"lane{n}", record, platform, length) for n, platform in enumerate(record.platforms)]
    axis = tag(
        "svg",
        along([(tick / length, clock(tick)) for tick in time_ticks(length)], y=14),
        width="100%", height=20, class_="chart", aria_hidden="true",
    )  # fmt: skip
    legend = tag(
        "p",
        _key("good", "completed"), _key("bad", "failed or stopped"), _key("cut", "interrupted"),
        _key("wait", "waiting for the next attempt"),
        class_="legend",
    )  # fmt: skip
    return joined(tag("ol", *lanes, class_="lanes"), tag("div", axis, class_="lane-axis"), legend)


def attempt_class(attempt: AttemptResult) -> str:
    return _CLASSES.get(attempt.outcome, "bad")


def _lane(key: str, record: RunRecord, platform: PlatformRecord, length: float) -> Markup:
    sign = tag("span", STATUS_SIGNS.get(platform.status, "…"), class_=f"sign {platform.status}", aria_hidden="true")
    said = f"{platform.status}, {seconds(platform.duration_seconds)}" if platform.attempts else str(platform.status)
    label = tag(
        "div", sign, tag("b", platform.platform_name), " ", tag("span", said, class_="soft"), class_="lane-name"
    )
    return tag("li", label, _bars(key, record, platform, length))


def _bars(key: str, record: RunRecord, platform: PlatformRecord, length: float) -> Markup:
    grid = [
        tag("line", x1=percent(tick / length), x2=percent(tick / length), y1=0, y2=_HEIGHT, class_="grid")
        for tick in time_ticks(length)
    ]
    waits, bars, before = [], [], None
    for attempt in platform.attempts:
        start = _start(record, attempt)
        if before is not None:
            waits.append(_wait(before / length, start / length))
        before = _end(record, attempt)
        bars.append(
            tag(
                "rect",
                tag("title", _sentence(attempt)),
                x=percent(start / length), width=percent(attempt.duration_seconds / length),
                y=(_HEIGHT - _BAR) // 2, height=_BAR, rx=2, class_=f"bar {attempt_class(attempt)}",
            )
        )  # fmt: skip
    text = "; ".join(map(_sentence, platform.attempts)) or f"It was not started: {platform.error_message or ''}"
    return chart(key, *grid, *waits, *bars, height=_HEIGHT, title=f"Attempts of {platform.platform_name}", text=text)


def _wait(start: float, end: float) -> Markup:
    return tag("line", x1=percent(start), x2=percent(end), y1=_HEIGHT // 2, y2=_HEIGHT // 2, class_="wait")


def _sentence(attempt: AttemptResult) -> str:
    return (
        f"attempt {attempt.number} {outcome(attempt.outcome)} after {seconds(attempt.duration_seconds)}, "
        f"{counted(attempt.rows, 'row')}"
    )


def _start(record: RunRecord, attempt: AttemptResult) -> float:
    return max((attempt.started - record.started).total_seconds(), 0.0)


def _end(record: RunRecord, attempt: AttemptResult) -> float:
    return _start(record, attempt) + attempt.duration_seconds


def _key(class_: str, text: str) -> Markup:
    swatch = (
        tag("line", x1=0, x2=18, y1=6, y2=6, class_="wait")
        if class_ == "wait"
        else tag("rect", width=18, height=12, rx=2, class_=f"bar {class_}")
    )
    return tag("span", tag("svg", swatch, width=18, height=12, aria_hidden="true"), text)
