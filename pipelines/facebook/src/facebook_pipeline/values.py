"""How one value of a Graph answer becomes one value of a column; None, for a missing key, stays None."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from wire import plain

_WITHOUT_CENTS = frozenset({"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"})
"""Currencies whose smallest unit Meta takes to be the unit itself ("Currency codes", offset 1)."""


def text(value: Any) -> str | None:
    return None if value is None else str(value)


def integer(value: Any) -> int | None:
    """Counts arrive as strings of digits."""
    return None if value is None else int(value)


def number(value: Any) -> float | None:
    return None if value is None else float(value)


def decimal(value: Any) -> str | None:
    return None if value is None else plain(str(value))


def boolean(value: Any) -> bool | None:
    return None if value is None else bool(value)


def anything(value: Any) -> Any:
    """For JSON columns."""
    return value


def instant(value: Any) -> str | None:
    """`2026-01-31T08:00:00+0100` as ISO 8601 with a colon in its offset."""
    return None if value is None else dt.datetime.fromisoformat(value).isoformat()


def from_minor_units(value: Any, currency: str) -> str | None:
    """An amount in the currency's smallest unit, as budgets are told, in the currency itself, exactly."""
    if value is None:
        return None
    amount = Decimal(str(value))
    return plain(amount if currency in _WITHOUT_CENTS else amount / 100)
