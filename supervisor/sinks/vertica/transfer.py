"""Rows as the text that COPY reads: DuckDB writes them, in C++, into a file that is sent as it is.

Texts are enclosed and NULL is not, and its marker is longer than any text that could be taken for it. A decimal is
exact, a time is UTC, and a double has the fewest digits that read back as the same double.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.sinks.judging import RowError
from supervisor.sinks.quoting import quoted, text
from supervisor.sinks.staging import Staging
from supervisor.sinks.vertica.columns import SMALLEST_INTEGER, is_text
from supervisor.sinks.vertica.connection import Link
from wire.schema import Table, Type

_MARK = "~"  # from which a marker of NULL is made; COPY takes any text of ASCII characters for one


@frozen
class Measures:
    """What must be known of rows before they are sent: how many they are, the octets of the longest text of each
    column, and how long a marker of NULL must be."""

    count: int
    longest: dict[str, int]
    marker_length: int


def measure(staging: Staging, stream: str, source: str, name: str) -> Measures:
    """Look through rows once; `source` is what follows FROM, `name` the table's for an error.

    Raises RowError for an integer that Vertica would store as NULL.
    """
    table = staging.table(stream)
    texts = [column for column in table.columns if is_text(column)]
    integers = [column for column in table.columns if column.type is Type.INTEGER]
    asked = ["count(*)", *(f"max(strlen({quoted(c.name)}))" for c in texts)]
    asked += [f"max(strlen({quoted(c.name)})) FILTER (starts_with({quoted(c.name)}, {text(_MARK)}))" for c in texts]
    asked += [f"min({quoted(c.name)})" for c in integers]
    ((count, *row),) = staging.run(f"SELECT {', '.join(asked)} FROM (FROM {source})").fetchall()
    for column, smallest in zip(integers, row[2 * len(texts) :], strict=True):
        if smallest is not None and smallest < SMALLEST_INTEGER:
            raise RowError(f"{column.name!r} of {name} has the value {smallest}, which Vertica would store as NULL")
    longest = {column.name: octets or 0 for column, octets in zip(texts, row, strict=False)}
    marked = [octets or 0 for octets in row[len(texts) : 2 * len(texts)]]
    return Measures(int(count), longest, 1 + max(marked, default=0))


def send(link: Link, staging: Staging, stream: str, source: str, *, stage: str, marker: str, file: Path) -> int:
    """COPY rows into the temporary table `stage`; how many were sent. `file` is written and removed."""
    table = staging.table(stream)
    try:
        sent = _export(staging, table, source, marker, file)
        with file.open("rb") as data:
            link.copy(copy_statement(quoted(stage), _names(table), marker), data, f"load {stream}")
    except OSError as cause:
        raise SinkError(f"the rows of {stream!r} cannot be put into {file}: {cause.strerror or cause}") from cause
    finally:
        file.unlink(missing_ok=True)
    return sent


def marker_of(length: int) -> str:
    return _MARK * length


def copy_statement(table: str, columns: Sequence[str], marker: str = _MARK) -> str:
    """A COPY of delimited text that refuses what does not fit and commits nothing.

    Left to itself COPY drops bad rows, cuts long texts and commits. The clauses stand in the order of their
    documentation, as some readers of Vertica's SQL take no other.
    """
    names = ", ".join(quoted(name) for name in columns)
    return (
        f"COPY {table} ({names}) FROM STDIN ABORT ON ERROR DELIMITER ',' ENCLOSED BY '\"' ENFORCELENGTH "
        rf"ESCAPE AS '\' NULL '{marker}' NO COMMIT"
    )


def insert(link: Link, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], doing: str) -> None:
    """COPY a few rows of Python values into a table; a text may be longer than a literal can be."""
    texts = [value for row in rows for value in row if isinstance(value, str)]
    marker = marker_of(1 + max((len(value) for value in texts if value.startswith(_MARK)), default=0))
    lines = "".join(",".join(_field(value, marker) for value in row) + "\n" for row in rows)
    link.copy(copy_statement(table, columns, marker), io.BytesIO(lines.encode()), doing)


def _export(staging: Staging, table: Table, source: str, marker: str, file: Path) -> int:
    names = ", ".join(quoted(name) for name in _names(table))
    texts = ", ".join(quoted(column.name) for column in table.columns if is_text(column))
    enclosed = f", FORCE_QUOTE ({texts})" if texts else ""
    (count,) = staging.run(
        f"COPY (SELECT {names} FROM (FROM {source})) TO {text(str(file))} (FORMAT csv, HEADER false, DELIMITER ',', "
        rf"""QUOTE '"', ESCAPE '\', NULLSTR {text(marker)}{enclosed})"""
    ).fetchone() or (0,)
    return int(count)


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _field(value: Any, marker: str) -> str:
    if value is None:
        return marker
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
