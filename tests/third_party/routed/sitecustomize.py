"""Imported by Python at its start, where this directory is in PYTHONPATH: vendors' hosts are on 127.0.0.1.

ROUTES maps the ends of host names to ports, `bingads.microsoft.com=8080,login.microsoftonline.com=8080`. Connections by
https to these go there in plain HTTP, those to any other host are refused: somebody else's program runs as it is, and
cannot reach the Internet.

LONGEST_SLEEP shortens its waits to so many seconds, where it waits for a platform longer than a test can.
"""

from __future__ import annotations

import http.client
import os
import socket
import time
from typing import Any

ROUTES = dict(each.split("=") for each in os.environ.get("ROUTES", "").split(",") if each)


def connect(connection: Any) -> None:
    """Stands in for `connect` of both HTTPSConnection classes."""
    for end, port in ROUTES.items():
        if connection.host == end or connection.host.endswith(f".{end}"):
            connection.sock = socket.create_connection(("127.0.0.1", int(port)), 30)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.is_verified = True
            return
    raise OSError(f"{connection.host} is not routed")


if ROUTES:
    http.client.HTTPSConnection.connect = connect
    try:
        import urllib3.connection
    except ImportError:
        pass
    else:
        urllib3.connection.HTTPSConnection.connect = connect

if "LONGEST_SLEEP" in os.environ:
    sleep, longest = time.sleep, float(os.environ["LONGEST_SLEEP"])
    time.sleep = lambda seconds: sleep(min(seconds, longest))
