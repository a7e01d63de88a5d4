"""Messages of Vertica's protocol (3.x): framed, parsed and built. Nothing here knows SQL.

A message is one letter, an Int32 that counts itself and what follows, and a body; the messages before a login have no
letter. Numbers are big-endian, texts are UTF-8 that ends with a zero byte.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.vertica import types
from sandbox.vertica.errors import ServerError

NEWEST = 3 << 16 | 16
COUNTS_FILES_IN_32_BITS = 3 << 16 | 15
CANCEL, SSL, LOAD_BALANCE = 80877102, 80877103, 80936960

_LONGEST_MESSAGE = 1 << 28
_BUFFER = 1 << 20
_BINARY = (types.BOOLEAN, types.INTEGER, types.FLOAT)  # what a client that asks for binary results gets as binary


class DisconnectedError(Exception):
    """The other side is gone, or this side hung up on purpose."""


class HangingError(Exception):
    """From here on, this side neither reads nor answers."""


@dataclass(frozen=True)
class ResultColumn:
    name: str
    type: types.Type
    binary: bool = False


class Channel:
    """One connection's socket: whole messages in, whole messages out. Used by one thread."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._reader = sock.makefile("rb", buffering=_BUFFER)
        self._pending = bytearray()
        self.binary_results = False
        self.protocol = NEWEST

    def replace(self, sock: socket.socket) -> None:
        """Go on over TLS; both sides are silent at that moment, so nothing is buffered."""
        self._socket = sock
        self._reader = sock.makefile("rb", buffering=_BUFFER)

    def read_greeting(self) -> tuple[int, bytes]:
        """A message without a letter: (its code, its body)."""
        size, code = struct.unpack("!II", self._exactly(8))
        return code, self._exactly(_checked(size - 8))

    def read(self) -> tuple[bytes, bytes]:
        """(letter, body). Raises DisconnectedError at the end of the connection."""
        # vertica-python sends small messages one by one and waits for each to be acknowledged; the option wears off
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        head = self._exactly(5)
        return head[:1], self._exactly(_checked(int.from_bytes(head[1:], "big") - 4))

    def _exactly(self, size: int) -> bytes:
        try:
            got: bytes = self._reader.read(size)
        except (OSError, ValueError) as error:
            raise DisconnectedError from error
        if len(got) < size:
            raise DisconnectedError
        return got

    def raw(self, letter: bytes) -> None:
        """One letter alone: the answers to requests that precede a login."""
        self._pending += letter
        self.flush()

    def put(self, letter: bytes, body: bytes = b"") -> None:
        self._pending += letter + struct.pack("!I", len(body) + 4) + body
        if len(self._pending) > _BUFFER:
            self.flush()

    def flush(self) -> None:
        if not self._pending:
            return
        try:
            self._socket.sendall(self._pending)
        except OSError as error:
            raise DisconnectedError from error
        finally:
            self._pending.clear()

    def error(self, error: ServerError) -> None:
        fields = (letter.encode() + _text(said) for letter, said in error.fields().items())
        self.put(b"E", b"".join(fields) + b"\0")

    def parameter(self, name: str, value: object) -> None:
        self.put(b"S", _text(name) + _text(str(value)))

    def describe(self, columns: Sequence[ResultColumn]) -> None:
        """RowDescription: a pool of user types (none), then each column without a table of origin."""
        body = struct.pack("!HI", len(columns), 0)
        for position, column in enumerate(columns, 1):
            body += _text(column.name) + struct.pack("!QH", 0, position)
            kind = column.type
            body += struct.pack("!BIhHHiH", 0, kind.oid, kind.wire_size, 1, 0, kind.modifier, int(column.binary))
        self.put(b"T", body)

    def describe_parameters(self, kinds: Sequence[types.Type]) -> None:
        body = struct.pack("!H", len(kinds))
        if kinds:
            body += struct.pack("!I", 0) + b"".join(struct.pack("!BIiH", 0, k.oid, k.modifier, 0) for k in kinds)
        self.put(b"t", body)

    def row(self, values: Iterable[bytes | None]) -> None:
        body = bytearray()
        count = 0
        for value in values:
            count += 1
            body += b"\xff\xff\xff\xff" if value is None else struct.pack("!I", len(value)) + value
        self.put(b"D", struct.pack("!H", count) + body)

    def result_column(self, name: str, kind: types.Type) -> ResultColumn:
        return ResultColumn(name, kind, self.binary_results and kind.oid in _BINARY)

    def complete(self, tag: str) -> None:
        self.put(b"C", _text(tag))

    def wait_for_hang_up(self) -> None:
        """Until the client goes away, reading nothing: a server that hangs."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        poll.poll()

    def close(self) -> None:
        """At once, without a farewell."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.close()  # or it would keep the socket open, and a client that sends would not notice
        self._socket.close()


def startup_parameters(body: bytes) -> tuple[dict[str, str], int]:
    """What a startup message asks for, in any order, and the newest protocol that the client speaks."""
    asked: dict[str, str] = {}
    protocol, at = NEWEST, 0
    while at < len(body) and body[at]:
        name, at = _text_at(body, at)
        if name == "protocol_version":  # the one value that is a number
            protocol = int.from_bytes(body[at : at + 4], "big")
            at += 5
        else:
            asked[name], at = _text_at(body, at)
    return asked, protocol


def parse_message(body: bytes) -> tuple[str, str]:
    """(name of the prepared statement, its SQL)."""
    name, at = _text_at(body, 0)
    sql, _ = _text_at(body, at)
    return name, sql


def bind_message(body: bytes) -> tuple[str, str, list[object]]:
    """(portal, prepared statement, parameters); parameters come as text with the number of their type."""
    portal, at = _text_at(body, 0)
    statement, at = _text_at(body, at)
    formats, count = struct.unpack_from("!HH", body, at)
    at += 4 + 2 * formats
    oids = struct.unpack_from(f"!{count}I", body, at)
    at += 4 * count
    values: list[object] = []
    for oid in oids:
        (size,) = struct.unpack_from("!i", body, at)
        at += 4
        values.append(None if size < 0 else _parameter(oid, body[at : at + size]))
        at += max(size, 0)
    return portal, statement, values


def _parameter(oid: int, value: bytes) -> object:
    if oid in types.BYTES:
        return re.sub(rb"\\(\d{3})", lambda m: bytes([int(m[1], 8)]), value)
    text = value.decode()
    if oid == types.BOOLEAN:
        return text == "1"
    if oid == types.INTEGER and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text


def verified_files(body: bytes, protocol: int) -> list[str]:
    """The files that the client found for a COPY FROM LOCAL."""
    width = 4 if protocol >= COUNTS_FILES_IN_32_BITS else 2
    count, at = int.from_bytes(body[:width], "big"), width
    names = []
    for _ in range(count):
        name, at = _text_at(body, at)
        at += 8  # the file's size
        names.append(name)
    return names


def verify_files(files: Sequence[str], rejected: str, exceptions: str) -> bytes:
    return struct.pack("!H", len(files)) + b"".join(map(_text, (*files, rejected, exceptions)))


def write_file(name: str, content: bytes) -> bytes:
    return _text(name) + struct.pack("!I", len(content)) + content


def copy_in(columns: int) -> bytes:
    return struct.pack("!BH", 0, columns) + b"\0\0" * columns


def command_description(tag: str) -> bytes:
    return _text(tag) + struct.pack("!H", 0) + b"\0"


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape") + b"\0"


def _text_at(body: bytes, at: int) -> tuple[str, int]:
    end = body.index(b"\0", at)
    return body[at:end].decode("utf-8", "surrogateescape"), end + 1


def _checked(size: int) -> int:
    if not 0 <= size <= _LONGEST_MESSAGE:
        raise DisconnectedError
    return size
