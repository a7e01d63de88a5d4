"""The frame of a chart: an SVG as wide as its place, whose text keeps its size on every screen.

Heights are pixels and widths percent, so nothing is stretched but the lines of a curve, which live in a nested SVG.
"""

from __future__ import annotations

from collections.abc import Iterable

from supervisor.report.page.markup import Content, Markup, tag

TOP = 16
BOTTOM = 22
WIDE = 1000


def chart(key: str, *content: Content, height: int, title: str, text: str) -> Markup:
    """An SVG with a name and a description for those who do not see it; `key` is unique on the page."""
    return tag(
        "svg",
        tag("title", title, id=f"{key}-title"),
        tag("desc", text, id=f"{key}-text"),
        *content,
        class_="chart",
        role="img",
        width="100%",
        height=height,
        aria_labelledby=f"{key}-title {key}-text",
    )


def stretched(*content: Content, height: float, y: float = TOP) -> Markup:
    """A plane of 1000 by `height` units over the chart's whole width."""
    return tag(
        "svg",
        *content,
        x=0,
        y=y,
        width="100%",
        height=height,
        viewBox=f"0 0 {WIDE} {height:g}",
        preserveAspectRatio="none",
    )


def levels(marks: Iterable[tuple[float, str]], *, class_: str = "grid") -> Iterable[Markup]:
    """Lines across at the given pixels, each with its label in the margin on the left."""
    for y, label in marks:
        yield tag("line", x1=0, x2="100%", y1=round(y, 1), y2=round(y, 1), class_=class_)
        yield tag("text", label, x=-8, y=round(y + 4, 1), text_anchor="end", class_=f"{class_}-label")


def along(marks: Iterable[tuple[float, str]], *, y: float) -> Iterable[Markup]:
    """Labels under a chart at shares of its width; those at the edges stay inside."""
    for share, label in marks:
        anchor = "start" if share < 0.04 else "end" if share > 0.96 else "middle"
        yield tag("text", label, x=percent(share), y=y, text_anchor=anchor, class_="grid-label")


def percent(share: float) -> str:
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"
