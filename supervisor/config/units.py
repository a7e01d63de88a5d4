"""Sizes and durations as people write them: `512MiB`, `300 MB`, `30m`, or a bare number of bytes or seconds."""

from __future__ import annotations

import math
import re

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)
_BYTES = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_LONGEST = 10 * 365 * 86400  # what any timer of the operating system can hold
_SECONDS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def size(value: object) -> int:
    """A size in bytes; raises ValueError for what is none, or is not above zero."""
    number = _quantity(value, _BYTES)
    if number is None or number < 1:
        raise ValueError(f'expected a size like "512MiB", got {shown(value)}')
    return round(number)


def duration(value: object) -> float:
    """A duration in seconds, zero included, a whole one without a point; raises ValueError for what is none."""
    number = _quantity(value, _SECONDS)
    if number is None or not 0 <= number <= _LONGEST:
        raise ValueError(f'expected a duration like 1800 (seconds) or "30m", got {shown(value)}')
    return int(number) if float(number).is_integer() else float(number)


def shown(value: object) -> str:
    """A value as its author wrote it in YAML, near enough to be found again."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return str(value)


def size_text(number: int) -> str:
    """Bytes for a human: 314,572,800 becomes "300.0 MiB"."""
    power = min(4, int(math.log(number, 1024))) if number >= 1 else 0
    return f"{number / 1024**power:.1f} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}" if power else f"{number} B"


def _quantity(value: object, units: dict[str, int] | dict[str, float]) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    found = _QUANTITY.fullmatch(value.strip())
    unit = units.get(found.group(2).lower()) if found else None
    return float(found.group(1)) * unit if found and unit is not None else None
