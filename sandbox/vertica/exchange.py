"""How COPY's data crosses the wire: from STDIN, and from the client's own files (COPY … FROM LOCAL)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.vertica import protocol, types
from sandbox.vertica.copying import Copy
from sandbox.vertica.errors import ServerError
from sandbox.vertica.faults import Fault
from sandbox.vertica.loading import Loaded, Rejected
from sandbox.vertica.protocol import Channel, DisconnectedError, HangingError, ResultColumn

ROWS_LOADED = ResultColumn("Rows Loaded", types.Type(types.INTEGER))

_DATA, _DONE, _FAIL, _ERROR, _END_OF_BATCH = b"d", b"c", b"f", b"e", b"j"


@dataclass(frozen=True)
class Received:
    """The data of one source, in a file; `ended_by` is the letter of the message that ended it."""

    spool: Path
    has_escapes: bool
    ended_by: bytes


class Exchange:
    """One COPY statement. `new_spool` gives a fresh file; `load` puts one source's data into the table."""

    def __init__(
        self,
        channel: Channel,
        copy: Copy,
        fault: Callable[[str], Fault | None],
        new_spool: Callable[[], Path],
        load: Callable[[Received], Loaded],
    ) -> None:
        self._channel = channel
        self._copy = copy
        self._fault = fault
        self._new_spool = new_spool
        self._load = load

    def run(self, columns: int) -> Loaded:
        """All sources. Raises ServerError, after which the client awaits nothing but the error."""
        if self._copy.local:
            return self._from_client(columns)
        self._channel.put(b"G", protocol.copy_in(columns))
        received = self._receive()
        if received.ended_by == _END_OF_BATCH:
            raise ServerError("COPY: unexpected end of batch", "08P01", 2000)
        return self._load(received)

    def _from_client(self, columns: int) -> Loaded:
        copy, channel = self._copy, self._channel
        channel.put(b"F", protocol.verify_files(copy.files, copy.rejected_file, copy.exceptions_file))
        channel.flush()
        letter, body = channel.read()
        if letter != b"F":
            raise _client_error()
        accepted, rejected = 0, list[Rejected]()
        for name in protocol.verified_files(body, channel.protocol) if copy.files else [None]:
            channel.put(*((b"G", protocol.copy_in(columns)) if name is None else (b"H", name.encode() + b"\0")))
            loaded = self._one_source(name is None)
            accepted += loaded.accepted
            rejected += loaded.rejected
        if copy.files:
            channel.put(_DONE)
        return Loaded(accepted, rejected)

    def _one_source(self, is_stdin: bool) -> Loaded:
        received = self._receive()
        try:
            loaded = self._load(received)
            self._send_rejected(loaded.rejected)
            return loaded
        finally:
            self._channel.put(b"J")
            self._channel.flush()
            if is_stdin and received.ended_by == _END_OF_BATCH:
                self._channel.read()  # its CopyDone

    def _receive(self) -> Received:
        self._channel.flush()
        cut, stall = self._fault("cut_copy"), self._fault("stall_copy")
        escape = self._copy.escape.encode()
        spool, size, has_escapes = self._new_spool(), 0, False
        with spool.open("wb") as file:
            while True:
                letter, body = self._channel.read()
                if letter != _DATA:
                    break
                size += len(body)
                if cut and size >= cut.after:
                    raise DisconnectedError
                if stall and size >= stall.after:
                    raise HangingError
                has_escapes = has_escapes or (bool(escape) and escape in body)
                file.write(body)
        if letter == _FAIL:
            raise ServerError(f"COPY: {body.rstrip(bytes(1)).decode('utf-8', 'replace')}", "57014", 3322)
        if letter == _ERROR:
            raise _client_error()
        if self._fault("disk_full"):
            raise ServerError("Could not write to [/data/sandbox]: No space left on device", "53100", 2927)
        return Received(spool, has_escapes, letter)

    def _send_rejected(self, rejected: Sequence[Rejected]) -> None:
        copy = self._copy
        if not rejected:
            return
        if copy.return_rejected:
            self._write_file("", b"".join(struct.pack("<Q", r.number) for r in rejected))
        if copy.rejected_file:
            self._write_file(copy.rejected_file, "".join(f"{r.raw}\n" for r in rejected).encode())
        if copy.exceptions_file:
            said = (
                f"COPY: Input record {r.number} has been rejected ({r.reason}).  "
                f"Please see {copy.rejected_file}, record {position} for the rejected record.\n"
                for position, r in enumerate(rejected, 1)
            )
            self._write_file(copy.exceptions_file, "".join(said).encode())

    def _write_file(self, name: str, content: bytes) -> None:
        self._channel.put(b"O", protocol.write_file(name, content))


def _client_error() -> ServerError:
    return ServerError("COPY LOCAL: the client reported an error", "08000", 2000)
