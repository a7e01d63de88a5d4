"""The WHERE clause of the Google Ads Query Language: conditions that a line's value must satisfy, and ranges of days.

Operators are those of https://developers.google.com/google-ads/api/docs/query/grammar.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

_VALUE = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+(?:\.\d+)?|[A-Za-z_]+"
_CONDITION = re.compile(
    rf"(?P<field>[\w.]+)\s*(?:BETWEEN\s+(?P<low>{_VALUE})\s+AND\s+(?P<high>{_VALUE})"
    r"|DURING\s+(?P<during>\w+)"
    r"|IS\s+(?P<null>NOT\s+NULL|NULL)"
    r"|(?P<set>NOT\s+IN|IN|CONTAINS\s+ANY|CONTAINS\s+ALL|CONTAINS\s+NONE)\s*\((?P<list>[^)]*)\)"
    rf"|(?P<op>!=|>=|<=|=|<|>|(?:NOT\s+)?LIKE|(?:NOT\s+)?REGEXP_MATCH)\s*(?P<value>{_VALUE}))",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
_ITEM = re.compile(rf"\s*({_VALUE})\s*(?:,|$)")
_SPACE = re.compile(r"\s+")
_DAY = dt.timedelta(days=1)


class RefusedError(Exception):
    """A query that Google refuses with an error of `QueryErrorEnum.QueryError`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Condition:
    """`field` must satisfy `holds`, which sees the value as text, number, list or None; `values` are those named."""

    field: str
    holds: Callable[[Any], bool]
    values: tuple[Any, ...] = ()


def pieces(where: str | None) -> list[re.Match[str]]:
    """The conditions as they are written; raises RefusedError."""
    found: list[re.Match[str]] = []
    at, text = 0, (where or "").strip()
    while at < len(text):
        if found:
            link = _AND.match(text, at)
            if link is None:
                raise RefusedError("EXPECTED_AND", "Error in query: expected AND.")
            at = link.end()
        piece = _CONDITION.match(text, at)
        if piece is None:
            raise RefusedError("BAD_OPERATOR", "Error in query: a condition is not understood.")
        found.append(piece)
        at = piece.end()
    return found


def days(found: Iterable[re.Match[str]], today: dt.date) -> tuple[dt.date, dt.date] | None:
    """The range that conditions on `segments.date` name, both ends included; None where there are none."""
    first = last = None
    dated = [piece for piece in found if piece["field"] == "segments.date"]
    for piece in dated:
        if piece["low"]:
            first, last = _day(piece["low"]), _day(piece["high"])
        elif piece["during"]:
            first, last = _during(piece["during"].upper(), today)
        elif piece["op"] == "=":
            first = last = _day(piece["value"])
        elif piece["op"] in (">=", ">"):
            first = _day(piece["value"]) + _DAY * (piece["op"] == ">")
        elif piece["op"] in ("<=", "<"):
            last = _day(piece["value"]) - _DAY * (piece["op"] == "<")
        else:
            raise RefusedError("BAD_OPERATOR", "Invalid operator for segments.date.")
    if not dated:
        return None
    if first is None or last is None:
        raise RefusedError("EXPECTED_FILTERS_ON_DATE_RANGE", "The WHERE clause must contain a finite date range.")
    return first, last


def condition(piece: re.Match[str]) -> Condition:
    """A condition on anything but days."""
    field = piece["field"]
    if piece["low"]:
        low, high = _literal(piece["low"]), _literal(piece["high"])
        return Condition(field, lambda value: value is not None and low <= value <= high, (low, high))
    if piece["during"]:
        raise RefusedError("INVALID_VALUE_WITH_DURING_OPERATOR", "DURING goes with dates only.")
    if piece["null"]:
        wanted = _SPACE.sub(" ", piece["null"]).upper() == "NULL"
        return Condition(field, lambda value: (value is None) is wanted)
    if piece["set"]:
        return _among(field, _SPACE.sub(" ", piece["set"]).upper(), piece["list"])
    return _compared(field, _SPACE.sub(" ", piece["op"]).upper(), _literal(piece["value"]))


def _among(field: str, operator: str, text: str) -> Condition:
    listed = tuple(_literal(item) for item in _ITEM.findall(text))
    if not listed:
        raise RefusedError("PROHIBITED_EMPTY_LIST_IN_CONDITION", "Condition contains an empty list.")
    holds: dict[str, Callable[[Any], bool]] = {
        "IN": lambda value: value in listed,
        "NOT IN": lambda value: value not in listed,
        "CONTAINS ANY": lambda value: bool(set(value or ()) & set(listed)),
        "CONTAINS ALL": lambda value: set(listed) <= set(value or ()),
        "CONTAINS NONE": lambda value: not set(value or ()) & set(listed),
    }
    return Condition(field, holds[operator], listed)


def _compared(field: str, operator: str, given: Any) -> Condition:
    negated, name = operator.startswith("NOT "), operator.removeprefix("NOT ")
    if name in ("LIKE", "REGEXP_MATCH"):
        pattern = _pattern(name, str(given))
        return Condition(field, lambda value: bool(pattern.fullmatch(str(value or ""))) is not negated)
    holds: dict[str, Callable[[Any], bool]] = {
        "=": lambda value: value == given,
        "!=": lambda value: value != given,
        ">": lambda value: value is not None and value > given,
        ">=": lambda value: value is not None and value >= given,
        "<": lambda value: value is not None and value < given,
        "<=": lambda value: value is not None and value <= given,
    }
    return Condition(field, holds[operator], (given,))


def _pattern(operator: str, text: str) -> re.Pattern[str]:
    if operator == "LIKE":
        parts = re.split(r"(\[.\]|%|_)", text)
        wild = {"%": ".*", "_": "."}
        text = "".join(
            wild.get(part) or (re.escape(part[1]) if len(part) == 3 and part[0] == "[" else re.escape(part))
            for part in parts
        )
        return re.compile(text, re.IGNORECASE | re.DOTALL)
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        raise RefusedError("BAD_VALUE", "The regular expression is not valid.") from None


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text.strip("'\""))
    except ValueError:
        raise RefusedError("INVALID_DATE_FORMAT", f"Invalid date literal supplied for filter: {text}.") from None


def _during(name: str, today: dt.date) -> tuple[dt.date, dt.date]:
    yesterday, month = today - _DAY, today.replace(day=1)
    monday = today - _DAY * today.weekday()
    known = {
        "TODAY": (today, today),
        "YESTERDAY": (yesterday, yesterday),
        "LAST_7_DAYS": (today - _DAY * 7, yesterday),
        "LAST_14_DAYS": (today - _DAY * 14, yesterday),
        "LAST_30_DAYS": (today - _DAY * 30, yesterday),
        "THIS_MONTH": (month, today),
        "LAST_MONTH": ((month - _DAY).replace(day=1), month - _DAY),
        "THIS_WEEK_MON_TODAY": (monday, today),
        "LAST_WEEK_MON_SUN": (monday - _DAY * 7, monday - _DAY),
    }
    if name not in known:
        raise RefusedError("INVALID_VALUE_WITH_DURING_OPERATOR", f"Invalid value with DURING operator: {name}.")
    return known[name]


def _literal(text: str) -> Any:
    if text[:1] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text
