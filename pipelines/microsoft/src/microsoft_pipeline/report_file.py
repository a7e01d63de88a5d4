"""A downloaded report: a ZIP with one CSV, read row by row into typed rows.

The SDK's own reader is not used: it drops rows whose first cell begins with "Total", and reads `1,234` and `1.75%`
as 0.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import IO, Any

from microsoft_pipeline.downloads import BrokenFileError
from microsoft_pipeline.tables import Field, Report
from wire import Kind, PipelineError, Type, Window

log = logging.getLogger(__name__)

_NULLS = frozenset({"", "--"})


class MissingRowsError(PipelineError):
    """The file is whole, but has not the rows that its header announces: only making it again may help."""


def read_report(
    file: IO[bytes], report: Report, own: Mapping[str, Any], *, window: Window, today: dt.date
) -> Iterator[dict[str, Any]]:
    """The rows of a report; `own` fills the columns without a source.

    Raises BrokenFileError for a damaged file, MissingRowsError if there are not as many rows as announced, and
    PipelineError (data) for a column that is missing or a value that is not of its column's type.
    """
    whose = own["account_id"], report.table.name, window
    with _damage_named(report), zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if len(names) != 1:
            raise BrokenFileError(Kind.TRANSIENT, f"{report.table.name}: the report's archive holds {len(names)} files")
        with archive.open(names[0]) as member:
            lines = csv.reader(io.TextIOWrapper(member, encoding="utf-8-sig", newline=""), strict=True)
            announced, incomplete = _read_preamble(lines)
            if incomplete and window.last < today:
                log.info("account %s, %s %s: Microsoft says that the data may be incomplete", *whose)
            read = 0
            for row in _typed(lines, report, own, today):
                read += 1
                yield row
    if announced is not None and read != announced:
        raise MissingRowsError(
            Kind.DATA, f"{report.table.name}: the report announces {announced} rows, but {read} were read"
        )


@contextmanager
def _damage_named(report: Report) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, csv.Error) as cause:
        raise BrokenFileError(
            Kind.TRANSIENT, f"{report.table.name}: the downloaded report is damaged ({type(cause).__name__})"
        ) from cause


def _read_preamble(lines: Iterator[list[str]]) -> tuple[int | None, bool]:
    """Skip the lines before the first empty one: the number of rows that they announce, whether data may be missing."""
    announced, incomplete = None, False
    for line in lines:
        if not line:
            break
        name, _, value = line[0].partition(":")
        if name == "Rows":
            digits = value.replace(",", "").strip()
            announced = int(digits) if digits.isdecimal() else None
        elif name == "Potential Incomplete Data":
            incomplete = value.strip().lower() == "true"
    return announced, incomplete


def _typed(
    lines: Iterator[list[str]], report: Report, own: Mapping[str, Any], today: dt.date
) -> Iterator[dict[str, Any]]:
    header = next(lines, [])
    missing = [name for name in report.columns if name not in header]
    if missing:
        raise PipelineError(Kind.DATA, f"{report.table.name}: the report lacks the column {missing[0]}")
    plan = [
        (field.column.name, header.index(field.source), _CONVERTERS[field.column.type], _null(field, report))
        for field in report.fields
        if field.source
    ]
    rest = {field.column.name: own.get(field.column.name) for field in report.fields if not field.source}
    today_text = today.isoformat()
    width = len(header)
    for line in lines:
        if len(line) != width:
            if not line:
                continue
            raise PipelineError(Kind.DATA, f"{report.table.name}: a row of {len(line)} cells where {width} belong")
        row: dict[str, Any] = dict(rest)
        for name, index, convert, null in plan:
            text = line[index]
            if text in _NULLS and name != "date":
                row[name] = null
                continue
            try:
                row[name] = convert(text)
            except (ValueError, InvalidOperation) as cause:
                raise PipelineError(
                    Kind.DATA, f"{report.table.name}: column {name} has the value {text[:40]!r}"
                ) from cause
        row["is_final"] = row["date"] < today_text
        yield row


def _null(field: Field, report: Report) -> str | None:
    """What stands for "none": a key cannot be null, so what has no keyword, say, has the empty one."""
    return "" if field.column.name in report.table.key else None


def _integer(text: str) -> int:
    return int(text.replace(",", ""))


def _number(text: str) -> float:
    value = float(text.replace(",", "").removesuffix("%"))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _decimal(text: str) -> str:
    value = Decimal(text.replace(",", ""))
    if not value.is_finite():
        raise ValueError(text)
    return format(value, "f")


@lru_cache(maxsize=4096)
def _date(text: str) -> str:
    return dt.date.fromisoformat(text).isoformat()


_CONVERTERS: dict[Type, Callable[[str], Any]] = {
    Type.STRING: str,
    Type.INTEGER: _integer,
    Type.NUMBER: _number,
    Type.DECIMAL: _decimal,
    Type.DATE: _date,
}
