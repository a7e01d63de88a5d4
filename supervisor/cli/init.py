"""`supervisor init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command


@click.command("init", cls=Command)
@options.config
@options.only("for these of google, microsoft, facebook and linkedin")
def command(config: Path, only: tuple[str, ...]) -> None:
    """Write a commented configuration, and tell which variables are still to be set. Asks for the platforms at a
    terminal; overwrites nothing."""
    from supervisor.cli.first_configuration import PLATFORMS, still_to_do, text_for, write_new  # noqa: PLC0415 - as in `supervisor run`

    if not only and sys.stdin.isatty():
        only = tuple(click.prompt("Platforms", default=" ".join(PLATFORMS), err=True).replace(",", " ").split())
    text = text_for(only)
    write_new(config, text)
    print_lines([f"{config} is written", *still_to_do(only, config)])
