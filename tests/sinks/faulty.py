"""Something between a client and a server that sometimes goes wrong: busy, gone, or silent, as a test wants it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import frozen


class Fault(Enum):
    BUSY = auto()
    """503, and the server never hears of it."""
    GONE = auto()
    """The connection ends, and the server never hears of it."""
    PART_BUSY = auto()
    """The batch is taken, and its first operation is answered with 503."""
    HALF = auto()
    """The server does it, and its answer breaks off in the middle."""
    UNANSWERED = auto()
    """The server does it, and its answer is lost."""
    SILENT = auto()
    """Nothing happens until the proxy is closed."""


@frozen
class Request:
    method: str
    path: str
    body: bytes

    @property
    def is_batch(self) -> bool:
        return self.path.endswith("$batch")


class Proxy:
    """Listens on `port`; `plan` is asked about each request what goes wrong with it, and may be changed at any time."""

    def __init__(self, target: int) -> None:
        self.plan: Callable[[Request], Fault | None] = lambda request: None
        self.requests: list[Request] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path.partition("?")[0], body)
                outer.requests.append(request)
                fault = outer.plan(request)
                if fault is Fault.SILENT:
                    outer.released.wait()
                if fault in (Fault.SILENT, Fault.GONE):
                    self.close_connection = True
                elif fault is Fault.BUSY:
                    self.answer(503, {"Content-Type": "application/json"}, BUSY)
                elif fault is Fault.PART_BUSY:
                    self.answer(202, {"Content-Type": "multipart/mixed; boundary=b"}, PART_BUSY)
                else:
                    self.forward(body, fault)

            def forward(self, body: bytes, fault: Fault | None) -> None:
                connection = http.client.HTTPConnection("127.0.0.1", target, timeout=60)
                try:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    response = connection.getresponse()
                    content = response.read()
                finally:
                    connection.close()
                self.close_connection = fault is not None
                if fault is not Fault.UNANSWERED:
                    self.answer(response.status, dict(response.getheaders()), content, half=fault is Fault.HALF)

            def answer(self, status: int, headers: dict[str, str], content: bytes, *, half: bool = False) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(content[: len(content) // 2] if half else content)

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = handle_any  # noqa: N815 - http.server dictates the names

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def batches(self) -> list[Request]:
        return [request for request in self.requests if request.is_batch]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


BUSY = b'{"odata.error":{"code":"ServerBusy","message":{"lang":"en-US","value":"The server is busy."}}}'
PART_BUSY = (
    b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    b"--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n" + BUSY + b"\r\n--c--\r\n--b--\r\n"
)


def first(count: int, fault: Fault, when: Callable[[Request], bool] = lambda request: True) -> Callable[..., Any]:
    """A plan in which the first `count` requests that are meant go wrong."""
    left = [count]

    def plan(request: Request) -> Fault | None:
        if left[0] and when(request):
            left[0] -= 1
            return fault
        return None

    return plan
