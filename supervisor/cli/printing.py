"""Lines on standard output, whatever its encoding is, and whether or not somebody still reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress


def print_lines(lines: Iterable[str]) -> None:
    """Print each; a reader that has seen enough does not keep the work behind the lines from being done."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    for line in lines:
        with suppress(BrokenPipeError):
            print(line)  # noqa: T201 - a command line answers
