"""Reading a DuckDB file; any test may `from reading import reading`.

A DuckDB of its own for each look costs thirty times as much as the look: it makes all functions of SQL anew. So one DuckDB
in memory reads all files of a process, one after the other, and holds none of them longer than it is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

_names = itertools.count(1)


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a file that nobody writes: its own schemas and tables, without the name of the file."""
    name = f"read_{next(_names)}"
    with _reader().cursor() as connection:
        connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        try:
            connection.execute(f"USE {name}")
            yield connection
        finally:
            connection.execute("USE memory")
            connection.execute(f"DETACH {name}")


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})
