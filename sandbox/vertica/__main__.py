"""`python -m sandbox.vertica --user etl --password-file FILE`: the double as a process.

It prints one JSON line, `{"port": N}`, and serves until its standard input ends or it gets SIGTERM. Each line of its
standard input is a JSON document that controls it, answered by one line: `{"do": "fault", "fault": {"kind": …}}` (see
sandbox.vertica.faults), `{"do": "clear"}`, `{"do": "struck"}`, `{"do": "statements"}` and `{"do": "waits"}`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import ssl
import sys
from pathlib import Path

from sandbox.vertica import login
from sandbox.vertica.database import Settings
from sandbox.vertica.faults import Fault
from sandbox.vertica.server import VerticaServer


def control(server: VerticaServer, document: dict[str, object]) -> dict[str, object]:
    """The answer to one line. Raises ValueError and TypeError for what is no order."""
    database = server.database
    match document.get("do"):
        case "fault":
            wanted = document["fault"]
            if not isinstance(wanted, dict):
                raise ValueError("a fault is an object")
            database.faults.add(Fault.from_document(wanted))
        case "clear":
            database.faults.clear()
        case "struck":
            return {"struck": list(database.faults.struck)}
        case "statements":
            return {"statements": list(database.statements)}
        case "waits":
            return {"waits": database.locks.waits, "seconds": database.locks.waited}
        case other:
            raise ValueError(f"{other!r} is no order; they are fault, clear, struck, statements and waits")
    return {"ok": True}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.vertica", description="A server double of Vertica.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", action="append", default=[], help="needs its --password-file; without users, trust")
    parser.add_argument("--password-file", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--login", choices=login.METHODS, default="sha512")
    parser.add_argument("--database", help="refuse connections to any other; without it any name will do")
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE")
    parser.add_argument("--tls-key", type=Path, metavar="FILE")
    parser.add_argument("--balance-to", metavar="HOST:PORT", help="where clients that ask for load balancing are sent")
    parser.add_argument("--lock-timeout", type=float, default=300.0, metavar="SECONDS")
    parser.add_argument("--max-sessions", type=int, default=50, metavar="COUNT")
    given = parser.parse_args()
    if len(given.user) != len(given.password_file):
        parser.error("each --user needs one --password-file")
    tls = None
    if given.tls_certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(given.tls_certificate, given.tls_key)
    host, _, port = (given.balance_to or "").rpartition(":")
    passwords = [file.read_text().rstrip("\n") for file in given.password_file]
    server = VerticaServer(
        Settings(
            users=dict(zip(given.user, passwords, strict=True)),
            login=given.login,
            database=given.database,
            tls=tls,
            balance_to=(host, int(port)) if given.balance_to else None,
            lock_timeout=given.lock_timeout,
            max_sessions=given.max_sessions,
        ),
        given.port,
    )
    signal.signal(signal.SIGTERM, lambda *_: _leave(server))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _say({"port": server.port})
    for line in sys.stdin:
        try:
            _say(control(server, json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            _say({"error": str(error)})
    _leave(server)


def _say(document: dict[str, object]) -> None:
    print(json.dumps(document), flush=True)  # noqa: T201 - the lines it promises


def _leave(server: VerticaServer) -> None:
    server.close()
    os._exit(0)  # sessions may be inside DuckDB or hang on purpose, and all data is in memory


if __name__ == "__main__":
    main()
