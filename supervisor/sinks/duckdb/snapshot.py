"""A copy of the database file for readers: DuckDB lets nobody read a file while a run writes it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import duckdb

from supervisor.config.errors import SinkError
from supervisor.sinks.embedded import connect
from supervisor.sinks.staging import first_line, quoted


def write_snapshot(database: Path, snapshot: Path) -> None:
    """Replace the snapshot by a copy of the closed database, in one step; raises SinkError.

    Whoever reads the former one keeps it until they close it. Whoever may read the database may read the copy,
    and nobody may write it.
    """
    log = database.with_name(database.name + ".wal")
    if log.exists() and log.stat().st_size:
        raise SinkError(
            f"{database} is not whole without {log.name}, which somebody still holds or DuckDB could not fold in"
        )
    new = snapshot.with_name(f".{snapshot.name}.new")
    try:
        with suppress(FileNotFoundError):
            new.unlink()
        new.touch(mode=0o600)
        shutil.copyfile(database, new)
        new.chmod(database.stat().st_mode & 0o444)
        _check(new, database)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(snapshot)
    except SinkError:
        with suppress(OSError):
            new.unlink()
        raise
    except OSError as cause:
        with suppress(OSError):
            new.unlink()
        raise SinkError(f"the snapshot {snapshot} cannot be written: {cause.strerror or cause}") from cause


def _check(copy: Path, database: Path) -> None:
    """Read every block of the copy, whose checksums DuckDB looks at: a broken copy must not replace a good one."""
    try:
        with connect(copy, read_only=True) as connection:
            tables = connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary"
            ).fetchall()
            for schema, table in tables:
                connection.execute(f"SELECT bit_xor(hash(t)) FROM {quoted(schema)}.{quoted(table)} t").fetchall()
    except duckdb.Error as cause:
        raise SinkError(
            f"{database} is broken ({first_line(cause)}); put a copy of it back, such as the snapshot of an earlier run"
        ) from cause
