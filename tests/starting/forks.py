"""Imports a program once and forks it as often as it is wanted, see `starting.py`.

Started as `python forks.py SOCKET ENTRY PACKAGE MODULE...`: the descriptor of a socket that takes orders, the module
whose `main` is the program, a package whose modules are all imported, and more modules. An order is a JSON object with
`arguments`, `directory`, `environment`, `new_session`, `umask`, resource `limits` and `ignored` signals, and comes with
the descriptors of the three standard streams; the answer is the process id. This process ends with the socket.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
from importlib import import_module
from typing import Any

LARGEST = 1024 * 1024


def import_all(package: str) -> None:
    module = import_module(package)
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        if not found.name.endswith("__main__"):
            import_module(found.name)


def next_order(descriptor: int) -> tuple[dict[str, Any], list[int]] | None:
    """What a new process is for, in that process; None in this one, when the socket has ended."""
    orders = socket.socket(fileno=descriptor)
    while True:
        message, streams, _, _ = socket.recv_fds(orders, LARGEST, 3)
        if not message:
            return None
        told, telling = os.pipe()
        between = os.fork()
        if not between:
            process = os.fork()
            if not process:
                orders.detach()  # or its number would be closed once more when it is somebody else's
                return json.loads(message), streams
            os.write(telling, str(process).encode())
            os._exit(0)
        os.waitpid(between, 0)
        orders.send(os.read(told, 32))
        for each in (told, telling, *streams):
            os.close(each)


def become(order: dict[str, Any], streams: list[int]) -> None:
    """Be what an interpreter is that was started for this."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 256)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["new_session"]:
        os.setsid()
    os.umask(order["umask"])
    for number, limits in order["limits"].items():
        resource.setrlimit(int(number), limits)
    for number in order["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    tempfile.tempdir = None
    sys.argv = order["arguments"]
    sys.stdin = os.fdopen(0, errors="surrogateescape")
    sys.stdout = os.fdopen(1, "w", errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


def leave(status: Any) -> None:
    """End as an interpreter does, but do not take apart what was imported, which DuckDB would complain about."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    given, entry, packages = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    del sys.path[0]
    main = import_module(entry).main
    import_all(packages[0])
    for name in packages[1:]:
        import_module(name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
    gc.freeze()  # or the first collection of each process would copy all of it
    ordered = next_order(given)
    if ordered is None:
        os._exit(0)
    else:
        become(*ordered)
        try:
            main()
        except SystemExit as end:
            leave(end.code)
