"""`supervisor show`."""

from __future__ import annotations

import click

from supervisor.cli.printing import print_lines
from supervisor.cli.reading import kept_runs
from supervisor.cli.syntax import Command


@click.command("show", cls=Command)
@click.argument("run_id", metavar="RUN_ID")
def command(run_id: str) -> None:
    """Show one run whole; RUN_ID is its id, or the beginning of it."""
    from supervisor.config.errors import SinkError  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.report.history_text import run_lines  # noqa: PLC0415 - as above

    with kept_runs() as history:
        found = history.reports(run_id)
    if not found:
        raise SinkError(f"no run {run_id!r} is kept; `supervisor history` lists those that are")
    if len(found) > 1:
        raise SinkError(
            f"the ids of several runs begin with {run_id!r}: {', '.join(each['run_id'] for each in found)}, …"
        )
    print_lines(run_lines(found[0]))
