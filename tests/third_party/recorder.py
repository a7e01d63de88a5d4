"""A server on 127.0.0.1 that passes requests on to another one, and remembers what they were."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Recorder:
    """From entry to exit; `requests` are the paths with their headers and, of JSON, their bodies."""

    def __init__(self, port: int) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what is asked is in `requests`."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = self.headers.get("Content-Type", "")
                decoded = json.loads(body) if kind.startswith("application/json") else None
                requests.append((self.path, dict(self.headers), decoded))
                onward = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                onward.request("POST", self.path, body, dict(self.headers))
                answer = onward.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name not in ("Server", "Date"):
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                onward.close()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port

    def __enter__(self) -> Recorder:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
