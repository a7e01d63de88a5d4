"""Every DuckDB that the supervisor opens: with nothing switched on that rows do not need.

Nothing outside the rows may have a say in them: no extension is looked for, fetched or loaded by a name in a statement,
no name in a statement is looked up among Python's variables, times are UTC whatever the machine's zone is, and one
thread keeps rows in their order.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "192MiB"
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": MEMORY_LIMIT,
    "threads": 1,  # more would share out small files at a higher price than the work itself
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "preserve_insertion_order": True,
}


def connect(path: Path | None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a file, or without one a database in memory. Raises what DuckDB raises."""
    import duckdb  # noqa: PLC0415 - it loads only when it is used

    connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=dict(SETTINGS))
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection
