"""`python -m bench [NAME ...]`: run the measurements named, or all, and print them as a Markdown table."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from bench.process import BenchError
from bench.result import Result
from bench.table import machine, table, write

MEASUREMENTS = (
    *("start", "load", "agency", "large", "peer", "four", "sinks"),
    *("pipelines", "accounts", "gaarf", "night", "keeping", "reconciliation", "reports", "shards", "groups"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)} (default: all)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}")
    if given.write and given.names:
        parser.error("--write keeps a whole table, so it goes with all measurements")
    results = _measured(given.names or MEASUREMENTS)
    print(f"{machine()}\n\n{table(results)}")
    if given.write:
        write(results)


def _measured(names: list[str] | tuple[str, ...]) -> list[Result]:
    results: list[Result] = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            results += import_module(f"bench.{name}").measure()
        except BenchError as error:
            sys.exit(f"error: {name}: {error}")
    return results


if __name__ == "__main__":
    main()
