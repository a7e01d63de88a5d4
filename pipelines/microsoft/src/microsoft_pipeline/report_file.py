"""A downloaded report: a ZIP with one CSV, read block by block into typed rows.

The SDK's own reader is not used: it drops rows whose first cell begins with "Total", and reads `1,234` and `1.75%`
as 0.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import logging
import math
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import IO, Any

import msgspec
from msgspec import Struct

from microsoft_pipeline.cells import Columns, WidthError, blocks_of_columns
from microsoft_pipeline.downloads import BrokenFileError
from microsoft_pipeline.tables import TIME, Field, Report
from wire import Grain, Kind, PipelineError, Type, Window

log = logging.getLogger(__name__)

_NULLS = frozenset({"", "--"})
_REMEMBERED = 50_000
_PLAIN_DECIMALS = "0123456789.-|"


class MissingRowsError(PipelineError):
    """The file is whole, but has not the rows that its header announces: only making it again may help."""


def read_report(
    file: IO[bytes], report: Report, own: Mapping[str, Any], *, window: Window, today: dt.date
) -> Iterator[Struct]:
    """The rows of a report, with the report's columns as fields; `own` fills the columns without a source.

    Raises BrokenFileError for a damaged file, MissingRowsError if there are not as many rows as announced, and
    PipelineError (data) for a column that is missing or a value that is not of its column's type.
    """
    with _damage_named(report), zipfile.ZipFile(file) as archive, archive.open(_csv_in(archive, report)) as member:
        announced, incomplete = _read_preamble(member)
        if incomplete and window.last < today:
            whose = own["account_id"], report.table.name, window
            log.info("account %s, %s %s: Microsoft says that the data may be incomplete", *whose)
        header = next(csv.reader([member.readline().decode("utf-8-sig")], strict=True), [])
        rows_of = _typed(header, report, own, today)
        read = 0
        for columns in blocks_of_columns(member, len(header)):
            read += len(columns[0])
            yield from rows_of(columns)
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
    except WidthError as cause:
        raise PipelineError(Kind.DATA, f"{report.table.name}: {cause}") from cause


def _csv_in(archive: zipfile.ZipFile, report: Report) -> str:
    """The report in the archive, whatever else is beside it."""
    names = archive.namelist()
    found = [name for name in names if name.lower().endswith(".csv")] or names
    if len(found) != 1:
        raise BrokenFileError(Kind.TRANSIENT, f"{report.table.name}: the report's archive holds {len(found)} reports")
    return found[0]


def _read_preamble(file: IO[bytes]) -> tuple[int | None, bool]:
    """Skip the lines before the first empty one: the number of rows that they announce, whether data may be missing."""
    announced, incomplete = None, False
    for line in csv.reader((line.decode("utf-8-sig") for line in iter(file.readline, b"")), strict=True):
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
    header: Sequence[str], report: Report, own: Mapping[str, Any], today: dt.date
) -> Callable[[Columns], Iterator[Struct]]:
    """What makes rows of the columns of a file with this header."""
    missing = [name for name in report.columns if name not in header]
    if missing:
        raise PipelineError(Kind.DATA, f"{report.table.name}: the report lacks the column {missing[0]}")
    row = msgspec.defstruct("Row", [(field.column.name, Any) for field in report.fields], gc=False)
    plan = [(field, header.index(field.source) if field.source else None) for field in report.fields]
    # The first day of what is not over yet.
    running = (today.replace(day=1) if report.grain is Grain.MONTH else today).isoformat()
    converters = {field.column.name: _known(field, report) for field, index in plan if index is not None}

    def rows_of(columns: Columns) -> Iterator[Struct]:
        values: dict[str, Iterable[Any]] = {}
        for field, index in plan:
            name = field.column.name
            if index is not None:
                values[name] = _converted(columns[index], field, converters[name], report)
            elif name == "is_final":
                values[name] = [day < running for day in values["date"]]
            else:
                values[name] = itertools.repeat(own.get(name))
        return map(row, *values.values())

    return rows_of


class _Known(dict[str, Any]):
    """Texts that were converted before: a report has few different ones of most columns."""

    def __init__(self, convert: Callable[[str], Any]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, text: str) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[text] = self._convert(text)
        return value


# Shared by all reports of a run; what two threads convert at the same time is converted twice, to the same.
_KNOWN: dict[tuple[Type, str | None], _Known] = {}


def _known(field: Field, report: Report) -> _Known:
    """The texts of columns that are converted alike; a key cannot be null, so what has no keyword has the empty one."""
    kind, null = field.column.type, "" if field.column.name in report.table.key else None
    if field.source == TIME and kind is Type.INTEGER:
        return _KNOWN.setdefault((kind, TIME), _Known(_hour))
    convert = _CONVERTERS[kind]
    if kind is Type.STRING:
        # On its own for each column, whose names would push the others' out.
        return _Known(lambda text: null if text in _NULLS else text)
    if kind is Type.DATE:
        return _KNOWN.setdefault((kind, null), _Known(convert))
    return _KNOWN.setdefault((kind, null), _Known(lambda text: null if text in _NULLS else convert(text)))


def _converted(texts: Sequence[str], field: Field, known: _Known, report: Report) -> list[Any]:
    if field.column.type is Type.DECIMAL and _are_plain(texts):
        return list(texts)
    try:
        return list(map(known.__getitem__, texts))
    except (ValueError, InvalidOperation) as cause:
        bad = next(text for text in texts if text not in known and not _fits(known, text))
        raise PipelineError(
            Kind.DATA, f"{report.table.name}: column {field.column.name} has the value {bad[:40]!r}"
        ) from cause


def _are_plain(texts: Sequence[str]) -> bool:
    """Whether all are decimals as the wire writes them; most columns of money are, and differ in every row."""
    joined = f"|{'|'.join(texts)}|"
    if joined.strip(_PLAIN_DECIMALS) or any(odd in joined for odd in ("||", "|.", ".|", "-.", "|-|")):
        return False
    try:
        for _ in map(float, texts):
            pass
    except ValueError:
        return False
    return True


def _fits(known: _Known, text: str) -> bool:
    try:
        known[text]
    except (ValueError, InvalidOperation):
        return False
    return True


def _integer(text: str) -> int:
    plain = text.replace(",", "")
    try:
        return int(plain)
    except ValueError:
        value = Decimal(plain)
        if not value.is_finite() or value != int(value):
            raise ValueError(text) from None
        return int(value)


def _number(text: str) -> float:
    """A number or percentage; where only a bound is told (`<0.01%`), the bound."""
    value = float(text.lstrip("<>").strip().replace(",", "").removesuffix("%"))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _decimal(text: str) -> str:
    value = Decimal(text.replace(",", ""))
    if not value.is_finite():
        raise ValueError(text)
    return format(value, "f")


def _date(text: str) -> str:
    """A day, of which an hour may be told: `2026-03-15|7`."""
    return dt.date.fromisoformat(text.partition("|")[0]).isoformat()


def _hour(text: str) -> int:
    hour = int(text.partition("|")[2])
    if not 0 <= hour <= 23:
        raise ValueError(text)
    return hour


_CONVERTERS: dict[Type, Callable[[str], Any]] = {
    Type.STRING: str,
    Type.INTEGER: _integer,
    Type.NUMBER: _number,
    Type.DECIMAL: _decimal,
    Type.DATE: _date,
}
