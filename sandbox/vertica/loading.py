"""COPY's data into a table: all of it at once by DuckDB's own reader, or record by record where that would differ.

The fast way is taken for what a sink sends (one-character signs, lines, no rejects) and is a single INSERT; if DuckDB
objects to anything, the statement is undone and the exact way finds out what is to be rejected, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sandbox.vertica import copying, sql, types
from sandbox.vertica.catalog import literal
from sandbox.vertica.copying import Copy
from sandbox.vertica.errors import ServerError, raising
from sandbox.vertica.transaction import Engine, Transaction
from sandbox.vertica.types import Column, quoted

USUAL_LINE, LONGEST_LINE = 2_000_000, 40_000_000  # octets; DuckDB reads lines in parallel only if they are short

_NEEDS_EXACT = (*types.BYTES, types.CHAR, types.INTERVAL, types.TIMETZ)
_INTEGER = "[+-]?[0-9]+"


@dataclass(frozen=True)
class Rejected:
    number: int
    raw: str
    reason: str


@dataclass(frozen=True)
class Loaded:
    accepted: int
    rejected: list[Rejected]


class Loader:
    """For one COPY statement; `columns` are the target's, in the order of the fields."""

    def __init__(self, transaction: Transaction, copy: Copy, columns: Sequence[Column]) -> None:
        self._transaction = transaction
        self._copy = copy
        self._columns = columns
        self._names = [f"c{position}" for position in range(len(columns))]

    def load(self, spool: Path, *, has_escapes: bool) -> Loaded:
        """Raises ServerError where the rejects end the statement; nothing is then loaded."""
        if spool.stat().st_size == 0:
            return Loaded(0, [])
        if self._is_plain() and (not has_escapes or self._unescaped(spool)):
            for longest in self._line_sizes(spool):
                try:
                    return Loaded(self._insert(self._reader(spool, longest), guarded=True), [])
                except duckdb.InterruptException:
                    raise
                except duckdb.Error:
                    continue  # the exact way says what is wrong
        return self._load_exactly(spool)

    def _line_sizes(self, spool: Path) -> Sequence[int]:
        long = any(column.type.length > USUAL_LINE // 2 for column in self._columns)
        return (USUAL_LINE, LONGEST_LINE) if long and spool.stat().st_size > USUAL_LINE else (USUAL_LINE,)

    def _is_plain(self) -> bool:
        copy = self._copy
        return (
            len(copy.delimiter) == 1
            and len(copy.enclosed_by) <= 1
            and copy.terminator == "\n"
            and not copy.skip
            and not copy.trailing_null_columns
            and not any(column.type.oid in _NEEDS_EXACT for column in self._columns)
        )

    def _unescaped(self, spool: Path) -> bool:
        """Rewrite escapes that DuckDB's reader does not know; false if one is outside an enclosed text."""
        sign, escape = self._copy.enclosed_by.encode(), self._copy.escape.encode()
        if not sign or sign == escape:
            return sign == escape
        quote, back = re.escape(sign), re.escape(escape)
        plain = rb"[^%(q)s%(b)s]*+" % {b"q": quote, b"b": back}
        enclosed = plain + rb"(?:%(q)s%(p)s(?:%(b)s.%(p)s)*+%(q)s%(p)s)*+" % {b"q": quote, b"b": back, b"p": plain}
        data = spool.read_bytes()
        if b"\0" in data or not re.fullmatch(enclosed, data, re.S):
            return False
        data = data.replace(escape * 2, b"\0").replace(escape + b"\n", b"\n")
        needless = re.compile(back + rb"([^%(q)s])" % {b"q": quote}, re.S)
        if needless.search(data):
            data = needless.sub(lambda found: found[1], data)
        spool.with_suffix(".plain").write_bytes(data.replace(b"\0", escape * 2))
        return True

    def _reader(self, spool: Path, longest: int) -> str:
        copy, plain = self._copy, spool.with_suffix(".plain")
        quote = copy.enclosed_by
        return _csv_reader(
            plain if plain.exists() else spool,
            self._names,
            longest,
            delim=copy.delimiter,
            quote=quote,
            escape=copy.escape if quote else "",
            nullstr=copy.null,
        )

    def _insert(self, source: str, *, guarded: bool = False, but: str = "true") -> int:
        values = ", ".join(_converted(name, column) for name, column in zip(self._names, self._columns, strict=True))
        where = self._guard() if guarded else but
        statement = (
            f"INSERT INTO {self._copy.table} ({', '.join(quoted(c.name) for c in self._columns)}) "
            f"SELECT {values} FROM {source} WHERE {where}"
        )
        return self._transaction.append(self._copy.table, lambda engine: _count(engine, statement))

    def _guard(self) -> str:
        """DuckDB would round '1.5' and read '1e3' as an INTEGER; Vertica rejects both."""
        integers = [name for name, c in zip(self._names, self._columns, strict=True) if c.type.oid == types.INTEGER]
        if not integers:
            return "true"
        odd = f"regexp_matches(concat_ws(',', {', '.join(integers)}), '[^0-9,+-]')"
        return f"CASE WHEN {odd} THEN {raising(2035, '22V04', literal('Invalid integer'))} ELSE true END"

    def _load_exactly(self, spool: Path) -> Loaded:
        text = spool.read_bytes().decode("utf-8", "replace")
        kept: dict[int, copying.Record] = {}
        rejected: list[Rejected] = []
        rows = spool.with_suffix(".rows")
        with rows.open("w", encoding="utf-8", newline="") as file:
            for record in copying.records(self._copy, text):
                values = self._values(record)
                if isinstance(values, str):
                    rejected.append(Rejected(record.number, record.raw, values))
                    continue
                kept[record.number] = record
                file.write(f"{record.number},{','.join(map(_enclosed, values))}\n")
        source = _csv_reader(rows, ["n", *self._names], LONGEST_LINE, delim=",", quote='"', escape='"', nullstr="")
        bad = list(self._badly_typed(source, kept)) if kept else []
        rejected = sorted([*rejected, *bad], key=lambda r: r.number)
        self._stop_at(rejected)
        if not kept:
            return Loaded(0, rejected)
        numbers = ", ".join(str(r.number) for r in bad)
        but = f"n::BIGINT NOT IN ({numbers})" if numbers else "true"
        return Loaded(self._insert(source, but=but), rejected)

    def _values(self, record: copying.Record) -> list[str | None] | str:
        """The fields, NULLs as None; or the reason for a rejection."""
        missing = len(self._columns) - len(record.fields)
        if missing < 0 or (missing and not self._copy.trailing_null_columns):
            return f"Too {'few' if missing > 0 else 'many'} columns found"
        values: list[str | None] = []
        for position, (text, quoted_) in enumerate(zip(record.fields, record.quoted, strict=True)):
            column = self._columns[position]
            value = None if text == self._copy.null and not quoted_ else text
            limit = column.type.length
            if value is not None and limit and (size := len(value.encode())) > limit:
                if self._copy.enforce_length:
                    kind = column.type.text.split("(")[0].title()
                    return (
                        f"The {size}-byte value is too long for type {kind}({limit}), "
                        f"column {position + 1} ({column.name})"
                    )
                value = value.encode()[:limit].decode("utf-8", "ignore")
            values.append(value)
        return [*values, *[None] * missing]

    def _badly_typed(self, source: str, kept: dict[int, copying.Record]) -> Iterator[Rejected]:
        cases = " ".join(
            f"WHEN {_is_bad(name, column)} THEN {position}"
            for position, (name, column) in enumerate(zip(self._names, self._columns, strict=True))
        )
        query = f"SELECT n::BIGINT, CASE {cases} END AS position FROM {source} WHERE position IS NOT NULL ORDER BY 1"
        for number, position in self._transaction.query(query).fetchall():
            column, record = self._columns[position], kept[number]
            value = record.fields[position] if position < len(record.fields) else None
            at = f"column {position + 1} ({column.name})"
            kind = {types.INTEGER: "integer"}.get(column.type.oid, column.type.text.split("(")[0])
            missing = value is None or (value == self._copy.null and not record.quoted[position])
            reason = f"Null value for NOT NULL {at}" if missing else f"Invalid {kind} format '{value}' for {at}"
            yield Rejected(number, record.raw, reason)

    def _stop_at(self, rejected: Sequence[Rejected]) -> None:
        if rejected and self._copy.abort_on_error:
            first = rejected[0]
            raise ServerError(f"COPY: Input record {first.number} has been rejected ({first.reason})", "22V04", 2035)
        if 0 < self._copy.reject_max <= len(rejected):
            raise ServerError(f"COPY: {len(rejected)} records have been rejected", "22V04", 2036)


def _csv_reader(path: Path, names: Sequence[str], longest: int, **signs: str) -> str:
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    options = ", ".join(f"{name} = {literal(sign)}" for name, sign in signs.items())
    return (
        f"read_csv({literal(path)}, columns = {{{columns}}}, header = false, auto_detect = false, strict_mode = true, "
        f"new_line = '\\n', allow_quoted_nulls = false, {options}, max_line_size = {longest})"
    )


def _converted(name: str, column: Column) -> str:
    if column.type.oid in types.TEXTS:
        return name
    if column.type.oid in types.BYTES:
        return f"encode({name})"
    return f"CAST({name} AS {column.type.stored})"


def _is_bad(name: str, column: Column) -> str:
    null = f"{name} IS NULL" if not column.nullable else "false"
    if column.type.oid in types.TEXTS or column.type.oid in types.BYTES:
        return null
    tried = f"TRY_CAST({name} AS {column.type.stored})"
    unfit = f"{tried} IS NULL"
    if column.type.oid == types.INTEGER:
        unfit += f" OR NOT regexp_full_match(trim({name}), '{_INTEGER}') OR {tried} < {types.SMALLEST_INTEGER}"
    return f"({null} OR ({name} IS NOT NULL AND ({unfit})))"


def _enclosed(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'


def _count(engine: Engine, statement: str) -> int:
    row = engine.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def rejects_table(name: str, rejected: Sequence[Rejected], node: str) -> str:
    """An INSERT of the rejected records into the table of REJECTED DATA AS TABLE."""
    rows = ", ".join(
        f"({literal(node)}, {r.number}, {literal(r.raw)}, {len(r.raw.encode())}, {literal(r.reason)})" for r in rejected
    )
    return f"INSERT INTO {name} VALUES {rows}"


def target_columns(transaction: Transaction, copy: Copy) -> list[Column]:
    """Raises ServerError for a table or column that does not exist."""
    table = transaction.find(copy.table)
    found = [table.column(name) for name in copy.columns] if copy.columns else list(table.columns)
    for name, column in zip(copy.columns, found, strict=False):
        if column is None:
            raise ServerError(f'Column "{name}" of relation "{sql.key(copy.table)}" does not exist', "42703", 2641)
    return [column for column in found if column is not None]
