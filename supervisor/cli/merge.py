"""`supervisor merge`: the DuckDB files of several shards put together into one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command


@click.command("merge", cls=Command)
@click.argument("files", type=options.PATH, nargs=-1, required=True)
@click.option("--into", type=options.PATH, metavar="FILE", help="where to; DUCKDB_PATH unless given")
def command(files: tuple[Path, ...], into: Path | None) -> None:
    """Put the DuckDB files of shards together: each account's part of a table is taken over whole."""
    print_lines(_merged(files, into))


def _merged(files: Sequence[Path], into: Path | None) -> Iterator[str]:
    """Merge, and refresh what readers see. Raises ConfigError or SinkError."""
    from supervisor.config.environment import StorageType, read_environment  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as above
    from supervisor.record.readers import make_files_for  # noqa: PLC0415 - as above
    from supervisor.report.display import counted, printable  # noqa: PLC0415 - as above
    from supervisor.sinks import open_sink  # noqa: PLC0415 - as above
    from supervisor.sinks.duckdb.merging import merge  # noqa: PLC0415 - as above
    from supervisor.sinks.duckdb.naming import taken_name  # noqa: PLC0415 - as above

    # It is about all shards, whichever the variables are of.
    environ = {name: value for name, value in os.environ.items() if name not in ("SHARD", "STORAGE_TYPE")}
    environment = read_environment({**environ, "DUCKDB_PATH": str(into)} if into else environ)
    assert environment.storage_type is StorageType.DUCKDB
    target = environment.duckdb_path.absolute()
    taken = taken_name(target)
    if taken is not None:
        raise ConfigError(taken)
    make_files_for(environment.readable_by)
    for table in merge([file.absolute() for file in files], target):
        of = f" of {counted(table.accounts, 'account')}" if table.accounts else ""
        yield f"{printable(table.name)}: {counted(table.rows, 'row')}{of}"
    sink = open_sink(environment)
    try:
        sink.publish()
    finally:
        sink.close()
    yield f"{counted(len(files), 'file')} merged into {target}"
