"""Whether a value fits a condition of `filtering`: texts as texts, numbers as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.facebook.parameters import Filter


def compared(value: str, wanted: Filter) -> bool:
    """Whether a text, which may be a number, is what a condition wants."""
    given = [_comparable(each) for each in wanted.values]
    own = _comparable(value) if all(isinstance(each, Decimal) for each in given) else value
    match wanted.operator:
        case "CONTAIN" | "NOT_CONTAIN":
            return (str(wanted.values[0]) in value) is (wanted.operator == "CONTAIN")
        case "STARTS_WITH":
            return value.startswith(str(wanted.values[0]))
        case "EQUAL" | "IN":
            return own in given
        case "NOT_EQUAL" | "NOT_IN":
            return own not in given
        case "IN_RANGE" | "NOT_IN_RANGE":
            return (given[0] <= own <= given[1]) is (wanted.operator == "IN_RANGE")
        case "GREATER_THAN":
            return bool(own > given[0])
        case "GREATER_THAN_OR_EQUAL":
            return bool(own >= given[0])
        case "LESS_THAN":
            return bool(own < given[0])
    return bool(own <= given[0])


def row_condition(filters: Iterable[Filter]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a row of a report fits all conditions that are about its own values."""
    own = [each for each in filters if not each.level]
    return lambda row: all(compared(str(row.get(each.field, "0")), each) for each in own)


def _comparable(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return str(value)
