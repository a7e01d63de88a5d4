"""The supervisor's end of the wire: blocks of bytes in, checked events out.

Rows stay bytes. Each is decoded once into a msgspec struct made from its SCHEMA line, which proves that it fits its
columns, and the struct is dropped; the raw records travel on to the sink's own parser. Lines of one stream that follow
each other and begin alike are checked in one call, which is why a block costs little more than its decoding.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Struct, UnsetType

from wire.bounds import (
    LONGEST_ERROR,
    LONGEST_SCHEMA,
    MOST_COLUMNS,
    MOST_COLUMNS_TOGETHER,
    MOST_ERRORS,
    MOST_LEVELS,
    MOST_SCHEMAS,
    MOST_STREAMS,
    state_excess,
)
from wire.failures import SchemaError, WireError
from wire.messages import ErrorLine, OtherLine, RecordLine, Replaces, SchemaLine, StateLine
from wire.regions import check_region
from wire.schema import DECIMAL_PATTERN, Table, Type, table_of

LINE_LIMIT = 16 * 1024 * 1024


class Schema(Struct, frozen=True):
    """A stream was announced, or announced anew with other columns."""

    table: Table


class Rows(Struct, frozen=True):
    """`count` checked records of one stream, as JSON lines."""

    stream: str
    count: int
    data: bytes


class State(Struct, frozen=True):
    """Everything before this is complete; `value` is the JSON text of the pipeline's state, or of a patch of it."""

    value: bytes
    replaces: Replaces | None
    is_patch: bool = False


class Failure(Struct, frozen=True):
    """The pipeline reports a failure of its own or of one account."""

    error: ErrorLine


class Notice(Struct, frozen=True):
    """Something that is no error but that the log should tell."""

    text: str


Event = Schema | Rows | State | Failure | Notice

_LINES: dict[str, msgspec.json.Decoder[SchemaLine | StateLine | ErrorLine]] = {
    "SCHEMA": msgspec.json.Decoder(SchemaLine),
    "STATE": msgspec.json.Decoder(StateLine),
    "ERROR": msgspec.json.Decoder(ErrorLine),
}
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises; the last for JSON of more than MOST_LEVELS."""
_TYPE = msgspec.json.Decoder(OtherLine)
_RECORD = msgspec.json.Decoder(RecordLine)
_STREAM = re.compile(rb'"stream"\s*:\s*"([^"\\]{1,200})"')
_DECIMALS = re.compile(rf"(?:{DECIMAL_PATTERN}\n)*+")
_COLUMN = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")


def repeated_column(record: bytes) -> str | None:
    """A column to which a record, which is valid JSON, gives two values; None where there is none.

    The reader does not look for it, because msgspec does not and looking costs as much as decoding: whoever stores the
    rows refuses such a record anyway, and asks here what was wrong.
    """
    outermost: list[tuple[str, Any]] = []

    def keep(pairs: list[tuple[str, Any]]) -> None:
        outermost[:] = pairs

    try:
        json.loads(record, object_pairs_hook=keep, parse_int=str)
    except (ValueError, RecursionError):
        return None
    return next((name for name, count in Counter(name for name, _ in outermost).items() if count > 1), None)


class _Stream:
    """One announced stream: how its records are checked, and how its lines begin."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.decoder = msgspec.json.Decoder(table.row_type())
        self.prefix: bytes | None = None
        # A pattern is a call into Python for each value, which costs more than decoding the whole row in C; so many
        # rows are decoded without it, and the texts of a column are matched together.
        self._quick = msgspec.json.Decoder(table.row_type(decimals_as_text=True))
        self._decimals = [attrgetter(f"c{i}") for i, column in enumerate(table.columns) if column.type is Type.DECIMAL]

    def fits(self, data: bytes, count: int) -> bool:
        """Whether `data` is `count` records of this stream; what exactly is wrong is `decoder`'s to say."""
        try:
            rows = self._quick.decode_lines(data)
        except _BROKEN:
            return False
        return len(rows) == count and all(_are_decimals(map(get, rows)) for get in self._decimals)


class Reader:
    """Cuts lines out of blocks and turns them into events; the first broken line raises WireError.

    Holds at most one line of `line_limit` bytes beside the block given.
    """

    def __init__(self, *, line_limit: int = LINE_LIMIT) -> None:
        self._limit = line_limit
        self._carry = bytearray()
        self._line = 0
        self._streams: dict[str, _Stream] = {}
        self._last: _Stream | None = None
        self._schemas = 0
        self._errors = 0
        self._columns = 0

    @property
    def line(self) -> int:
        """The number of the last line that was read, counted from 1."""
        return self._line

    def feed(self, block: bytes) -> Iterator[Event]:
        """The events of all lines that `block` completes."""
        end = block.rfind(b"\n") + 1
        if not end:
            self._keep(block)
            return
        lines = b"".join((self._carry, memoryview(block)[:end])) if self._carry else block[:end]
        self._carry.clear()
        yield from self._events(lines)
        self._keep(block[end:])

    def finish(self) -> None:
        """Raise WireError if the stream of bytes ended in the middle of a line."""
        if self._carry:
            raise WireError(
                f"the output ends in the middle of a line, after {len(self._carry)} bytes of it",
                line=self._line + 1,
                stream=_stream_in(self._carry),
            )

    def _keep(self, rest: bytes) -> None:
        self._carry += rest
        self._check_length(self._carry, self._line + 1)

    def _check_length(self, line: bytes | bytearray, number: int) -> None:
        if len(line) > self._limit:
            raise WireError(
                f"a line of at least {len(line):,} bytes is over the limit of {self._limit:,} bytes",
                line=number,
                stream=_stream_in(line),
            )

    def _events(self, lines: bytes) -> Iterator[Event]:
        count = lines.count(b"\n")
        last = self._last
        if last is not None:
            rows = self._check_alike(last, lines, count)
            if rows is not None:
                yield rows
                return
        yield from self._grouped(lines.split(b"\n")[:-1])

    def _grouped(self, lines: Sequence[bytes]) -> Iterator[Event]:
        """The same for lines of several kinds: neighbours that begin alike are gathered and checked together."""
        at = 0
        while at < len(lines):
            last = self._last
            end = at
            if last is not None and last.prefix is not None:
                prefix = last.prefix
                while end < len(lines) and lines[end].startswith(prefix) and lines[end].endswith(b"}}"):
                    end += 1
            if end > at:
                assert last is not None
                rows = self._check_alike(last, b"\n".join(lines[at:end]) + b"\n", end - at)
                if rows is not None:
                    yield rows
                else:
                    for line in lines[at:end]:
                        yield self._one(line)
                at = end
            else:
                yield self._one(lines[at])
                at += 1

    def _check_alike(self, stream: _Stream, lines: bytes, count: int) -> Rows | None:
        """The rows of lines that all begin with the stream's prefix; None where a closer look is needed.

        A raw newline cannot stand inside a JSON text, so cutting the prefix after each newline and one brace before it
        leaves exactly the records. By how much shorter that makes them tells that it was cut at every newline.
        """
        prefix = stream.prefix
        if prefix is None or not lines.startswith(prefix) or not lines.endswith(b"}}\n"):
            return None
        body = lines[len(prefix) - 1 : -2]
        records = body.replace(b"}\n" + prefix, b"\n{")
        if len(body) - len(records) != len(prefix) * (count - 1):
            return None
        data = records + b"\n"
        if not stream.fits(data, count) or not _is_text(data):
            return None
        self._line += count
        return Rows(stream.table.name, count, data)

    def _one(self, line: bytes) -> Event:
        self._line += 1
        self._check_length(line, self._line)
        try:
            kind = _TYPE.decode(line).type
        except _BROKEN as cause:
            raise WireError(f"not a message: {_told(cause)}", line=self._line, stream=_stream_in(line)) from cause
        if kind == "RECORD":
            return self._record(line)
        if kind == "ACTIVATE_VERSION":
            return Notice("ACTIVATE_VERSION is not used here: rows are merged by key, or replaced by region")
        decoder = _LINES.get(kind)
        if decoder is None:
            raise WireError(f"a message of type {kind!r} is not understood", line=self._line, stream=_stream_in(line))
        try:
            message = decoder.decode(line)
        except _BROKEN as cause:
            sentence = f"a broken {kind} message: {_told(cause)}"
            raise WireError(sentence, line=self._line, stream=_stream_in(line)) from cause
        if isinstance(message, SchemaLine):
            self._schemas += 1
            self._bound(len(line) > LONGEST_SCHEMA, f"a SCHEMA is longer than {LONGEST_SCHEMA:,} bytes")
            self._bound(self._schemas > MOST_SCHEMAS, f"there are more than {MOST_SCHEMAS:,} SCHEMA lines")
            return self._schema(message)
        if isinstance(message, StateLine):
            return self._state(message)
        self._errors += 1
        self._bound(len(line) > LONGEST_ERROR, f"an ERROR is longer than {LONGEST_ERROR:,} bytes")
        self._bound(self._errors > MOST_ERRORS, f"there are more than {MOST_ERRORS:,} ERROR lines")
        return Failure(message)

    def _bound(self, exceeded: bool, sentence: str, stream: str | None = None) -> None:
        if exceeded:
            raise WireError(f"{sentence}, which is the bound", line=self._line, stream=stream)

    def _schema(self, message: SchemaLine) -> Schema:
        properties = message.schema.get("properties")
        name, columns = message.stream, len(properties) if isinstance(properties, dict) else 0
        former = self._streams.get(name)
        self._columns += columns - (len(former.table.columns) if former else 0)
        self._bound(columns > MOST_COLUMNS, f"it has more than {MOST_COLUMNS:,} columns", name)
        self._bound(
            former is None and len(self._streams) >= MOST_STREAMS, f"there are more than {MOST_STREAMS:,} streams", name
        )
        sentence = f"all streams have more than {MOST_COLUMNS_TOGETHER:,} columns together"
        self._bound(self._columns > MOST_COLUMNS_TOGETHER, sentence, name)
        bookmark = message.bookmark_properties
        try:
            table = table_of(message.stream, message.schema, message.key_properties, bookmark[0] if bookmark else None)
        except SchemaError as cause:
            raise WireError(str(cause), line=self._line, stream=message.stream) from cause
        except RecursionError as cause:
            raise WireError("its schema is nested too deeply", line=self._line, stream=message.stream) from cause
        self._streams[message.stream] = _Stream(table)
        self._last = None
        return Schema(table)

    def _state(self, message: StateLine) -> State:
        replaces = message.replaces if isinstance(message.replaces, Replaces) else None
        if replaces is not None and replaces.stream not in self._streams:
            raise WireError(
                f"a STATE replaces a region of {replaces.stream!r}, which has no SCHEMA yet", line=self._line
            )
        if replaces is not None:
            try:
                check_region(self._streams[replaces.stream].table, replaces)
            except SchemaError as cause:
                raise WireError(str(cause), line=self._line, stream=replaces.stream) from cause
        whole, patch = message.value, message.patch
        if isinstance(whole, UnsetType) == isinstance(patch, UnsetType):
            raise WireError("a STATE has either a `value`, which is all of it, or a `patch`", line=self._line)
        is_patch = not isinstance(patch, UnsetType)
        value = b"".join(bytes(text) for text in (whole, patch) if not isinstance(text, UnsetType))
        if not _is_text(value):
            raise WireError("the state is not UTF-8", line=self._line)
        excess = state_excess(value)
        self._bound(excess is not None, excess or "")
        return State(value, replaces, is_patch=is_patch)

    def _record(self, line: bytes) -> Rows:
        try:
            message = _RECORD.decode(line)
        except _BROKEN as cause:
            sentence = f"a broken RECORD message: {_told(cause)}"
            raise WireError(sentence, line=self._line, stream=_stream_in(line)) from cause
        stream = self._streams.get(message.stream)
        if stream is None:
            raise WireError("a record before the SCHEMA of its stream", line=self._line, stream=message.stream)
        record = bytes(message.record)
        try:
            stream.decoder.decode(record)
        except _BROKEN as cause:
            raise WireError(_sentence(cause), line=self._line, stream=message.stream) from cause
        if not _is_text(record):
            raise WireError("the record is not UTF-8", line=self._line, stream=message.stream)
        self._learn(stream, line, record)
        return Rows(message.stream, 1, record.replace(b"\r", b"") + b"\n")

    def _learn(self, stream: _Stream, line: bytes, record: bytes) -> None:
        """Remember how the lines of a stream begin, if a record is the last thing in them."""
        end = len(line) - len(record) - 1
        self._last = stream
        stream.prefix = line[:end] + b"{" if line.endswith(record + b"}") and record.startswith(b"{") else None


def _are_decimals(values: Iterable[str | None]) -> bool:
    texts = [text for text in values if text is not None]
    joined = "\n".join([*texts, ""])
    return joined.count("\n") == len(texts) and _DECIMALS.fullmatch(joined) is not None


def _is_text(data: bytes) -> bool:
    """msgspec looks at the bytes of strings that it decodes, and not inside a column of type JSON."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _stream_in(line: bytes | bytearray) -> str | None:
    found = _STREAM.search(line, 0, 4096)
    return found.group(1).decode(errors="replace") if found else None


def _told(cause: Exception) -> str:
    if isinstance(cause, RecursionError):
        return f"JSON of more than {MOST_LEVELS:,} levels, which is the bound"
    return str(cause)


def _sentence(cause: Exception) -> str:
    """msgspec's finding with the column first: "column 'clicks': expected `int`, got `float`"."""
    text = _told(cause)
    found = _COLUMN.search(text)
    if found is None:
        return text
    reason = text[: found.start()]
    reason = reason[0].lower() + reason[1:]
    return f"column {found.group(1)!r}: {reason}" if found.group(1) else reason
