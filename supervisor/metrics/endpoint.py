"""`/metrics` over HTTP, on a thread of its own, answered from the record of the run as it stands."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, MetricsHandler
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from supervisor.config.schema import PlatformConfig
from supervisor.metrics.families import platform_metrics, run_metrics
from supervisor.record.log import log
from supervisor.record.run_record import RunRecord

_CLIENT_SECONDS = 10
_POLL_SECONDS = 0.05


class Endpoint:
    """Serves from its making until `close`; raises OSError where it cannot listen."""

    def __init__(
        self, host: str, port: int, configs: Mapping[str, PlatformConfig], read: Callable[[], RunRecord]
    ) -> None:
        registry = CollectorRegistry()
        registry.register(_Live(configs, read))
        handler = type("Handler", (_Handler,), {"registry": registry})
        self._server = _Server(host, port, handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="metrics", daemon=True
        )
        self._thread.start()
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self._server.server_address[1]}/metrics"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Live(Collector):
    def __init__(self, configs: Mapping[str, PlatformConfig], read: Callable[[], RunRecord]) -> None:
        self._configs = configs
        self._read = read

    def collect(self) -> Iterator[Metric]:
        run = self._read()
        yield from run_metrics(run)
        yield from platform_metrics(run, self._configs, self._configs)


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, port: int, handler: type[MetricsHandler]) -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        # HTTPServer's would ask the name service for this host's name, which may take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        log.debug("A request for the metrics of %s failed: %s", client_address, sys.exc_info()[1])


class _Handler(MetricsHandler):
    timeout = _CLIENT_SECONDS

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        if urlsplit(self.path).path in ("/", "/metrics"):
            super().do_GET()
        else:
            self.send_error(404)
