"""Reads the query strings of both Rest.li protocols into the same values.

Protocol 2.0 is read as strictly as LinkedIn does: colons inside URNs encoded, structure bare, `List(a,b)` and `(k:v)`.
Protocol 1.0, which holds where no header names one, writes `accounts[0]=a`, `dateRange.start.day=1`.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

Value = str | list["Value"] | dict[str, "Value"]

_SCALAR = re.compile(r"[^(),:]*")
_STEP = re.compile(r"([A-Za-z]\w*)(?:\[(\d+)\])?")


class RestliError(Exception):
    """A query that the protocol cannot read."""


def parameters(query: str, protocol: str = "2.0.0") -> dict[str, Value]:
    """The parameters of a query string; `fields` is a projection and stays text."""
    return _parameters_of_1(query) if protocol == "1.0.0" else _parameters_of_2(query)


def _parameters_of_2(query: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not equals or name in found:
            raise RestliError(f"Invalid query parameter '{name}'")
        found[name] = value if name == "fields" else _Parser(value).whole()
    return found


def _parameters_of_1(query: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        steps = [_STEP.fullmatch(step) for step in unquote_plus(name).split(".")]
        if not equals or not all(steps):
            raise RestliError(f"Invalid query parameter '{name}'")
        _put(found, [(step[1], step[2]) for step in steps if step], unquote_plus(value))
    return found


def _put(record: dict[str, Value], steps: list[tuple[str, str | None]], value: str) -> None:
    """Put a value where its name says; list items must come in their order."""
    (name, index), *rest = steps
    if index is not None:
        items = record.setdefault(name, [])
        if rest or not isinstance(items, list) or len(items) != int(index):
            raise RestliError(f"Invalid query parameter '{name}[{index}]'")
        items.append(value)
    elif rest:
        inner = record.setdefault(name, {})
        if not isinstance(inner, dict):
            raise RestliError(f"Invalid query parameter '{name}'")
        _put(inner, rest, value)
    elif name in record:
        raise RestliError(f"Invalid query parameter '{name}'")
    else:
        record[name] = value


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Value:
        value = self._value()
        if self._at != len(self._text):
            raise RestliError(f"Cannot parse '{self._text[:80]}' from position {self._at} on")
        return value

    def _value(self) -> Value:
        if self._took("List("):
            return self._list()
        if self._took("("):
            return self._record()
        return self._scalar()

    def _scalar(self) -> str:
        found = _SCALAR.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return "" if found.group() == "''" else unquote(found.group())

    def _list(self) -> list[Value]:
        items: list[Value] = []
        while not self._took(")"):
            items.append(self._value())
            self._separator()
        return items

    def _record(self) -> dict[str, Value]:
        record: dict[str, Value] = {}
        while not self._took(")"):
            key = self._scalar()
            if not key or not self._took(":"):
                raise RestliError(f"A record without key and colon in '{self._text[:80]}'")
            record[key] = self._value()
            self._separator()
        return record

    def _separator(self) -> None:
        if not self._took(",") and self._text[self._at : self._at + 1] != ")":
            raise RestliError(f"'{self._text[:80]}' is not closed at position {self._at}")

    def _took(self, text: str) -> bool:
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True
