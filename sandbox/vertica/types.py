"""Vertica's data types: how a column declaration is read, what DuckDB stores for it, and its number on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sandbox.vertica.errors import ServerError, raising

UNKNOWN, BOOLEAN, INTEGER, FLOAT, CHAR, VARCHAR = 4, 5, 6, 7, 8, 9
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ, NUMERIC = 10, 11, 12, 13, 14, 15, 16
VARBINARY, UUID, LONG_VARCHAR, LONG_VARBINARY, BINARY = 17, 20, 115, 116, 117

TEXTS = (CHAR, VARCHAR, LONG_VARCHAR)
BYTES = (BINARY, VARBINARY, LONG_VARBINARY)
SMALLEST_INTEGER = -(2**63) + 1  # -2^63 is how Vertica stores a NULL, so no INTEGER can hold it

_MODIFIER = -1  # what the wire carries when a type has no length
_SPELLINGS: list[tuple[str, int]] = [
    (r"LONG\s+VARCHAR", LONG_VARCHAR),
    (r"LONG\s+VARBINARY", LONG_VARBINARY),
    (r"VARCHAR2?|CHARACTER\s+VARYING|TEXT", VARCHAR),
    (r"CHAR(?:ACTER)?", CHAR),
    (r"VARBINARY|BYTEA|RAW|BINARY\s+VARYING", VARBINARY),
    (r"BINARY", BINARY),
    (r"BIGINT|INTEGER|SMALLINT|TINYINT|INT8|INT", INTEGER),
    (r"DOUBLE\s+PRECISION|FLOAT8|FLOAT|REAL", FLOAT),
    (r"NUMERIC|DECIMAL|NUMBER|MONEY", NUMERIC),
    (r"BOOLEAN|BOOL", BOOLEAN),
    (r"TIMESTAMPTZ|TIMESTAMP(?:\s*\(\d\))?\s+WITH\s+TIME\s*ZONE", TIMESTAMPTZ),
    (r"TIMESTAMP(?:\s*\(\d\))?\s+WITHOUT\s+TIME\s*ZONE|TIMESTAMP|DATETIME|SMALLDATETIME", TIMESTAMP),
    (r"TIMETZ|TIME\s+WITH\s+TIME\s*ZONE", TIMETZ),
    (r"TIME", TIME),
    (r"DATE", DATE),
    (r"UUID", UUID),
    (
        r"INTERVAL(?:\s+(?:YEAR|MONTH|DAY|HOUR|MINUTE|SECOND)(?:\s+TO\s+(?:YEAR|MONTH|DAY|HOUR|MINUTE|SECOND))?)?",
        INTERVAL,
    ),
]
_DECLARED = [
    (re.compile(rf"(?P<name>{words})\b(?:\s*\(\s*(?P<one>\d+)\s*(?:,\s*(?P<two>\d+)\s*)?\))?", re.I), oid)
    for words, oid in _SPELLINGS
]
_STORED = {
    BOOLEAN: "BOOLEAN",
    INTEGER: "BIGINT",
    FLOAT: "DOUBLE",
    DATE: "DATE",
    TIME: "TIME",
    TIMESTAMP: "TIMESTAMP",
    TIMESTAMPTZ: "TIMESTAMPTZ",
    TIMETZ: "TIMETZ",
    INTERVAL: "INTERVAL",
    UUID: "UUID",
}
_NAMES = {
    BOOLEAN: "boolean",
    INTEGER: "int",
    FLOAT: "float",
    CHAR: "char",
    VARCHAR: "varchar",
    DATE: "date",
    TIME: "time",
    TIMESTAMP: "timestamp",
    TIMESTAMPTZ: "timestamptz",
    INTERVAL: "interval",
    TIMETZ: "timetz",
    NUMERIC: "numeric",
    VARBINARY: "varbinary",
    UUID: "uuid",
    LONG_VARCHAR: "long varchar",
    LONG_VARBINARY: "long varbinary",
    BINARY: "binary",
    UNKNOWN: "unknown",
}
_DEFAULT_LENGTH = {CHAR: 1, VARCHAR: 80, LONG_VARCHAR: 1_048_576, BINARY: 1, VARBINARY: 80, LONG_VARBINARY: 1_048_576}
_LONGEST = dict.fromkeys((CHAR, VARCHAR, BINARY, VARBINARY), 65_000) | dict.fromkeys(
    (LONG_VARCHAR, LONG_VARBINARY), 32_000_000
)


@dataclass(frozen=True)
class Type:
    """A type of the wire. `length` is in octets, for texts and bytes; `precision` and `scale` are a NUMERIC's."""

    oid: int
    length: int = 0
    precision: int = 0
    scale: int = 0

    @property
    def stored(self) -> str:
        """What DuckDB stores."""
        if self.oid == NUMERIC:
            return f"DECIMAL({self.precision},{self.scale})"
        return "VARCHAR" if self.oid in TEXTS else "BLOB" if self.oid in BYTES else _STORED[self.oid]

    @property
    def text(self) -> str:
        """As `v_catalog.columns.data_type` spells it."""
        if self.oid == NUMERIC:
            return f"numeric({self.precision},{self.scale})"
        return _NAMES[self.oid] + (f"({self.length})" if self.length else "")

    @property
    def bytes_held(self) -> int:
        """As `v_catalog.columns.data_type_length` counts: octets; 8 for what is no text."""
        if self.oid == NUMERIC:
            return (self.precision // 19 + 1) * 8
        return self.length or {BOOLEAN: 1, UUID: 16}.get(self.oid, 8)

    @property
    def modifier(self) -> int:
        """The type modifier of the wire, which carries lengths, precision and scale."""
        if self.oid == NUMERIC:
            return (self.precision << 16 | self.scale) + 4
        return self.length + 4 if self.length else _MODIFIER

    @property
    def wire_size(self) -> int:
        """Octets of a value on the wire; -1 for those that vary."""
        varies = self.oid in (*TEXTS, *BYTES, NUMERIC, UNKNOWN)
        return -1 if varies else {BOOLEAN: 1, UUID: 16}.get(self.oid, 8)


@dataclass(frozen=True)
class Column:
    name: str
    type: Type
    nullable: bool = True
    default: str = ""

    def definition(self) -> str:
        """As DuckDB creates it, with the limits that Vertica has and DuckDB lacks as a check."""
        parts = [quoted(self.name), self.type.stored]
        if not self.nullable:
            parts.append("NOT NULL")
        if self.default:
            parts.append(f"DEFAULT {self.default}")
        return " ".join([*parts, self._check()])

    def _check(self) -> str:
        name = quoted(self.name)
        if self.type.oid in TEXTS or self.type.oid in BYTES:
            size = f"strlen({name})" if self.type.oid in TEXTS else f"octet_length({name})"
            kind = _NAMES[self.type.oid].title()
            said = f"'String of ' || {size} || ' octets is too long for type {kind}({self.type.length}) for column "
            said += self.name.replace("'", "''") + "'"
            refusal = raising(4800, "22001", said)
            return f"CHECK (CASE WHEN {size} > {self.type.length} THEN {refusal} ELSE true END)"
        if self.type.oid == INTEGER:
            refusal = raising(5409, "22003", f"'Value \"' || {name} || '\" is out of range for type int8'")
            return f"CHECK (CASE WHEN {name} < {SMALLEST_INTEGER} THEN {refusal} ELSE true END)"
        return ""


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_type(text: str) -> tuple[Type, str]:
    """The type that a declaration begins with, and what follows it. Raises ServerError for an unknown one."""
    for pattern, oid in _DECLARED:
        found = pattern.match(text)
        if not found:
            continue
        name, one, two = found["name"].upper(), found["one"], found["two"]
        return _declared(oid, name, one, two), text[found.end() :]
    word = re.match(r"\S*", text.lstrip())
    raise ServerError(f'Type "{word[0] if word else ""}" does not exist', "42704", 5108)


def _declared(oid: int, name: str, one: str | None, two: str | None) -> Type:
    if oid == NUMERIC:
        if one:
            precision, scale = int(one), int(two or 0)
        else:
            precision, scale = {"MONEY": (18, 4), "NUMBER": (38, 0)}.get(name, (37, 15))
        if precision > 38:
            raise ServerError(f"this server double holds NUMERIC up to 38 digits, not {precision}", "0A000", 0)
        return Type(oid, precision=precision, scale=scale)
    if oid not in _DEFAULT_LENGTH:
        return Type(oid)
    length = int(one or _DEFAULT_LENGTH[oid])
    if not 1 <= length <= _LONGEST[oid]:
        limit = _LONGEST[oid]
        raise ServerError(
            f"Length for type {_NAMES[oid]} cannot exceed {limit}" if length else "Length must be at least 1",
            "22023",
            3852,
        )
    return Type(oid, length)


def of_engine(stored: str) -> Type:
    """The wire's type for a column that DuckDB computed."""
    found = re.match(r"DECIMAL\((\d+),\s?(\d+)\)", stored)
    if found:
        return Type(NUMERIC, precision=int(found[1]), scale=int(found[2]))
    if stored.endswith(("INT", "INTEGER")):
        return Type(INTEGER)
    names = {kept: oid for oid, kept in _STORED.items()} | {
        "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ,
        "TIME WITH TIME ZONE": TIMETZ,
        "FLOAT": FLOAT,
        "NULL": UNKNOWN,
        '"NULL"': UNKNOWN,
    }
    if stored == "BLOB":
        return Type(LONG_VARBINARY, _LONGEST[LONG_VARBINARY])
    return Type(names[stored]) if stored in names else Type(VARCHAR, _LONGEST[VARCHAR])


def widened(column: Column, to: Type) -> Column:
    """The column with another length. Raises ServerError where Vertica refuses the change."""
    same_kind = column.type.oid == to.oid
    if not same_kind or (
        to.oid not in TEXTS and to.oid not in BYTES and to != column.type and not _more_digits(column, to)
    ):
        raise ServerError(
            f'Cannot convert column "{column.name}" from "{column.type.text}" to type "{to.text}"', "42804", 2353
        )
    return replace(column, type=to)


def _more_digits(column: Column, to: Type) -> bool:
    return to.oid == NUMERIC and to.scale == column.type.scale and to.precision >= column.type.precision
