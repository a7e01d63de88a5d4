"""`supervisor history`."""

from __future__ import annotations

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.reading import kept_runs
from supervisor.cli.syntax import Command


@click.command("history", cls=Command)
@options.one_platform
@click.option("--last", type=options.COUNT, default=20, metavar="N", help="how many runs (default: 20)")
def command(platform: str | None, last: int) -> None:
    from supervisor.report.history_text import history_lines  # noqa: PLC0415 - as in `supervisor run`

    with kept_runs() as history:
        runs = history.platform_runs(platform, last)
    if not runs:
        print_lines([f"no run with the platform {platform!r} is kept" if platform else "no run is kept yet"])
    print_lines(history_lines(runs))
