"""Forks servers of Google's sandbox from one process that has imported the SDK's messages, which takes a second.

Started as `python server_forks.py SOCKET`, the descriptor of a socket that takes messages: each is a JSON object with
the `arguments` of `sandbox.serve` and the `environment`, together with the descriptors of the server's standard input
and output. A server says `ended 0` as its last line when it has ended well. This process ends with the socket.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from importlib import import_module

import sandbox.google.server
from sandbox import serve
from sandbox.google.services import NEWEST

LARGEST = 1024 * 1024


def become_server(arguments: list[str], environment: dict[str, str], standard: list[int]) -> None:
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["sandbox.serve", *arguments]
    serve.main()
    print("ended 0", flush=True)


def main() -> None:
    for name in ("services.types.google_ads_service", "errors.types.errors"):
        import_module(f"google.ads.googleads.{NEWEST}.{name}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        while True:
            message, descriptors, _, _ = socket.recv_fds(orders, LARGEST, 2)
            if not message:
                return
            if not os.fork():
                orders.close()
                become_server(**json.loads(message), standard=descriptors)
                return
            for descriptor in descriptors:
                os.close(descriptor)


if __name__ == "__main__":
    assert sandbox.google.server.FAULTS
    main()
