"""Round numbers for axes: at most a handful of ticks, each a number that people would choose."""

from __future__ import annotations

import math

_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def decimal_ticks(highest: float, most: int = 4) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 times a power of ten, above 0 and up to `highest`."""
    if highest <= 0:
        return ()
    power = 10.0 ** math.floor(math.log10(highest / most))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * most >= highest)
    return _multiples(step, highest)


def binary_ticks(highest: float, most: int = 3) -> tuple[float, ...]:
    """Multiples of a power of two, for sizes in bytes."""
    if highest <= 0:
        return ()
    return _multiples(2.0 ** math.ceil(math.log2(highest / most)), highest)


def time_ticks(longest: float, most: int = 5) -> tuple[float, ...]:
    """Multiples of a round time in seconds, 0 included."""
    step = next((each for each in _SECONDS if each * most >= longest), longest / most)
    return (0.0, *_multiples(step, longest))


def _multiples(step: float, highest: float) -> tuple[float, ...]:
    return tuple(step * n for n in range(1, int(highest / step + 1e-9) + 1))


def clock(value: float) -> str:
    """A tick of time: `0`, `0.5 s`, `30 s`, `5 min`, `1:30 h`."""
    if value < 60:
        return f"{value:g} s" if value else "0"
    minutes = round(value / 60, 1)
    if minutes < 60:
        return f"{minutes:g} min"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours}:{rest:02d} h" if rest else f"{hours} h"
