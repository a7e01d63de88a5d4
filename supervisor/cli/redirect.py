"""The answer to a consent: caught where the vendor redirects the browser to, or pasted by whoever sits elsewhere.

It is caught on this machine's loopback only, and the first one counts. A browser asks for more than it was sent to (an
icon, a connection that it keeps for later), so whatever is no answer is refused and waited past. Nothing is logged: the
address of an answer holds its code.
"""

from __future__ import annotations

import errno
import html
import select
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from supervisor.config.errors import AuthorizationError

_SILENCE_SECONDS = 10
_LOOK_SECONDS = 0.5
_TRIES = 10
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>supervisor authorize</title>'
    '<body style="font-family: sans-serif; margin: 4em"><p>{}</p></body></html>'
)

Answer = Mapping[str, str]
"""The parameters that a vendor hands over: `code` and `state`, or `error` and its description."""


class Loopback:
    """Listens for one answer at `address`. Raises AuthorizationError where the port cannot be had."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._woken, self._wake = socket.socketpair()
        self._lock = threading.Lock()
        self._path = path or "/"
        self._answer: Answer | None = None
        try:
            self._servers = _listening(host, port)
        except (OSError, OverflowError) as cause:
            self._hang_up()
            reason = "is in use" if getattr(cause, "errno", 0) == errno.EADDRINUSE else f"cannot be had: {cause}"
            raise AuthorizationError(f"port {port} of {host} {reason}; --port names another") from cause
        for server in self._servers:
            server.take, server.path = self._take, self._path
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        self.address = redirect_address(host, self._servers[0].server_port, path)

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._hang_up()

    def fileno(self) -> int:
        """Readable once an answer is there."""
        return self._woken.fileno()

    @property
    def answer(self) -> Answer | None:
        with self._lock:
            return self._answer

    def _take(self, answer: Answer) -> bool:
        """Whether this answer is the first."""
        with self._lock:
            if self._answer is not None:
                return False
            self._answer = answer
            self._wake.send(b".")
            return True

    def _hang_up(self) -> None:
        self._woken.close()
        self._wake.close()


def redirect_address(host: str, port: int, path: str) -> str:
    """Where a vendor is to send the browser."""
    return f"http://{host}:{port}{path}"


def awaited(loopback: Loopback | None, seconds: float, *, typed: bool) -> Answer:
    """The answer, from `loopback` or, if it may be `typed`, from standard input, whichever comes first.

    Raises AuthorizationError where none comes in time, or can come any more.
    """
    deadline = time.monotonic() + seconds
    sources: list[Any] = [*([loopback] if loopback else []), *([sys.stdin] if typed else [])]
    while sources and (left := deadline - time.monotonic()) > 0:
        # A Ctrl-C that comes between Python and the system's wait does not end that one, so none is long.
        ready, _, _ = select.select(sources, [], [], min(left, _LOOK_SECONDS))
        if loopback in ready and loopback is not None and loopback.answer is not None:
            return loopback.answer
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                sources.remove(sys.stdin)
            elif line.strip():
                return pasted(line)
    if not sources:
        raise AuthorizationError("standard input ended without the address that the browser was sent to")
    raise AuthorizationError(f"there was no answer within {seconds:g} s; run it again, --timeout gives more time")


def pasted(text: str) -> Answer:
    """What the pasted address, its query or the bare code says; a bare code comes without a `state`."""
    text = text.strip().strip("'\"")
    query = urlsplit(text).query if "://" in text else text.partition("#")[0].lstrip("?")
    if "code=" not in query and "error=" not in query:
        if "://" in text:
            raise AuthorizationError("the pasted address has no answer in it: no code= and no error=")
        return {"code": unquote(text)}
    return {"state": "", **dict(parse_qsl(query, keep_blank_values=True))}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False
    path: str
    take: Any

    def server_bind(self) -> None:
        # HTTPServer's own asks the name server for this machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_port = self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up in mid-request is nobody's trouble."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def _listening(host: str, port: int) -> list[_Server]:
    """Servers on 127.0.0.1 and, for `localhost`, on ::1 too, which a browser may try first and others could take."""
    for left in reversed(range(_TRIES if port == 0 else 1)):
        first = _Server(("127.0.0.1", port), _Handler)
        if host != "localhost":
            break
        try:
            return [first, _Server6(("::1", first.server_port), _Handler)]
        except OSError as cause:
            if cause.errno in _NO_IPV6:
                break
            first.server_close()
            if not left:
                raise
    return [first]


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENCE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        answer = dict(parse_qsl(parts.query, keep_blank_values=True))
        if (parts.path or "/") != self.server.path:
            self._say(404, "There is nothing here.")
        elif not answer.keys() & {"code", "error"}:
            self._say(400, "This is no answer to a consent; the terminal still waits for one.")
        elif self.server.take({"state": "", **answer}):
            self._say(200, "The answer has arrived. The terminal tells what came of it; this window can be closed.")
        else:
            self._say(409, "There was an answer already; the terminal tells what came of it.")

    def log_message(self, format: str, *arguments: Any) -> None:
        """The address that a browser was sent to holds the code."""

    def _say(self, status: int, text: str) -> None:
        body = _PAGE.format(html.escape(text)).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
