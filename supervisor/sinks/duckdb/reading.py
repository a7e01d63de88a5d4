"""Opening what a DuckDB file holds for reading, without standing in the way of a run."""

from __future__ import annotations

from pathlib import Path

import duckdb

from supervisor.config.errors import SinkError
from supervisor.sinks.embedded import connect
from supervisor.sinks.lock import holder_of
from supervisor.sinks.staging import first_line


def open_for_reading(
    database: Path, snapshot: Path | None, *, files: Path | None = None
) -> tuple[Path, duckdb.DuckDBPyConnection]:
    """The file that was opened and the connection to it, which may write below `files`; raises SinkError.

    It is the snapshot where that is as new as the database, or where a run holds the database: whoever reads the
    database keeps a run from starting, and whoever reads the snapshot does not.
    """
    database = database.absolute()
    if snapshot is not None and snapshot.exists():
        if not database.exists() or snapshot.stat().st_mtime >= _changed(database):
            return snapshot, _open(snapshot, files)
        try:
            return database, _open(database, files)
        except _HeldError:
            return snapshot, _open(snapshot, files)
    if not database.exists():
        raise SinkError(f"there is no DuckDB file {database}; no run has made it yet, or DUCKDB_PATH names another")
    return database, _open(database, files)


class _HeldError(SinkError):
    """Somebody writes the file."""


def _changed(database: Path) -> float:
    """When the database changed last; what a killed run has committed may still be in its write-ahead log."""
    log = database.with_name(database.name + ".wal")
    return max(path.stat().st_mtime for path in (database, log) if path.exists())


def _open(path: Path, files: Path | None) -> duckdb.DuckDBPyConnection:
    try:
        return connect(path, read_only=True, files=files)
    except duckdb.Error as cause:
        holder = holder_of(path, str(cause))
        if holder is not None:
            raise _HeldError(f"the DuckDB file {path} is in use by {holder}; ask again when it has ended") from cause
        raise SinkError(f"the DuckDB file {path} cannot be opened: {first_line(cause)}") from cause
