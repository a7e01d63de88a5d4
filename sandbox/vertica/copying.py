"""The COPY statement: its options, and how it cuts delimited text into records and fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.vertica import sql
from sandbox.vertica.errors import ServerError, syntax_error

_SOURCES = r"STDIN|'(?:[^']|'')*'(?:\s*,\s*'(?:[^']|'')*')*"
_STATEMENT = re.compile(
    rf"COPY\s+(?P<table>{sql.NAME})\s*(?P<rest>.*?)\bFROM\s+(?P<local>LOCAL\s+)?(?P<source>{_SOURCES})(?P<options>.*)$",
    re.I | re.S,
)
_LITERAL = r"(E)?'((?:[^']|'')*)'"


@dataclass(frozen=True)
class Copy:
    """One statement. `files` is empty for STDIN; `columns` is empty for all of the table's."""

    table: str
    columns: tuple[str, ...]
    local: bool
    files: tuple[str, ...]
    delimiter: str
    null: str
    enclosed_by: str
    escape: str  # "" for NO ESCAPE
    terminator: str
    skip: int
    reject_max: int
    abort_on_error: bool
    enforce_length: bool
    commits: bool
    trailing_null_columns: bool
    return_rejected: bool
    rejected_file: str
    rejected_table: str
    exceptions_file: str


def read(statement: str) -> Copy:
    """Raises ServerError for what is no COPY, and for options that exclude each other."""
    found = _STATEMENT.match(statement)
    if not found:
        raise syntax_error("COPY")
    files = tuple(name.replace("''", "'") for name in re.findall(r"'((?:[^']|'')*)'", found["source"]))
    if files and not found["local"]:
        raise ServerError("this server double reads only STDIN and the files of COPY … FROM LOCAL", "0A000", 0)
    options = _Options(found["options"])
    copy = Copy(
        table=found["table"],
        columns=_columns(found["rest"].strip()),
        local=bool(found["local"]),
        files=files,
        delimiter=options.text("DELIMITER", "|"),
        null=options.text("NULL", ""),
        enclosed_by=options.text("ENCLOSED", ""),
        escape="" if options.has(r"NO\s+ESCAPE") else options.text("ESCAPE", "\\"),
        terminator=options.text(r"RECORD\s+TERMINATOR", "\n"),
        skip=options.number("SKIP"),
        reject_max=options.number("REJECTMAX"),
        abort_on_error=options.has(r"ABORT\s+ON\s+ERROR"),
        enforce_length=options.has("ENFORCELENGTH"),
        commits=not options.has(r"NO\s+COMMIT"),
        trailing_null_columns=options.has(r"TRAILING\s+NULLCOLS"),
        return_rejected=options.has("RETURNREJECTED"),
        rejected_file=options.text(r"REJECTED\s+DATA", ""),
        rejected_table=options.name(r"REJECTED\s+DATA\s+AS\s+TABLE"),
        exceptions_file=options.text("EXCEPTIONS", ""),
    )
    if copy.return_rejected and (copy.rejected_file or copy.exceptions_file):
        raise ServerError(
            "COPY LOCAL does not support rejected row numbers with exceptions or rejected data options", "0A000", 2659
        )
    return copy


def _columns(rest: str) -> tuple[str, ...]:
    if not rest:
        return ()
    inside, after = sql.parenthesised(rest) if rest.startswith("(") else ("", rest)
    if after.strip():
        raise syntax_error(after.split()[0])
    return tuple(sql.plain_name(name) for name in sql.comma_separated(inside))


class _Options:
    """What follows the source, in any order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._outline = re.sub(r"'(?:[^']|'')*'", "''", text)

    def has(self, words: str) -> bool:
        return re.search(rf"\b{words}\b", self._outline, re.I) is not None

    def number(self, word: str) -> int:
        found = re.search(rf"\b{word}\s+(\d+)", self._outline, re.I)
        return int(found[1]) if found else 0

    def name(self, words: str) -> str:
        found = re.search(rf"\b{words}\s+({sql.NAME})", self._outline, re.I)
        return found[1] if found else ""

    def text(self, words: str, default: str) -> str:
        found = re.search(rf"\b{words}\s+(?:AS\s+|BY\s+)?{_LITERAL}", self._text, re.I)
        if not found:
            return default
        said = found[2].replace("''", "'")
        return said.encode("latin-1", "backslashreplace").decode("unicode_escape") if found[1] else said


@dataclass(frozen=True)
class Record:
    """`number` counts from 1; `quoted` says which fields were enclosed, so that an enclosed text is never NULL."""

    number: int
    raw: str
    fields: list[str]
    quoted: list[bool]


def records(copy: Copy, text: str) -> Iterator[Record]:
    """Cut as Vertica does: a terminator that is enclosed or escaped is data."""
    for number, raw in enumerate(_raw_records(copy, text), 1):
        if number > copy.skip:
            fields, quoted = _fields(copy, raw)
            yield Record(number, raw, fields, quoted)


def _raw_records(copy: Copy, text: str) -> Iterator[str]:
    signs = [sign for sign in (copy.escape, copy.enclosed_by, copy.terminator) if sign]
    special = re.compile("|".join(map(re.escape, signs)))
    start = at = 0
    inside = False
    while found := special.search(text, at):
        sign, at = found.group(), found.end()
        if sign == copy.escape and not (sign == copy.enclosed_by and not inside):
            at += 1
        elif sign == copy.enclosed_by:
            begins = found.start() == start or text.endswith(copy.delimiter, start, found.start())
            inside = not inside and begins  # within a text that is not enclosed, the sign is data
        elif not inside:
            yield text[start : found.start()]
            start = at
    if start < len(text):
        yield text[start:]


def _fields(copy: Copy, raw: str) -> tuple[list[str], list[bool]]:
    if (not copy.escape or copy.escape not in raw) and (not copy.enclosed_by or copy.enclosed_by not in raw):
        fields = raw.split(copy.delimiter)
        return fields, [False] * len(fields)
    fields, quoted = [], []
    current: list[str] = []
    enclosed = inside = False
    at = 0
    while at < len(raw):
        sign = raw[at]
        following = raw[at + 1 : at + 2]
        if sign == copy.escape and following and (sign != copy.enclosed_by or (inside and following == sign)):
            current.append(following)
            at += 2
            continue
        if sign == copy.enclosed_by and (inside or not current):
            inside = not inside
            enclosed = True
        elif sign == copy.delimiter and not inside:
            fields.append("".join(current))
            quoted.append(enclosed)
            current, enclosed = [], False
        else:
            current.append(sign)
        at += 1
    return [*fields, "".join(current)], [*quoted, enclosed]
