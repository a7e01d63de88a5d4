"""The measures of a chart: an SVG as wide as its place, whose text keeps its size on every screen.

Heights are pixels and widths percent, so nothing is stretched but the lines of a curve, which live in a nested SVG.
templates/charts.html draws what is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

TOP = 16
BOTTOM = 22
WIDE = 1000


@frozen
class Level:
    """A line across at `y` pixels, with its label in the margin on the left."""

    y: float
    label: str


@frozen
class Mark:
    """A label under a chart at `x`, a share of its width in percent."""

    x: str
    anchor: str
    label: str


@frozen(kw_only=True)
class Bar:
    """A rectangle: `x` and `width` in percent, `y` and `height` in pixels, and what it says when pointed at."""

    x: str
    width: str
    y: float
    height: float
    kind: str
    text: str


def levels(marks: Iterable[tuple[float, str]]) -> tuple[Level, ...]:
    """Levels at pixels of any precision."""
    return tuple(Level(round(y, 1), label) for y, label in marks)


def along(marks: Iterable[tuple[float, str]]) -> tuple[Mark, ...]:
    """Labels at shares of the width; those at the edges stay inside."""
    return tuple(
        Mark(percent(share), "start" if share < 0.04 else "end" if share > 0.96 else "middle", label)
        for share, label in marks
    )


def percent(share: float) -> str:
    """A share of the width as SVG writes it."""
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"
