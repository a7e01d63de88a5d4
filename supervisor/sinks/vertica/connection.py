"""One connection to Vertica, through vertica-python: opened, used by one thread, and ended from any other.

vertica-python's `connection_timeout` is the time limit of every single read and write, so no statement waits for ever.
After a loss in the middle of COPY it would open a bare socket, without a login, and wait there; here it may not.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from vertica_python import errors  # type: ignore[import-untyped]  # vertica-python has no py.typed
from vertica_python.vertica.connection import Connection  # type: ignore[import-untyped]  # as above

from supervisor.config.environment import TlsMode, VerticaAccess
from supervisor.config.errors import SinkError
from supervisor.record.log import log
from supervisor.sinks.vertica.refusals import LostError, addresses, lost, no_login, refused

PRODUCT = "social-ads-orchestrator"
SHORT_SECONDS = 30.0  # a node that is down is noticed long before the time that a load may take
_BUFFER_BYTES = 1024 * 1024
_FAILURES = (errors.Error, OSError, struct.error)


def label(purpose: str, started: dt.datetime | None = None) -> str:
    """What v_monitor.sessions shows as client_label: who is connected, since when, and what for."""
    moment = (started or dt.datetime.now(dt.UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{PRODUCT} {os.getpid()}@{socket.gethostname()} {moment} {purpose}"


class Link:
    """A connection that `open` makes. Every verb but `close` and `interrupt` raises SinkError.

    One statement is executed at a time, as errors of any but the first of several would go unseen. Autocommit is off.
    """

    def __init__(self, access: VerticaAccess, label: str) -> None:
        self.access = access
        self._label = label
        self._wire: _Wire | None = None
        self._handle: socket.socket | None = None

    def open(self) -> None:
        """Log in at the first node that answers."""
        options = self._options()
        try:
            self._wire = _Wire(options, self._keep_handle)
        except _FAILURES as cause:
            self.close()
            raise no_login(cause, self.access) from cause
        self._wire.allow(self.access.timeout)
        if self._wire.parameters.get("standard_conforming_strings") == "off":
            self.run("SET STANDARD_CONFORMING_STRINGS TO ON", "read backslashes as such")

    @property
    def is_encrypted(self) -> bool:
        return self._wire is not None and bool(self._wire.ssl())

    def run(self, statement: str, doing: str) -> list[tuple[Any, ...]]:
        """Execute one statement and fetch all of its rows; `doing` completes `asked to ...` in an error."""
        with self._guarded(doing) as wire:
            cursor = wire.cursor().execute(statement)
            return [tuple(row) for row in cursor.fetchall()]

    def count(self, statement: str, doing: str) -> int:
        """The one number that a statement answers with: INSERT and DELETE with their rows."""
        rows = self.run(statement, doing)
        return int(rows[0][0]) if rows else 0

    def copy(self, statement: str, data: IO[bytes], doing: str) -> None:
        """Execute a COPY ... FROM STDIN, sending `data`."""
        with self._guarded(doing) as wire:
            wire.cursor().copy(statement, data, buffer_size=_BUFFER_BYTES)

    def expect_short_answers(self) -> None:
        """From now on ask only what is answered at once, and wait no longer than for a login."""
        if self._wire is not None:
            self._wire.allow(min(SHORT_SECONDS, self.access.timeout))

    def roll_back(self) -> None:
        """Undo what is not committed; a lost connection has done so by itself."""
        with suppress(SinkError):
            self.run("ROLLBACK", "roll back")

    def interrupt(self) -> None:
        """From any thread: end what is waited for, connecting too. The connection is of no use afterwards."""
        handle = self._handle
        if handle is not None:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._wire is not None:
            with suppress(*_FAILURES):
                self._wire.close()
        self._wire = None
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[_Wire]:
        if self._wire is None:
            raise LostError(f"the connection to Vertica on {addresses(self.access)} was lost before it could {doing}")
        try:
            yield self._wire
        except errors.QueryError as cause:
            raise refused(cause, doing) from cause
        except _FAILURES as cause:
            self.close()
            raise lost(cause, doing, self.access) from cause

    def _keep_handle(self, handle: socket.socket) -> None:
        """A second descriptor of the connection, which stays valid however TLS wraps the first one."""
        former, self._handle = self._handle, handle
        if former is not None:
            former.close()

    def _options(self) -> dict[str, Any]:
        access = self.access
        options = {
            "host": access.host,
            "port": access.port,
            "database": access.database,
            "user": access.user,
            "password": access.password,
            "backup_server_node": list(access.backup_nodes),
            "session_label": self._label,
            "connection_timeout": min(SHORT_SECONDS, access.timeout),
            "autocommit": False,
        }
        if access.tls_mode in (TlsMode.DISABLE, TlsMode.PREFER):
            return {**options, "tlsmode": access.tls_mode.value}
        return {**options, "ssl": _tls(access)}


def _tls(access: VerticaAccess) -> ssl.SSLContext:
    """Without a CA file this one trusts whom the system does, where vertica-python's own would trust nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = access.tls_mode is TlsMode.VERIFY_FULL
    if access.tls_mode is TlsMode.REQUIRE:
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if access.ca_file is not None:
            context.load_verify_locations(cafile=access.ca_file)
        else:
            context.load_default_certs()
    except OSError as cause:
        raise SinkError(f"VERTICA_CA_FILE={access.ca_file} holds no certificates: {cause.strerror or cause}") from cause
    return context


class _Wire(Connection):  # type: ignore[misc]  # vertica-python's classes are untyped
    """vertica-python's connection, without its second socket and without its warnings."""

    def __init__(self, options: dict[str, Any], keep_handle: Callable[[socket.socket], None]) -> None:
        self._keep_handle = keep_handle
        self._open = False
        try:
            super().__init__(options)
        except BaseException:
            if self.socket is not None:  # a refused login leaves it open
                self.close_socket()
            raise
        self._open = True

    def allow(self, seconds: float) -> None:
        """From now on, a read or a write may take so long."""
        self.socket.settimeout(seconds)

    def create_socket(self, family: int) -> socket.socket:
        made: socket.socket = super().create_socket(family)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the end of a COPY must not wait for an answer
        self._keep_handle(made.dup())
        return made

    def _socket(self) -> socket.socket:
        if self._open and self.socket is None:
            raise errors.ConnectionError("the server closed the connection")
        made: socket.socket = super()._socket()
        return made

    def notice_handler(self, notice: Any) -> None:
        log.debug("Vertica notes: %s", notice.message)
