"""How a command line is read and its help written: click, with what people who type at 02:00 are used to.

Long options may be abbreviated, an option may take several values in a row, a mistyped word is answered with what was
probably meant, commands load when they are asked for, and help fits any width from 40 columns on.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from supervisor.config.spelling import meant

_WIDEST = 100
_NARROW = 60
_CONTINUES = "continues"


class Formatter(click.HelpFormatter):
    """Help as wide as the terminal; in a narrow one the texts stand closer to the names, or below them."""

    def __init__(self, **_: object) -> None:
        super().__init__(width=max(30, min(shutil.get_terminal_size().columns, _WIDEST) - 2))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or "usage: ")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, 12) if self.width < _NARROW else col_max, col_spacing)


class Context(click.Context):
    """A context whose help is written by `Formatter`."""

    formatter_class = Formatter


class Several(click.Option):
    """An option that takes one value or several, and may be given again: `--only google facebook`."""

    def __init__(self, declarations: Sequence[str], **settings: Any) -> None:
        super().__init__(declarations, multiple=True, **settings)

    def make_metavar(self, ctx: click.Context) -> str:
        return f"{super().make_metavar(ctx)}..."


class _Helpful(click.Command):
    """What a command and a group of commands have in common: their help, and the exit codes at its end."""

    context_class = Context
    exit_codes: Mapping[str, str] = {}

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "show this help and exit"
        return option

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        if self.help:
            formatter.write_paragraph()
            formatter.write_text(inspect.cleandoc(self.help))

    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._format(ctx, formatter, "arguments", click.Argument)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._format(ctx, formatter, "options", click.Option)
        if isinstance(self, Group):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        if self.exit_codes:
            with formatter.section("exit codes"):
                formatter.write_dl(list(self.exit_codes.items()))

    def _format(
        self, ctx: click.Context, formatter: click.HelpFormatter, title: str, kind: type[click.Parameter]
    ) -> None:
        params = [param for param in self.get_params(ctx) if isinstance(param, kind)]
        records = [record for param in params if (record := param.get_help_record(ctx))]
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


class Command(_Helpful):
    """A command; `exit_codes` (code -> meaning) end its help."""

    def __init__(self, *arguments: Any, exit_codes: Mapping[str, str] | None = None, **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*arguments, **settings)
        self.exit_codes = exit_codes or {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(_spelled_out(self, ctx, args)))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        param = ctx.meta.get(_CONTINUES)
        if isinstance(param, click.Parameter) and not incomplete.startswith("-"):
            return param.shell_complete(ctx, incomplete)
        return super().shell_complete(ctx, incomplete)


class Group(_Helpful, click.Group):
    """A group of commands: name -> (module, what it does). A module's `command` is imported when it is asked for."""

    def __init__(
        self, *arguments: Any, commands_in: Mapping[str, tuple[str, str]] | None = None, **settings: Any
    ) -> None:
        exit_codes = settings.pop("exit_codes", None)
        defaults: dict[str, Any] = {
            "context_settings": {"help_option_names": ["-h", "--help"]},
            "subcommand_metavar": "COMMAND ...",
            "no_args_is_help": False,
        }
        super().__init__(*arguments, **(defaults | settings))
        self.exit_codes = exit_codes or {}
        self._commands_in = commands_in or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*self._commands_in, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._commands_in:
            return super().get_command(ctx, cmd_name)
        module, text = self._commands_in[cmd_name]
        command: click.Command = import_module(module).command
        command.help = command.help or f"{text[0].upper()}{text[1:]}."
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, *rest = args
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {name!r}; {meant(name, self.list_commands(ctx))}", ctx)
        return (name if command else None), command, rest

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise click.UsageError(f"a command is missing; known are {', '.join(self.list_commands(ctx))}", ctx)
        own = 0
        while own < len(args) and args[own].startswith("-"):
            own += 1
        return super().parse_args(ctx, [*_spelled_out(self, ctx, args[:own]), *args[own:]])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("commands"):
            formatter.write_dl([(name, self._summary(name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name, help=self._summary(name)) for name in names] + click.Command.shell_complete(
            self, ctx, incomplete
        )

    def _summary(self, name: str) -> str:
        if name in self._commands_in:
            return self._commands_in[name][1]
        return self.commands[name].short_help or ""


def _spelled_out(command: click.Command, ctx: click.Context, args: Iterable[str]) -> Iterator[str]:
    """The arguments with long options in full, and the option repeated before each of its several values.

    Raises UsageError for an option that does not exist, could be two, or lacks its value.
    """
    options = {
        name: param
        for param in command.get_params(ctx)
        if isinstance(param, click.Option)
        for name in param.opts
        if name.startswith("--")
    }
    needs: click.Option | None = None
    several: str | None = None
    for word in args:
        if needs is not None and not word.startswith("--"):
            needs = None
            yield word
        elif word.startswith("--") and word != "--":
            _complain_of_missing(needs, ctx)
            given, equals, value = word.partition("=")
            name = _full_name(given, options, ctx)
            param = options.get(name)
            takes_value = param is not None and not param.is_flag
            needs = param if takes_value and not equals else None
            several = name if isinstance(param, Several) else None
            yield f"{name}{equals}{value}"
        elif several is not None and not word.startswith("-"):
            yield from (several, word)
        else:
            several = None
            yield word
    _complain_of_missing(needs, ctx)
    ctx.meta[_CONTINUES] = options[several] if several is not None else None


def _full_name(given: str, options: Mapping[str, click.Option], ctx: click.Context) -> str:
    if given in options or ctx.resilient_parsing:
        return given
    could_be = [name for name in options if name.startswith(given)]
    if len(could_be) == 1:
        return could_be[0]
    if could_be:
        raise click.UsageError(f"the option {given} could be {' or '.join(could_be)}", ctx)
    raise click.UsageError(f"there is no option {given}; {meant(given, options)}", ctx)


def _complain_of_missing(needs: click.Option | None, ctx: click.Context) -> None:
    if needs is not None and not ctx.resilient_parsing:
        raise click.UsageError(f"{needs.opts[-1]}: a value is missing, {needs.make_metavar(ctx)}", ctx)
