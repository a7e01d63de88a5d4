"""HTML elements as text. Whatever is not `Markup` is escaped, so that no name or message can become an element."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

Attribute = str | int | float | None
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_VOID = frozenset({"meta", "link"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = Markup | str | Iterable["Markup | str"] | None


def escaped(text: str) -> Markup:
    """Text as HTML. Control characters, halves of characters and whatever turns the direction become U+FFFD."""
    printable = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return Markup(html.escape(printable.encode("utf-8", "replace").decode()))


def tag(name: str, /, *content: Content, **attributes: Attribute) -> Markup:
    """An element. `class_` is written class and `aria_label` aria-label; an attribute of None is left out."""
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{escaped(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """Pieces one after another."""
    return Markup("".join(_pieces(content)))


def _pieces(content: Iterable[Content]) -> Iterable[str]:
    for each in content:
        if each is None:
            continue
        if isinstance(each, Markup):
            yield each
        elif isinstance(each, str):
            yield escaped(each)
        else:
            yield from _pieces(each)


def _plain(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
