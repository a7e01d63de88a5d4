"""The embedded default: one DuckDB file, a schema per platform, readable by any DuckDB client after the run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.config.environment import RunEnvironment
    from supervisor.sinks.duckdb.history import DuckDBHistory
    from supervisor.sinks.duckdb.sink import DuckDBSink
    from supervisor.sinks.reconciling import Ask, Columns


def open_sink(environment: RunEnvironment, spools: Path | None = None) -> DuckDBSink:
    from supervisor.sinks.duckdb.sink import DuckDBSink  # noqa: PLC0415 - DuckDB loads only when it is used

    return DuckDBSink(
        environment.duckdb_path,
        snapshot=environment.snapshot,
        spools=spools,
        reporting_currency=environment.reporting_currency,
    )


def open_history(environment: RunEnvironment) -> DuckDBHistory:
    from supervisor.sinks.duckdb.history import DuckDBHistory  # noqa: PLC0415 - as above

    return DuckDBHistory(environment.duckdb_path, environment.snapshot)


@contextmanager
def opened_for_reading(environment: RunEnvironment) -> Iterator[tuple[Ask, Columns]]:
    from supervisor.sinks.duckdb.reading import open_for_reading  # noqa: PLC0415 - as above
    from supervisor.sinks.duckdb.sink import columns_of  # noqa: PLC0415 - as above

    _, connection = open_for_reading(environment.duckdb_path, environment.snapshot)
    with connection:
        yield lambda query: connection.execute(query).fetchall(), columns_of(connection)


def check(environment: RunEnvironment) -> str | None:
    from supervisor.sinks.duckdb.naming import taken_name  # noqa: PLC0415 - as above
    from supervisor.sinks.embedded import connect  # noqa: PLC0415 - as above

    path = environment.duckdb_path.absolute()
    refusal = taken_name(path)
    if refusal is not None:
        return refusal
    if not path.exists():
        usable = path.parent.is_dir() and os.access(path.parent, os.W_OK)
        return None if usable else f"DUCKDB_PATH: {path} cannot be created: {path.parent} is not a writable directory"
    from supervisor.sinks.lock import held_by, holder_of, lock_path  # noqa: PLC0415 - as above

    run = held_by(lock_path(path))
    if run is not None:  # not opened at all, or a run that ends and another that begins could meet the look
        return f"DUCKDB_PATH: {path} is in use by {run}; another run can begin when it has ended"
    import duckdb  # noqa: PLC0415 - as above

    try:
        connect(path, read_only=True).close()
    except duckdb.Error as cause:
        holder = holder_of(path, str(cause))
        if holder is not None:
            return f"DUCKDB_PATH: {path} is in use by {holder}; a run can begin when it has let go"
        return f"DUCKDB_PATH: {path} cannot be opened: {str(cause).splitlines()[0]}"
    return None
