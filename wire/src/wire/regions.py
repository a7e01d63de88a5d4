"""What a STATE says of its region, held against the columns of its stream, so that every storage means the same by it.

A value is the text of the stored one: `1.5` is no integer, and a day is written 2026-01-31. Only then do the rows that
a storage finds equal to the text equal what was meant.
"""

from __future__ import annotations

import datetime as dt
import re

from wire.failures import SchemaError
from wire.messages import Replaces
from wire.schema import DECIMAL_PATTERN, Table, Type

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_PATTERNS = {
    Type.INTEGER: r"0|-?[1-9][0-9]{0,18}",
    Type.DECIMAL: DECIMAL_PATTERN,
    Type.NUMBER: r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?",
    Type.BOOLEAN: "true|false",
    Type.DATE: _DAY,
    Type.DATETIME: rf"{_DAY}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]{{1,6}})?(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?",
}
_MEANINGS = {
    Type.INTEGER: "a whole number of 64 bits",
    Type.DECIMAL: "a decimal without exponent",
    Type.NUMBER: "a finite number",
    Type.BOOLEAN: "true or false",
    Type.DATE: "a day like 2026-01-31",
    Type.DATETIME: "a time like 2026-01-31T23:59:59Z",
}
_ORDERED = (Type.DATE, Type.DATETIME, Type.STRING)
_LIMIT = 2**63


def check_region(table: Table, replaces: Replaces) -> None:
    """Raise SchemaError where a region names columns, values or days that its stream cannot have."""
    types = {column.name: column.type for column in table.columns}
    missing = sorted(set(replaces.where) - set(types))
    if missing:
        raise SchemaError(f"a region of {table.name!r} names the column {missing[0]!r}, which it does not have")
    for column, value in replaces.where.items():
        kind = types[column]
        if kind is Type.JSON:
            raise SchemaError(
                f"a region of {table.name!r} names the column {column!r}, which holds JSON: one value has many texts"
            )
        if not _is_value(kind, value):
            raise SchemaError(
                f"a region of {table.name!r} has {value!r} for the column {column!r}, which is not {_MEANINGS[kind]}"
            )
    days = [day for day in (replaces.first, replaces.last) if day is not None]
    if days and (table.replication_key is None or types[table.replication_key] not in _ORDERED):
        raise SchemaError(
            f"a region of {table.name!r} has days, but its SCHEMA names no bookmark_properties that are days"
        )
    for day in days:
        if not _is_value(Type.DATE, day):
            raise SchemaError(f"a region of {table.name!r} has the day {day!r}, which is not {_MEANINGS[Type.DATE]}")
    if replaces.first is not None and replaces.last is not None and replaces.first > replaces.last:
        raise SchemaError(f"a region of {table.name!r} begins on {replaces.first}, after its end on {replaces.last}")
    if not replaces.where and not days:
        raise SchemaError(f"a region of {table.name!r} has neither `where` nor days, so it would empty the table")


def _is_value(kind: Type, text: str) -> bool:
    pattern = _PATTERNS.get(kind)
    if pattern is not None and re.fullmatch(pattern, text) is None:
        return False
    try:
        if kind is Type.INTEGER:
            return -_LIMIT <= int(text) < _LIMIT
        if kind is Type.NUMBER:
            return abs(float(text)) != float("inf")
        if kind is Type.DATE:
            dt.date.fromisoformat(text)
        elif kind is Type.DATETIME:
            dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
