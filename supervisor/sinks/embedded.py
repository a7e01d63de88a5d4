"""Every DuckDB that the supervisor opens: with nothing switched on that rows do not need.

Nothing outside the rows may have a say in them: no extension is looked for, fetched or loaded by a name in a statement,
no name in a statement is looked up among Python's variables, times are UTC whatever the machine's zone is, and one
thread keeps rows in their order. And no statement reaches further than the rows: it can read and write the database
itself and the files of one directory, and change no setting.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.sinks.quoting import quoted, text

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "192MiB"
_NOWHERE = os.devnull  # what has no files in it, as no home that somebody prepared would
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": MEMORY_LIMIT,
    "threads": 1,  # more would share out small files at a higher price than the work itself
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "preserve_insertion_order": True,
    "home_directory": _NOWHERE,
    "extension_directory": _NOWHERE,
}


def connect(
    path: Path | None,
    *,
    read_only: bool = False,
    files: Path | None = None,
    beside: Mapping[str, Path] | None = None,
    later: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open a file, or without one a database in memory, which spills into `files`. Raises what DuckDB raises.

    Statements can read and write what lies below `files`, and no other file than the database's own, and read those
    that are open `beside` it under these names; and they can attach one database `later`.
    """
    import duckdb  # noqa: PLC0415 - it loads only when it is used

    spill = {} if path or files is None else {"temp_directory": str(files.absolute() / f".spill-{uuid.uuid4().hex}")}
    connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config={**SETTINGS, **spill})
    if connection.execute("SELECT current_setting('lock_configuration')").fetchone() == (True,):
        return connection  # this process has the file open, and all its connections have the settings of the first
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    for alias, other in (beside or {}).items():
        connection.execute(f"ATTACH {text(str(other.absolute()))} AS {quoted(alias)} (READ_ONLY)")
    if files is not None:
        connection.execute(f"SET GLOBAL allowed_directories = [{text(str(files.absolute()))}]")
    if later is not None:
        allowed = (text(f"{later.absolute()}{ending}") for ending in ("", ".wal"))
        connection.execute(f"SET GLOBAL allowed_paths = [{', '.join(allowed)}]")
    connection.execute("SET GLOBAL enable_external_access = false")
    connection.execute("SET GLOBAL lock_configuration = true")
    return connection


def temporary_files() -> Path:
    """Where everything that is staged lies, when nothing more is known."""
    return Path(tempfile.gettempdir())
