"""Reads Rest.li 2.0 query strings as strictly as LinkedIn does: colons inside URNs encoded, structure bare."""

from __future__ import annotations

import re
from urllib.parse import unquote

Value = str | list["Value"] | dict[str, "Value"]

_SCALAR = re.compile(r"[^(),:]*")


class RestliError(Exception):
    """A query that is no Rest.li 2.0."""


def parameters(query: str) -> dict[str, Value]:
    """The parameters of a query string; `fields` is a projection and stays text."""
    found: dict[str, Value] = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not equals or name in found:
            raise RestliError(f"Invalid query parameter '{name}'")
        found[name] = value if name == "fields" else _Parser(value).whole()
    return found


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
