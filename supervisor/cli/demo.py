"""`supervisor demo`."""

from __future__ import annotations

import click

from supervisor.cli import options
from supervisor.cli.syntax import Command


@click.command("demo", cls=Command)
@options.size
def command(size: str) -> int:
    from supervisor.cli.demonstration import run_demo  # noqa: PLC0415 - as in `supervisor run`

    return run_demo(size=size)
