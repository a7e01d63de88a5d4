"""Tables, which say in words what the charts show, and scroll by themselves where the screen is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from supervisor.report.page.markup import Content, Markup, tag


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Content]], *, words: int = 1) -> Markup:
    """A table whose first `words` columns are text and whose others are numbers."""
    head = tag("tr", (tag("th", text, scope="col", class_=_kind(n, words)) for n, text in enumerate(heads)))
    body = (tag("tr", (_cell(n, cell, words) for n, cell in enumerate(row))) for row in rows)
    return tag(
        "div",
        tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body)),
        class_="scroll",
        role="region",
        aria_label=caption,
        tabindex=0,
    )


def folded(summary: str, *content: Content) -> Markup:
    return tag("details", tag("summary", summary), *content)


def _cell(column: int, content: Content, words: int) -> Markup:
    if column == 0:
        return tag("th", content, scope="row", class_=_kind(0, words))
    return tag("td", content, class_=_kind(column, words))


def _kind(column: int, words: int) -> str | None:
    return None if column < words else "n"
