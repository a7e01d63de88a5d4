"""What a DuckDB file holds as Parquet: `platform/table/month=2026-11/data_0.parquet`, or one file without days."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb
from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.sinks.quoting import quoted, text
from supervisor.sinks.staging import first_line
from supervisor.sinks.tables import LOADED_AT

_TABLES = f"""
    SELECT schema_name, table_name, bool_or(column_name = 'date' AND data_type = 'DATE') FROM duckdb_columns()
    WHERE NOT internal AND schema_name NOT IN ('_supervisor', 'ads')
    GROUP BY ALL HAVING bool_or(column_name = {text(LOADED_AT.name)}) ORDER BY ALL
"""


@frozen
class Exported:
    """One table that was written; `directory` holds nothing else."""

    platform: str
    table: str
    rows: int
    directory: Path


def export_parquet(
    connection: duckdb.DuckDBPyConnection, directory: Path, platforms: Collection[str] = ()
) -> Iterator[Exported]:
    """Write every table of the platforms, or of all, below `directory`; raises SinkError.

    A table's directory is replaced in one step when all of it is written, so that no reader finds half of one.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=directory) as name:
            written: dict[Path, str] = {}
            for platform, table, has_days in connection.execute(_TABLES).fetchall():
                if not platforms or platform in platforms:
                    new = Path(name) / "new"
                    rows = _write(connection, f"{quoted(platform)}.{quoted(table)}", new, by_month=has_days)
                    final = directory / _path_part(platform) / _path_part(table)
                    other = written.setdefault(final, f"{platform}.{table}")
                    if other != f"{platform}.{table}":
                        raise SinkError(f"{other} and {platform}.{table} would both be written to {final}")
                    _put(new, final, Path(name) / "old")
                    yield Exported(platform=platform, table=table, rows=rows, directory=final)
    except duckdb.Error as cause:
        raise SinkError(f"the tables cannot be written to {directory}: {first_line(cause)}") from cause
    except OSError as cause:
        raise SinkError(f"the tables cannot be written to {directory}: {cause.strerror or cause}") from cause


def _write(connection: duckdb.DuckDBPyConnection, table: str, directory: Path, *, by_month: bool) -> int:
    directory.mkdir()
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    if by_month and rows:
        connection.execute(
            f"COPY (SELECT *, strftime(date, '%Y-%m') AS month FROM {table}) TO {text(str(directory))} "
            "(FORMAT parquet, PARTITION_BY (month), OVERWRITE_OR_IGNORE true)"
        )
    else:
        connection.execute(f"COPY {table} TO {text(str(directory / 'data_0.parquet'))} (FORMAT parquet)")
    return int(rows)


def _put(new: Path, final: Path, old: Path) -> None:
    final.parent.mkdir(exist_ok=True)
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _path_part(name: str) -> str:
    """A name as one part of a path: Singer taps may call a stream `a/b`, or `..`."""
    safe = name.replace("/", "_")
    return safe if safe.strip(".") else f"_{safe}"
