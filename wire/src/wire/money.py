"""Exact amounts as the wire carries them: plain decimal text, without exponent."""

from __future__ import annotations

from decimal import Decimal


def plain(value: Decimal | str | int) -> str:
    """A decimal without exponent: `1E-3` becomes `0.001`; raises decimal.InvalidOperation for what is no number."""
    return format(Decimal(value), "f")


def from_micros(micros: int) -> str:
    """Millionths as units, exactly: 1234567 becomes `1.234567`."""
    sign = "-" if micros < 0 else ""
    whole, rest = divmod(abs(micros), 1_000_000)
    return f"{sign}{whole}.{rest:06d}"
