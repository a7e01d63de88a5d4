"""What a target reads: SCHEMA, RECORD and STATE lines."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import msgspec
from msgspec import Raw

from wire.schema import Table, Type

BLOCK_BYTES = 1024 * 1024
_ANYTHING = ["null", "object", "array", "string", "number", "integer", "boolean"]


def schema_line(name: str, table: Table) -> bytes:
    """The SCHEMA line of a table, as most targets understand it.

    A decimal stays text with the format singer.decimal. The Meltano SDK does not know it and makes a text column, which
    is exact; as a `number` it would be a DECIMAL without scale or a float, and its own x-singer.decimal passes through
    a float in SQLite (`JSONSchemaToSQL` in singer_sdk/sql/connector.py). A JSON column names its types, because some
    targets skip a column without any, and those with a type for JSON choose it by these.
    """
    schema = table.json_schema()
    properties = {
        column.name: {"type": _ANYTHING} if column.type is Type.JSON else schema["properties"][column.name]
        for column in table.columns
    }
    line: dict[str, Any] = {
        "type": "SCHEMA",
        "stream": name,
        # Whether a record has further properties was decided before; targets that add their own may ask it again.
        "schema": {"type": "object", "properties": properties, "required": list(table.key)},
        "key_properties": list(table.key),
    }
    if table.replication_key is not None:
        line["bookmark_properties"] = [table.replication_key]
    return msgspec.json.encode(line) + b"\n"


def state_line(value: bytes) -> bytes:
    """The STATE line of a state, without the region that our wire adds: no target would act on it."""
    return msgspec.json.encode({"type": "STATE", "value": Raw(value)}) + b"\n"


class Records:
    """RECORD lines of one stream that wait for their commit, made of raw rows without looking into them.

    They are in a file without a name, in `directory`, so nothing is left behind however the process ends.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self._prefix = b'{"type":"RECORD","stream":' + msgspec.json.encode(name) + b',"record":'
        self._file = cast(IO[bytes], tempfile.TemporaryFile(dir=directory, buffering=0))  # noqa: SIM115 - `close` is ours
        self._parts: list[tuple[int, int]] = []

    def add(self, spool: Path, parts: Sequence[int] = ()) -> None:
        """Add a file of JSON lines, or of several regions that have `parts` of them each; raises OSError."""
        if len(parts) > 1:
            self._add_parts(spool, parts)
            return
        between = b"}\n" + self._prefix
        end = b"\n"
        with spool.open("rb", buffering=0) as rows:
            self._write(self._prefix)
            while block := rows.read(BLOCK_BYTES):
                self._write(block.replace(b"\n", between))
                end = block[-1:]
        if end == b"\n":
            # What follows the last newline begins a row that does not come.
            self._file.truncate(self._file.seek(-len(self._prefix), os.SEEK_END))
        else:
            self._write(b"}\n")

    def _add_parts(self, spool: Path, parts: Sequence[int]) -> None:
        """Several small regions, whose places in the file are remembered."""
        with spool.open("rb") as rows:
            for count in parts:
                begin = self._file.tell()
                self._write(b"".join(self._prefix + line.rstrip(b"\n") + b"}\n" for line in islice(rows, count)))
                self._parts.append((begin, self._file.tell()))

    def send(self, write: Callable[[bytes], None], parts: Sequence[int] | None = None) -> None:
        """Hand all of it to `write`, in big blocks; or where several regions were added, those of these numbers."""
        if self._parts and parts is not None:
            for number in parts:
                begin, end = self._parts[number]
                self._file.seek(begin)
                write(self._file.read(end - begin))
            return
        if parts == ():
            return
        self._file.seek(0)
        while block := self._file.read(BLOCK_BYTES):
            write(block)

    def close(self) -> None:
        self._file.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
