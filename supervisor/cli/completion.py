"""`supervisor completion`: bash, zsh and fish complete commands, options and the platforms of the configuration."""

from __future__ import annotations

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command


@click.command("completion", cls=Command)
@click.argument("shell", type=options.word_of("bash", "zsh", "fish"), metavar="SHELL")
def command(shell: str) -> None:
    """Print what makes a shell, bash, zsh or fish, complete this command line.

    For bash and zsh, in ~/.bashrc or ~/.zshrc: eval "$(supervisor completion bash)". For fish, once: supervisor
    completion fish > ~/.config/fish/completions/supervisor.fish
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - as in `supervisor run`

    from supervisor.cli.main import COMPLETE, commands  # noqa: PLC0415 - it is what has loaded this module

    kind = get_completion_class(shell)
    assert kind is not None, "click knows the three shells"
    print_lines([kind(commands, {}, "supervisor", COMPLETE).source()])
