"""`supervisor plan`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command


@click.command("plan", cls=Command)
@options.config
@options.only()
@options.days
def command(config: Path, only: tuple[str, ...], since: dt.date | None, until: dt.date | None) -> None:
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.run.plan import make_plan, plan_text  # noqa: PLC0415 - as above

    print_lines([plan_text(make_plan(load_orchestrator_config(config), only), since=since, until=until)])
