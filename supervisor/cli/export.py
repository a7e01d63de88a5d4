"""`supervisor export`: the tables of the DuckDB file as Parquet, for whoever reads that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command


@click.command("export", cls=Command)
@click.option("--to", type=options.PATH, required=True, metavar="DIR", help="where; made if it does not exist")
@options.only("only the tables of these platforms")
def command(to: Path, only: tuple[str, ...]) -> None:
    print_lines(_export(to, only))


def _export(directory: Path, platforms: Collection[str]) -> Iterator[str]:
    """Write the tables below a directory; a line for each. Raises ConfigError or SinkError."""
    from supervisor.config.environment import StorageType, read_environment  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as above
    from supervisor.record.readers import make_files_for  # noqa: PLC0415 - as above
    from supervisor.report.display import counted, printable  # noqa: PLC0415 - as above

    environment = read_environment()
    make_files_for(environment.readable_by)
    if environment.storage_type is not StorageType.DUCKDB:
        raise ConfigError(
            f"STORAGE_TYPE: `supervisor export` reads a DuckDB file, and rows go to {environment.storage_type} here; "
            "use the tools of that storage"
        )
    from supervisor.sinks.duckdb.parquet import export_parquet  # noqa: PLC0415 - DuckDB loads only where it is used
    from supervisor.sinks.duckdb.reading import open_for_reading  # noqa: PLC0415 - as above

    path, connection = open_for_reading(environment.duckdb_path, environment.snapshot, files=directory)
    names = set()
    with connection:
        yield f"from {path}"
        for table in export_parquet(connection, directory, platforms):
            names.add(table.platform)
            yield f"{printable(str(table.directory))}: {counted(table.rows, 'row')}"
    missing = sorted(set(platforms) - names)
    if missing or not names:
        raise ConfigError(f"the database holds no tables of {', '.join(missing) or 'any platform'}")
