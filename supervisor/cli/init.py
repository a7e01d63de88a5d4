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
    from supervisor.cli.first_configuration import refuse_what_is_there, still_to_do, text_for, write_new  # noqa: PLC0415 - as in `supervisor run`

    refuse_what_is_there(config)
    if not only and sys.stdin.isatty():
        only = _asked()
    text = text_for(only)
    write_new(config, text)
    print_lines([f"{config} is written", *still_to_do(only, config)])


def _asked() -> tuple[str, ...]:
    """Asks until every word of the answer is a platform; Enter means all."""
    from supervisor.cli.first_configuration import PLATFORMS, text_for  # noqa: PLC0415 - as above
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as above

    def understood(answer: str) -> tuple[str, ...]:
        names = tuple(answer.replace(",", " ").split())
        try:
            text_for(names)
        except ConfigError as error:
            raise click.UsageError(str(error)) from error
        return names

    names: tuple[str, ...] = click.prompt("Platforms", " ".join(PLATFORMS), value_proc=understood, err=True)
    return names
