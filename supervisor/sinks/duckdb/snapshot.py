"""A copy of the database file for readers: DuckDB lets nobody read a file while a run writes it.

What it costs should follow what a run has changed, not the years that the file holds. Where the file system can share
blocks between files (XFS, Btrfs) the copy shares them all, and takes no time; elsewhere the kernel copies them. Of a
large copy not everything is read before it replaces the former one, only what the run has stored, and a thirtieth of
the rest, a different one each day.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from supervisor.config.errors import SinkError
from supervisor.config.units import size_text
from supervisor.record.log import log
from supervisor.sinks.embedded import connect
from supervisor.sinks.quoting import quoted, text
from supervisor.sinks.staging import first_line
from supervisor.sinks.tables import LOADED_AT

WHOLE_BYTES = 256 * 1024 * 1024
"""A file of at most this size is read whole, which takes a second."""
SLICES = 30
_FICLONE = 0x40049409
_WORTH_A_LINE = 10.0


class CopyReader:
    """A DuckDB for reading a copy to come. A thread makes it meanwhile: that takes longer than reading a small copy."""

    def __init__(self, snapshot: Path) -> None:
        self._copy = _copy_of(snapshot)
        self._made: Future[duckdb.DuckDBPyConnection] = Future()
        try:
            threading.Thread(target=self._make, daemon=True).start()
        except RuntimeError:  # the process has as many threads as it may have
            self._make()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The copy, which is there by now, open for reading, once; raises what DuckDB raises."""
        with self._made.result() as connection:
            connection.execute(f"ATTACH {text(str(self._copy.absolute()))} AS copy (READ_ONLY)")
            connection.execute("USE copy")
            yield connection

    def _make(self) -> None:
        try:
            connection = connect(None, later=self._copy)
            list(parts(connection, None, dt.date.min))  # what is looked up for the first time takes long
        except BaseException as error:  # noqa: BLE001 - it is raised where the copy is read
            self._made.set_exception(error)
        else:
            self._made.set_result(connection)


def write_snapshot(
    database: Path, snapshot: Path, *, since: dt.datetime | None = None, reader: CopyReader | None = None
) -> None:
    """Replace the snapshot by a copy of the closed database, in one step; raises SinkError.

    Whoever reads the former one keeps it until they close it. Whoever may read the database may read the copy,
    and nobody may write it. Rows stored from `since` (UTC) on are those of the run; without it all rows are read.
    `reader` is one for this snapshot, where it was made ahead.
    """
    log_file = database.with_name(database.name + ".wal")
    if log_file.exists() and log_file.stat().st_size:
        raise SinkError(
            f"{database} is not whole without {log_file.name}, which somebody still holds or DuckDB could not fold in"
        )
    new = _copy_of(snapshot)
    began = time.monotonic()
    try:
        with suppress(FileNotFoundError):
            new.unlink()
        new.touch(mode=0o600)
        _copy(database, new)
        new.chmod(database.stat().st_mode & 0o444)
        _check(new, database, since, reader or CopyReader(snapshot))
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
    if (seconds := time.monotonic() - began) >= _WORTH_A_LINE:
        log.info("The snapshot of %s took %.0f s", size_text(snapshot.stat().st_size), seconds)


def _copy_of(snapshot: Path) -> Path:
    """Where the copy lies until it has been read."""
    return snapshot.with_name(f".{snapshot.name}.new")


def _copy(database: Path, new: Path) -> None:
    """Let the new file share the blocks of the old one, or copy them where the file system cannot. Raises OSError."""
    if not _shares_blocks(database, new):
        shutil.copyfile(database, new)


def _shares_blocks(database: Path, new: Path) -> bool:
    with database.open("rb") as source, new.open("r+b") as target:
        try:
            fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        except OSError:  # a disk that is full or broken fails the copy as well
            return False
        return True


def _check(copy: Path, database: Path, since: dt.datetime | None, reader: CopyReader) -> None:
    """Read blocks of the copy, whose checksums DuckDB looks at: a broken copy must not replace a good one."""
    whole = since is None or copy.stat().st_size <= WHOLE_BYTES
    try:
        with reader.reading() as connection:
            today = dt.datetime.now(dt.UTC).date()
            for table, condition, values in parts(connection, None if whole else since, today):
                connection.execute(f"SELECT bit_xor(hash(t)) FROM {table} t {condition}", values).fetchall()
    except duckdb.Error as cause:
        raise SinkError(
            f"{database} is broken ({first_line(cause)}); put a copy of it back, such as the snapshot of an earlier run"
        ) from cause


def parts(
    connection: duckdb.DuckDBPyConnection, since: dt.datetime | None, today: dt.date
) -> Iterator[tuple[str, str, list[object]]]:
    """What is read of all tables: table, condition and its values; everything where `since` is None."""
    tables = connection.execute(
        "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE NOT internal AND NOT temporary"
    ).fetchall()
    stamped = set() if since is None else _stamped(connection)
    number = today.toordinal() % SLICES
    for schema, name, rows in tables:
        table = f"{quoted(schema)}.{quoted(name)}"
        if since is None or (schema, name) not in stamped:
            yield table, "", []
            continue
        yield table, f"WHERE {quoted(LOADED_AT.name)} >= ?", [since.replace(tzinfo=None, microsecond=0)]
        first, end = (rows * each // SLICES for each in (number, number + 1))
        if number == SLICES - 1:
            yield table, "WHERE rowid >= ?", [first]
        else:
            yield table, "WHERE rowid >= ? AND rowid < ?", [first, end]


def _stamped(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Schema and table of what is loaded by runs."""
    found = "SELECT schema_name, table_name FROM duckdb_columns() WHERE column_name = ?"
    return set(connection.execute(found, [LOADED_AT.name]).fetchall())
