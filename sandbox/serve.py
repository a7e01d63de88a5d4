"""One platform of the sandbox as a process: `python -m sandbox.serve google --size small`.

Prints one JSON line, `{"environment": {...}}`, with the variables that point the platform's pipeline here, and serves
until its standard input ends, so that it cannot outlive whoever started it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import signal
import sys
import threading
from importlib import import_module
from typing import Protocol

from sandbox.faults import Fault, Faults
from sandbox.pace import Pace, seconds
from sandbox.world import PLATFORMS, SIZES, World


class Server(Protocol):
    """What `sandbox.PLATFORM.server.serve(world, faults, pace)` returns: a server on a free port of 127.0.0.1."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables, endpoints and credentials, that a pipeline needs to use this server."""

    def close(self) -> None:
        """Stop serving."""


def start(platform: str, world: World, faults: Faults, pace: Pace) -> Server:
    """Start one platform's server in this process; each keeps its own imports."""
    server: Server = import_module(f"sandbox.{platform}.server").serve(world, faults, pace)
    return server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.serve", description=__doc__)
    parser.add_argument("platform", choices=PLATFORMS)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--as-of", type=dt.datetime.fromisoformat, default=dt.datetime.now(dt.UTC), metavar="INSTANT")
    parser.add_argument("--first-day", type=dt.date.fromisoformat, metavar="DAY")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--accounts", type=int, metavar="N", help="so many accounts, whatever the size says")
    parser.add_argument("--latency", type=seconds, default=0.0, metavar="TIME", help="of each answer, such as 150ms")
    parser.add_argument("--job-seconds", type=seconds, default=0.0, metavar="TIME", help="that a report job takes")
    parser.add_argument("--throttle", action="store_true", help="hold the limits that the platform documents")
    parser.add_argument("--fault", type=Fault.parse, action="append", default=[], metavar="KIND[@AFTER[xTIMES]]")
    given = parser.parse_args()
    suffered = getattr(import_module(f"sandbox.{given.platform}.server"), "FAULTS", None)
    for fault in given.fault:
        if suffered is not None and fault.kind not in suffered:
            parser.error(f"{given.platform} cannot suffer {fault.kind}; it can {', '.join(sorted(suffered))}")
    world = World.at(given.as_of, given.size, first_day=given.first_day, seed=given.seed, accounts=given.accounts)
    pace = Pace(latency=given.latency, job_seconds=given.job_seconds, throttled=given.throttle)
    server = start(given.platform, world, Faults(given.fault), pace)
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(json.dumps({"environment": server.environment}), flush=True)  # noqa: T201 - the one line it promises

    def wait_for_end_of_input() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_end_of_input, daemon=True).start()
    over.wait()
    server.close()


if __name__ == "__main__":
    main()
