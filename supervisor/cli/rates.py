"""`supervisor rates load`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command, Group


@click.command("rates", cls=Group)
def command() -> None:
    """Everything happens in the commands."""


command.help = "Exchange rates for the views in one currency."  # what is shown of a group; its docstring is ours


@command.command("load", cls=Command, short_help="load a CSV file with the columns date, from, to and rate")
@click.argument("file", type=options.PATH)
def _load(file: Path) -> None:
    """Load a CSV file with the columns date, from, to and rate; a rate that is there already is replaced."""
    print_lines(_loaded(file))


def _loaded(file: Path) -> Iterator[str]:
    """Keep the rates of a file and make the views anew. Raises ConfigError with all that is wrong, or SinkError."""
    from attrs import evolve  # noqa: PLC0415 - as in `supervisor run`

    from supervisor.config.environment import StorageType, read_environment  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as above
    from supervisor.record.exchange_rates import read_rates  # noqa: PLC0415 - as above
    from supervisor.record.readers import make_files_for  # noqa: PLC0415 - as above
    from supervisor.report.display import counted  # noqa: PLC0415 - as above
    from supervisor.sinks import open_sink  # noqa: PLC0415 - as above
    from supervisor.sinks.exchange_rates import KeepsRates  # noqa: PLC0415 - as above

    environment = read_environment()
    if environment.storage_type not in (StorageType.DUCKDB, StorageType.VERTICA):
        raise ConfigError(f"STORAGE_TYPE: rates are kept in DuckDB and Vertica, not in {environment.storage_type}")
    rates = read_rates(file)
    make_files_for(environment.readable_by)
    sink = open_sink(evolve(environment, shard=None))  # rates are for all accounts, whichever the variables are of
    try:
        assert isinstance(sink, KeepsRates)
        sink.put_rates(rates)
        sink.publish()
        description = sink.description
    finally:
        sink.close()
    days = [rate.day for rate in rates]
    yield f"{counted(len(rates), 'rate')} of {min(days)} to {max(days)}, into {description}"
    if environment.reporting_currency is None:
        yield "set REPORTING_CURRENCY for the next run, and the views ads.* have their amounts in that currency too"
