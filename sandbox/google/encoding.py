"""Lines of an answer as the bytes of `GoogleAdsRow` messages.

Protobuf lets a message be written in pieces, one after the other. So the fields of each resource are encoded apart, and
a campaign's piece is encoded once and repeated in every row of that campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.google.resources import CACHE_KEYS, FIELDS, Line

_RESULTS_TAG = b"\x0a"


class Encoder:
    """Encodes the lines of one query. `row_class` is the SDK's `GoogleAdsRow.pb()`."""

    def __init__(self, row_class: Any, paths: Iterable[str]) -> None:
        self._row = row_class()
        pieces: dict[str, _Setters] = {}
        for path in paths:
            setter = _Setter(row_class.DESCRIPTOR, path)
            pieces.setdefault(path.split(".")[0], {}).setdefault(setter.parents, []).append(setter)
        self._pieces = [(CACHE_KEYS.get(resource), setters, dict[Any, bytes]()) for resource, setters in pieces.items()]

    def results(self, lines: Iterable[Line]) -> bytes:
        """The field `results` of a response, once for each line."""
        out = bytearray()
        for line in lines:
            row = b"".join([self._piece(line, *piece) for piece in self._pieces])
            out += _RESULTS_TAG + varint(len(row)) + row
        return bytes(out)

    def _piece(
        self, line: Line, key_of: Callable[[Any], Any] | None, setters: _Setters, known: dict[Any, bytes]
    ) -> bytes:
        if key_of is None:
            return self._encode(line, setters)
        key = key_of(line)
        piece = known.get(key)
        if piece is None:
            piece = known[key] = self._encode(line, setters)
        return piece

    def _encode(self, line: Line, setters: _Setters) -> bytes:
        self._row.Clear()
        for parents, group in setters.items():
            message = self._row
            for parent in parents:
                message = getattr(message, parent)
            for setter in group:
                setter.put(message, line)
        encoded: bytes = self._row.SerializeToString()
        return encoded


class _Setter:
    """Puts one field's value into the message that it belongs to, which is found along `parents`."""

    def __init__(self, descriptor: Any, path: str) -> None:
        along = []
        for name in path.split("."):
            field = descriptor.fields_by_name.get(name) or descriptor.fields_by_name[f"{name}_"]
            along.append(field.name)
            descriptor = field.message_type
        self.parents, self._name = tuple(along[:-1]), along[-1]
        self._repeated, self._is_message = field.is_repeated, field.message_type is not None
        self._numbers = {value.name: value.number for value in field.enum_type.values} if field.enum_type else None
        self._value = FIELDS.get(path, _absent)

    def put(self, message: Any, line: Line) -> None:
        value = self._value(line)
        if value is None:
            return
        if self._repeated and self._is_message:
            for each in value:
                getattr(message, self._name).add(**each)
        elif self._repeated:
            getattr(message, self._name).extend(value)
        else:
            setattr(message, self._name, self._numbers[value] if self._numbers is not None else value)


_Setters = dict[tuple[str, ...], list[_Setter]]
"""The setters of one resource, by the message that they fill."""


def _absent(_line: Line) -> None:
    """A field that this world knows nothing about."""


def varint(number: int) -> bytes:
    """A whole number as protobuf writes it."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
