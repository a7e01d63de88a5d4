"""`supervisor run`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from supervisor.cli import exit_codes, options
from supervisor.cli.syntax import Command


@click.command("run", cls=Command, exit_codes=exit_codes.RUN)
@options.config
@options.only()
@options.days
@click.option("--full-refresh", is_flag=True, help="forget which days are complete and load all of them")
def command(
    config: Path, only: tuple[str, ...], since: dt.date | None, until: dt.date | None, full_refresh: bool
) -> int:
    from supervisor.run.orchestrate import run  # noqa: PLC0415 - `--help` and completion must not pay for it

    return run(config, only, since=since, until=until, full_refresh=full_refresh)
