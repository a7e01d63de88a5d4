"""Columns of a stream, in both directions: a pipeline's tables become SCHEMA lines, and SCHEMA lines become columns.

A decimal travels as a JSON string with `"format": "singer.decimal"`, because a JSON number goes through a double in
most readers and 1e-18 does not survive that. Its bounds are 20 digits before the point and 18 after it: DECIMAL(38,18).
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wire.failures import SchemaError

CORE = "core"
"""The group of the tables without which an account is not loaded; one of another group may be lost alone."""
_ODD = re.compile(r'["\\\x00-\x1f]')
DECIMAL_PRECISION = 38
DECIMAL_SCALE = 18
DECIMAL_PATTERN = rf"-?[0-9]{{1,{DECIMAL_PRECISION - DECIMAL_SCALE}}}(?:\.[0-9]{{1,{DECIMAL_SCALE}}})?"


class Type(StrEnum):
    """The types a column can have."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    JSON = "json"


class Column(Struct, frozen=True):
    """One column. Every column but a key may be null; `note` is its unit or meaning, for the documentation."""

    name: str
    type: Type
    note: str = ""


class Table(Struct, frozen=True):
    """What one stream is: its columns, the columns of its key, and the day column that a region ranges over.

    `fingerprint` is of the definition that a user gave it; see `wire.definitions`. `group` is what the setting `tables`
    may call it by; see `wire.groups`. `cost` says in words what it takes to load it, where that is much.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    replication_key: str | None = None
    fingerprint: str = ""
    group: str = CORE
    cost: str = ""

    @property
    def is_core(self) -> bool:
        """Whether its account is not loaded without it: neither of a further group nor a report of the user's own."""
        return self.group == CORE and not self.fingerprint

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        odd = [name for name in names if _ODD.search(name)]
        if odd:
            raise SchemaError(f"stream {self.name!r}: {odd[0]!r} cannot be the name of a column")
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise SchemaError(f"stream {self.name!r} has the column {twice[0]!r} twice")
        known = set(names)
        wanted = [*self.key, *([self.replication_key] if self.replication_key else [])]
        missing = [name for name in wanted if name not in known]
        if missing:
            raise SchemaError(f"stream {self.name!r} is keyed by {missing[0]!r}, which is not among its columns")

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of one record, as the SCHEMA line carries it."""
        properties = {column.name: _property(column, nullable=column.name not in self.key) for column in self.columns}
        return {"type": "object", "properties": properties, "additionalProperties": False, "required": list(self.key)}

    def row_type(self, *, decimals_as_text: bool = False) -> type[Struct]:
        """A msgspec type that accepts exactly the records of this table; see `wire.reader`.

        With `decimals_as_text` any text passes for a decimal: for whoever looks at the texts of many rows at once. The
        field of the column at index 3 is `c3`.
        """
        types = _PYTHON | ({Type.DECIMAL: str} if decimals_as_text else {})
        keys = set(self.key)
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        for index, column in enumerate(self.columns):
            kind = types[column.type]
            if column.name in keys:
                fields.append((f"c{index}", kind))
            elif column.type is Type.JSON:
                fields.append((f"c{index}", kind, msgspec.Raw(b"null")))
            else:
                fields.append((f"c{index}", kind | None, None))
        fields.sort(key=len)
        rename = {f"c{index}": column.name for index, column in enumerate(self.columns)}
        return msgspec.defstruct("Row", fields, rename=rename, forbid_unknown_fields=True, gc=False)


_INT64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_DECIMAL = Annotated[str, Meta(pattern=rf"^{DECIMAL_PATTERN}\Z")]
_PYTHON: dict[Type, Any] = {
    Type.STRING: str,
    Type.INTEGER: _INT64,
    Type.NUMBER: float,
    Type.DECIMAL: _DECIMAL,
    Type.BOOLEAN: bool,
    Type.DATE: dt.date,
    Type.DATETIME: dt.datetime,
    Type.JSON: msgspec.Raw,
}

_FORMATS = {"singer.decimal": Type.DECIMAL, "date": Type.DATE, "date-time": Type.DATETIME}
_FORMAT_OF = {kind: name for name, kind in _FORMATS.items()}
_PLAIN = {"string": Type.STRING, "integer": Type.INTEGER, "number": Type.NUMBER, "boolean": Type.BOOLEAN}


def _property(column: Column, *, nullable: bool) -> dict[str, Any]:
    if column.type is Type.JSON:
        return {}
    name = "string" if column.type in _FORMAT_OF else column.type.value
    described: dict[str, Any] = {"type": ["null", name] if nullable else [name]}
    if column.type in _FORMAT_OF:
        described["format"] = _FORMAT_OF[column.type]
    return described


def table_of(stream: str, schema: Mapping[str, Any], key: Sequence[str], replication_key: str | None = None) -> Table:
    """The table that a SCHEMA line describes; raises SchemaError where its JSON Schema gives no columns."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        raise SchemaError(f"stream {stream!r}: its schema has no properties, so there are no columns to fill")
    columns = tuple(Column(name, _type_of(stream, name, described)) for name, described in properties.items())
    return Table(stream, columns, tuple(key), replication_key)


def _listed(value: object) -> Sequence[object]:
    """What should be a list, or nothing: whatever else it is says no more of a column than nothing would."""
    return value if isinstance(value, list | tuple) else ()


def _type_of(stream: str, name: str, described: object) -> Type:
    if not isinstance(described, Mapping):
        raise SchemaError(f"stream {stream!r}: the schema of column {name!r} is not an object")
    variants = [v for word in ("anyOf", "oneOf") for v in _listed(described.get(word)) if isinstance(v, Mapping)]
    real = [v for v in variants if v.get("type") not in ("null", ["null"])]
    if real:
        kinds = {_type_of(stream, name, variant) for variant in real}
        return kinds.pop() if len(kinds) == 1 else Type.JSON
    words = described.get("type")
    types = {words} if isinstance(words, str) else {word for word in _listed(words) if isinstance(word, str)}
    types.discard("null")
    if types == {"integer", "number"}:
        return Type.NUMBER
    if len(types) != 1:
        return Type.JSON
    plain = _PLAIN.get(types.pop(), Type.JSON)
    if plain is Type.STRING:
        return _FORMATS.get(str(described.get("format", "")), Type.STRING)
    return plain
