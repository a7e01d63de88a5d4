"""The entry point of `supervisor`: the commands by name, and how a command's end becomes an exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

import supervisor
from supervisor.cli import exit_codes
from supervisor.cli.syntax import Group
from supervisor.config.errors import ConfigError, SupervisorError
from supervisor.process.leaving import leave
from supervisor.report.display import say

COMPLETE = "_SUPERVISOR_COMPLETE"
_COMMANDS = {
    "run": ("supervisor.cli.run", "run the platforms, load their rows, write the report"),
    "plan": ("supervisor.cli.plan", "show what would run, in which order, over which days"),
    "check": ("supervisor.cli.check", "look for everything that would keep a run from working; changes nothing"),
    "fields": ("supervisor.cli.fields", "list what reports of one's own can ask a platform for"),
    "init": ("supervisor.cli.init", "write a commented configuration to begin with; overwrites nothing"),
    "authorize": ("supervisor.cli.authorize", "ask a platform's owner for consent, keep the token, list the accounts"),
    "install": ("supervisor.cli.install", "build the environment of each pipeline from its lock file"),
    "history": ("supervisor.cli.history", "show the last runs: status, duration, rows and their trend"),
    "show": ("supervisor.cli.show", "show one run whole"),
    "freshness": ("supervisor.cli.freshness", "show how old the newest whole day of each table is"),
    "reconcile": ("supervisor.cli.reconcile", "hold campaigns, ad groups and ads against the accounts' own totals"),
    "rates": ("supervisor.cli.rates", "load exchange rates for the views in one currency"),
    "export": (
        "supervisor.cli.export",
        "write the tables of the DuckDB file as Parquet, one directory per table and month",
    ),
    "merge": ("supervisor.cli.merge", "put the DuckDB files of several shards together into one"),
    "state": ("supervisor.cli.state", "show or forget what is known to be loaded"),
    "sandbox": ("supervisor.cli.sandbox", "serve the four platforms on 127.0.0.1 until Ctrl-C"),
    "demo": ("supervisor.cli.demo", "run all four pipelines against the sandbox, into demo/"),
    "completion": ("supervisor.cli.completion", "print what makes a shell complete this command line"),
}


@click.command(
    "supervisor",
    cls=Group,
    commands_in=_COMMANDS,
    exit_codes=exit_codes.RUN,
    help="Runs the pipelines of ad platforms side by side and loads what they extract into one database.",
)
@click.version_option(supervisor.__version__, message="supervisor %(version)s", help="show the version and exit")
def commands() -> None:
    """Everything happens in the commands."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Do what the command line says; ends the process with the exit code."""
    status = _ended(sys.argv[1:] if arguments is None else arguments)
    _let_go()
    sys.exit(status)


def entry() -> NoReturn:
    """The installed command: `main`, and at its end nothing imported is taken apart, which takes longer than a row."""
    leave(_ended(sys.argv[1:]))


def _ended(arguments: Sequence[str]) -> int:
    _open_what_is_closed()
    try:
        return _status(list(arguments))
    except KeyboardInterrupt:  # also while the command line is read
        return exit_codes.INTERRUPTED


def _status(arguments: list[str]) -> int:
    try:
        return _do(arguments)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        _complain_of_usage(error)
        return exit_codes.USAGE
    except click.Abort:  # Ctrl-C or Ctrl-D at a question
        say("")
        raise KeyboardInterrupt from None
    except ConfigError as error:
        for finding in dict.fromkeys(error.findings):
            _complain(finding)
        return error.exit_code
    except SupervisorError as error:
        _complain(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user, unless asked for
        hint = " (LOG_LEVEL=DEBUG shows where)"
        if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
            traceback.print_exc()
            hint = ""
        _complain(f"a bug in the supervisor: {type(error).__name__}: {error}{hint}")
        return exit_codes.INTERNAL


def _do(arguments: list[str]) -> int:
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete  # noqa: PLC0415 - only a shell that completes needs it

        return shell_complete(commands, {}, "supervisor", COMPLETE, os.environ[COMPLETE])
    with commands.make_context("supervisor", arguments) as context:
        status: int | None = commands.invoke(context)
    return status or 0


def _complain_of_usage(error: click.UsageError) -> None:
    context = error.ctx
    if context is not None and not _wants_json():
        say(context.command.get_usage(context))
    _complain(_sentence(error))
    if context is not None and not _wants_json():
        say(f"`{context.command_path} --help` tells what there is")


def _sentence(error: click.UsageError) -> str:
    """The reason, after the name of the option or argument that it is about."""
    param = error.param if isinstance(error, click.BadParameter) else None
    if param is None:
        text = error.format_message()
        return f"{text[0].lower()}{text[1:]}".rstrip(".")
    name = param.opts[-1] if isinstance(param, click.Option) else param.human_readable_name
    return f"{name} is missing" if isinstance(error, click.MissingParameter) else f"{name}: {error.message}"


def _open_what_is_closed() -> None:
    """A standard stream that was closed before the start (`>&-`) becomes /dev/null, or a file that is opened later,
    a database say, would take its number and get what is printed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, which is this one.
            setattr(sys, name, open(os.open(os.devnull, os.O_RDWR), mode))  # noqa: SIM115, PTH123 - it lives as long as the process


def _let_go() -> None:
    """Flush both streams; where their other end is gone, Python would try again at exit and change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(text: str) -> None:
    if _wants_json():
        from supervisor.record.log import json_line  # noqa: PLC0415 - only a JSON log needs it

        say(json_line("ERROR", text))
    else:
        say(f"error: {text}", logging.ERROR)


def _wants_json() -> bool:
    return os.environ.get("LOG_FORMAT", "").strip().lower() == "json"
