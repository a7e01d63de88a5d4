"""Text for people: numbers that line up, lines that fit, and nothing that a terminal would obey."""

from __future__ import annotations

import logging
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress

from supervisor.record.journal import journal_reads, prioritized

_BARS = "▁▂▃▄▅▆▇█"
_NONE = "·"


def printable(text: str) -> str:
    """`text` on one line, with control and direction characters as visible escapes: it may come from anywhere."""
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == " " or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return character
    return character.encode("unicode_escape").decode()


def sparkline(values: Sequence[float | None]) -> str:
    """One bar per value, from zero to the largest; a dot where there is none."""
    top = max((value for value in values if value is not None), default=0)
    return "".join(_NONE if value is None else _bar(value, top) for value in values)


def _bar(value: float, top: float) -> str:
    return _BARS[min(len(_BARS) - 1, int(value / top * len(_BARS)))] if top > 0 and value > 0 else _BARS[0]


def elapsed(seconds: float) -> str:
    """Seconds for a human: 7.2 becomes "7s", 75 "1m15s", 5400 "1h30m"."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def counted(number: int, noun: str) -> str:
    """1 and "retry" become "1 retry", 1200 and "row" become "1,200 rows"."""
    plural = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows of cells as aligned lines; the columns in `right` are aligned to their right edge."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def say(text: str, level: int = logging.INFO) -> None:
    """A line on standard error; a terminal or a reader that went away must not cost what comes after."""
    with suppress(OSError):
        shown = prioritized(text, level) if journal_reads(2) else text
        print(shown, file=sys.stderr, flush=True)  # noqa: T201 - a command line speaks
