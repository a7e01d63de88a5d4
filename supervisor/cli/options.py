"""The options that several commands have, and the kinds of values that they take."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from supervisor.cli.syntax import Several
from supervisor.config.spelling import meant
from supervisor.config.units import duration

F = TypeVar("F", bound=Callable[..., Any])
CONFIG = Path("orchestrator_config.yml")
_LAST_PORT = 65_535


class _Parsed(click.ParamType[Any]):
    """A value made by a function that raises ValueError with the sentence to show."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._parse(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _OneOf(_Parsed):
    """One word of a few, which a shell completes."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__("word", self._one_of)
        self._words = words

    def _one_of(self, text: str) -> str:
        if text not in self._words:
            raise ValueError(f"expected one of {', '.join(self._words)}, got {text!r}; {meant(text, self._words)}")
        return text

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - as above
        incomplete: str,
    ) -> list[CompletionItem[Any]]:
        return [CompletionItem(word) for word in self._words if word.startswith(incomplete)]


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a day like 2026-01-31, got {text!r}") from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise ValueError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _time(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)?", text)
    if found is None:
        raise ValueError(f"expected a time like 150ms, 1.5s or 10, got {text!r}")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _LAST_PORT):
        raise ValueError(f"expected a port from 1 to {_LAST_PORT}, or 0 for any that is free, got {text!r}")
    return int(text)


def _web(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", text):
        raise ValueError(f"expected an address like https://example.com/callback, got {text!r}")
    return text


DAY = _Parsed("day", _day)
TIME = _Parsed("time", _time)
COUNT = _Parsed("count", _count)
PORT = _Parsed("port", _port)
DURATION = _Parsed("duration", duration)
WEB = _Parsed("address", _web)
PATH = click.Path(path_type=Path)


def word_of(*words: str) -> click.ParamType[Any]:
    """The type of an option that takes one of a few words."""
    return _OneOf(words)


def platform_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """The platforms of the configuration, for a shell that completes; none where it cannot be read."""
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - only a shell that completes needs it
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415 - as above

    try:
        config = load_orchestrator_config(ctx.params.get("config") or CONFIG)
    except ConfigError:
        return []
    return [CompletionItem(platform.name) for platform in config.platforms if platform.name.startswith(incomplete)]


def config(function: F) -> F:
    """`--config FILE`."""
    return click.option(
        "--config",
        type=PATH,
        default=CONFIG,
        metavar="FILE",
        help="the configuration (default: orchestrator_config.yml)",
    )(function)


def only(text: str = "only these platforms; others are left out") -> Callable[[F], F]:
    """`--only NAME...`."""
    return click.option("--only", cls=Several, metavar="NAME", help=text, shell_complete=platform_names)


def days(function: F) -> F:
    """`--since DAY --until DAY`."""
    since = click.option("--since", type=DAY, metavar="DAY", help="reload the days from this one on, e.g. 2026-01-31")
    until = click.option("--until", type=DAY, metavar="DAY", help="up to this one (default: today)")
    return since(until(function))


def one_platform(function: F) -> F:
    """`--platform NAME`."""
    return click.option("--platform", metavar="NAME", help="only this platform", shell_complete=platform_names)(
        function
    )


def size(function: F) -> F:
    """`--size tiny|small|big|agency|huge` of the sandbox's world."""
    return click.option(
        "--size", type=word_of("tiny", "small", "big", "agency", "huge"), default="small", metavar="SIZE",
        help="how many accounts and campaigns: tiny, small, big, agency or huge (default: small)",
    )(function)  # fmt: skip


def pace(function: F) -> F:
    """How many accounts the sandbox has, how slowly it answers, and whether it holds the platforms' limits."""
    for option in (
        click.option("--throttle", is_flag=True, help="hold the limits that the platforms document"),
        click.option("--job-seconds", type=TIME, default=0.0, metavar="TIME", help="that a report takes to be made"),
        click.option("--latency", type=TIME, default=0.0, metavar="TIME", help="of each answer, e.g. 150ms"),
        click.option("--accounts", type=COUNT, metavar="N", help="so many of each platform, whatever the size"),
    ):
        function = option(function)
    return function
