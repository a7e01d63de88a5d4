"""The pipeline's end of the wire: the process's original standard output, carrying nothing but messages."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any

import msgspec

from wire.messages import ErrorLine, Replaces
from wire.schema import Table

Row = Mapping[str, Any] | msgspec.Struct
"""A record: a mapping by column, or a struct with the columns as its fields, which is made and encoded faster."""

FLUSH_BYTES = 256 * 1024
GATHER_BYTES = 32 * 1024 * 1024
BATCH_ROWS = 500
STATE_VARIABLE = "WIRE_STATE"
PATCH = "patch"


class Gathered:
    """Encoded rows of one stream that wait to be sent."""

    def __init__(self, memory: int) -> None:
        self.count = 0
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=memory)  # noqa: SIM115 - closed when sent


class Channel:
    """Writes messages to a file descriptor; rows are gathered and leave in blocks, every other message at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._encoder = msgspec.json.Encoder(decimal_format="string")
        self._waiting = bytearray()
        self.gather_bytes = GATHER_BYTES

    def schema(self, table: Table) -> None:
        """Announce a stream; must come before its first row."""
        line: dict[str, Any] = {
            "type": "SCHEMA",
            "stream": table.name,
            "schema": table.json_schema(),
            "key_properties": list(table.key),
        }
        if table.replication_key:
            line["bookmark_properties"] = [table.replication_key]
        self._write(line)

    def records(self, stream: str, rows: Iterable[Row]) -> int:
        """Send rows, a few hundred at a time, and return how many there were. Decimals leave as strings, exactly."""
        return self._encode(stream, rows, self._pass_on)

    def _encode(self, stream: str, rows: Iterable[Row], write: Callable[[bytes], object]) -> int:
        head = b'{"type":"RECORD","stream":' + self._encoder.encode(stream) + b',"record":'
        between = b"}\n" + head
        count = 0
        for batch in _batches(rows):
            # A raw newline cannot stand inside a JSON text, so each one here is the end of a record.
            body = self._encoder.encode_lines(batch)
            write(head + body[:-1].replace(b"\n", between) + b"}\n")
            count += len(batch)
        return count

    def _pass_on(self, block: bytes) -> None:
        self._waiting += block
        if len(self._waiting) >= FLUSH_BYTES:
            self.flush()

    def gather(self, stream: str, rows: Iterable[Row]) -> Gathered:
        """Encode rows without sending them, so that a source that breaks half-way has sent nothing.

        Up to `gather_bytes` wait in memory, more in a temporary file.
        """
        gathered = Gathered(self.gather_bytes)
        try:
            gathered.count = self._encode(stream, rows, gathered.file.write)
        except BaseException:
            gathered.file.close()
            raise
        return gathered

    def send(self, gathered: Gathered) -> None:
        """Send gathered rows, once."""
        with gathered.file as file:
            file.seek(0)
            while block := file.read(FLUSH_BYTES):
                self._waiting += block
                self.flush()

    def state(self, value: Mapping[str, Any], replaces: Replaces | None = None) -> None:
        """Say that everything sent so far is complete; with `replaces`, that it is all of a region."""
        self._state("value", value, replaces)

    def patch_state(self, patch: Mapping[str, Any], replaces: Replaces | None = None) -> None:
        """The same, saying only what changes of the state: a JSON Merge Patch (RFC 7386); see `takes_patches`."""
        self._state("patch", patch, replaces)

    def _state(self, how: str, what: Mapping[str, Any], replaces: Replaces | None) -> None:
        line: dict[str, Any] = {"type": "STATE", how: what}
        if replaces is not None:
            line["replaces"] = replaces
        self._write(line)
        self.flush()

    def error(self, error: ErrorLine) -> None:
        """Report a failure, just before the pipeline ends or gives up one account."""
        self._write(error)
        self.flush()

    def flush(self) -> None:
        """Hand everything gathered to the reader; blocks while the reader is busy."""
        view = memoryview(self._waiting)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self._waiting = bytearray()

    def write_line(self, value: object) -> None:
        """Send any JSON value as a line of its own, at once; `--discover` prints its catalog so."""
        self._write(value)
        self.flush()

    def _write(self, message: object) -> None:
        self._waiting += self._encoder.encode(message) + b"\n"


def takes_patches() -> bool:
    """Whether the reader understands patches of a state: the supervisor says so, a Singer target does not."""
    return os.environ.get(STATE_VARIABLE) == PATCH


def open_channel() -> Channel:
    """Take standard output for the wire and point descriptor 1 at standard error.

    Call it before importing an SDK: whatever a library prints afterwards, from Python or from C, lands in the log.
    """
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.set_inheritable(descriptor, False)
    os.dup2(2, 1)
    return Channel(descriptor)


def _batches(rows: Iterable[Row]) -> Iterable[Sequence[Row]]:
    left = iter(rows)
    while batch := list(itertools.islice(left, BATCH_ROWS)):
        yield batch
