"""The embedded default: one DuckDB file, a schema per platform, readable by any DuckDB client after the run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.config.environment import RunEnvironment
    from supervisor.sinks.duckdb.history import DuckDBHistory
    from supervisor.sinks.duckdb.sink import DuckDBSink


def open_sink(environment: RunEnvironment) -> DuckDBSink:
    from supervisor.sinks.duckdb.sink import DuckDBSink  # noqa: PLC0415 - DuckDB loads only when it is used

    return DuckDBSink(environment.duckdb_path, snapshot=environment.snapshot)


def open_history(environment: RunEnvironment) -> DuckDBHistory:
    from supervisor.sinks.duckdb.history import DuckDBHistory  # noqa: PLC0415 - as above

    return DuckDBHistory(environment.duckdb_path, environment.snapshot)


def check(environment: RunEnvironment) -> str | None:
    path = environment.duckdb_path.absolute()
    if not path.exists():
        usable = path.parent.is_dir() and os.access(path.parent, os.W_OK)
        return None if usable else f"DUCKDB_PATH: {path} cannot be created: {path.parent} is not a writable directory"
    import duckdb  # noqa: PLC0415 - as above

    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.Error as cause:
        return f"DUCKDB_PATH: {path} cannot be opened: {str(cause).splitlines()[0]}"
    return None
