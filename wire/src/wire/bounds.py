"""How much of everything a pipeline may send, so that bad output takes no more memory or time than good output.

docs/wire.md lists them. Lines themselves are bounded by `wire.reader.LINE_LIMIT`, rows by nothing but the disk. What is
over its bound ends the attempt; only of a log the rest is left out, and counted.
"""

from __future__ import annotations

import re

MOST_STREAMS = 2_000
MOST_COLUMNS = 5_000
"""Of one stream."""
MOST_COLUMNS_TOGETHER = 100_000
MOST_SCHEMAS = 100_000
LONGEST_SCHEMA = 1024 * 1024
MOST_ERRORS = 10_000
LONGEST_ERROR = 64 * 1024
MOST_LEVELS = 1_000
"""Of JSON in a line; Python's and msgspec's own bound, which newer Pythons put higher."""
DEEPEST_STATE = 100
MOST_DIGITS = 4_300
"""Of a number in a state: what Python reads of one, and most pipelines are written in it."""
LONGEST_METRIC = 4 * 1024
"""Of a METRIC line in a log; a longer one is a line like any other."""
LOG_SECONDS = 30.0
MOST_LOG_LINES = 10_000
MOST_LOG_BYTES = 16 * 1024 * 1024
"""Of the lines of a log, and of the METRIC lines in it, within `LOG_SECONDS`."""

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_DIGITS = b"0123456789"
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_OTHERS = bytes(byte for byte in range(256) if byte not in b'{}[]"')


def state_excess(state: bytes) -> str | None:
    """What of a state, valid JSON, is over its bound, as a sentence; None where nothing is."""
    if _is_deeper(state, DEEPEST_STATE):
        return f"a STATE is nested more than {DEEPEST_STATE} levels deep"
    if _has_long_number(state) and _has_long_number(_STRINGS.sub(b'""', state)):
        return f"a STATE has a number of more than {MOST_DIGITS:,} digits"
    return None


def _is_deeper(text: bytes, levels: int) -> bool:
    brackets = text.translate(_ONE_KIND, _OTHERS).replace(b'""', b"")
    if b'"' in brackets or b"\\" in text:  # in strings there are some, too, or there may be
        brackets = _STRINGS.sub(b"", text).translate(_ONE_KIND, _OTHERS)
    for _ in range(levels):
        # What has nothing in it goes, which is one level wherever it is the innermost.
        brackets = brackets.replace(b"{}", b"")
        if not brackets:
            return False
    return True


def _has_long_number(text: bytes) -> bool:
    """So many digits side by side are in one of these places, wherever they begin."""
    return any(
        _digits_before(text, place) + _digits_after(text, place) > MOST_DIGITS
        for place in range(MOST_DIGITS, len(text), MOST_DIGITS)
    )


def _digits_before(text: bytes, place: int) -> int:
    part = text[place - MOST_DIGITS : place]
    return len(part) - len(part.rstrip(_DIGITS))


def _digits_after(text: bytes, place: int) -> int:
    part = text[place : place + MOST_DIGITS + 1]
    return len(part) - len(part.lstrip(_DIGITS))
