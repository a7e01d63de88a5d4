"""`supervisor state show` and `supervisor state reset`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command, Group

F = TypeVar("F", bound=Callable[..., Any])


@click.command("state", cls=Group)
def command() -> None:
    """Everything happens in the commands."""


command.help = "Show or forget what is known to be loaded."  # what is shown of a group; its docstring is ours


def _part(function: F) -> F:
    account = click.option("--account", metavar="ID", help="only this account")
    stream = click.option("--stream", metavar="TABLE", help="only this table")
    return options.one_platform(account(stream(function)))


@command.command("show", cls=Command, short_help="show which days of which account and table are loaded")
@_part
@options.config
@click.option("--json", "as_json", is_flag=True, help="the states as the pipelines keep them, one a line")
def _show(config: Path, platform: str | None, account: str | None, stream: str | None, as_json: bool) -> None:
    """Show which days of which account and table are loaded."""
    from supervisor.cli.stored_state import show_state  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415 - as above

    # A state can be looked at anywhere; what is configured only where it is.
    known = load_orchestrator_config(config) if config.exists() or config != options.CONFIG else None
    print_lines(show_state(platform, account, stream, as_json=as_json, config=known))


@command.command("reset", cls=Command, short_help="forget it, so that the next run loads those days anew; rows stay")
@_part
@click.option("--all", "everything", is_flag=True, help="the states of all platforms")
def _reset(platform: str | None, account: str | None, stream: str | None, everything: bool) -> None:
    """Forget it, so that the next run loads those days anew; rows stay."""
    from supervisor.cli.stored_state import reset_state  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as above

    if everything == any((platform, account, stream)):
        raise ConfigError("say what to forget: --platform, --account, --stream, or --all of it")
    print_lines(reset_state(platform, account, stream))
