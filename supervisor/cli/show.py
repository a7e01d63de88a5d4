"""`supervisor show`."""

from __future__ import annotations

import click

from supervisor.cli import exit_codes
from supervisor.cli.printing import print_lines
from supervisor.cli.reading import kept_runs
from supervisor.cli.syntax import Command


@click.command("show", cls=Command, exit_codes=exit_codes.SHOW)
@click.argument("run_id", metavar="[RUN_ID]", required=False)
@click.option("--group", metavar="NAME", help="all shards of the RUN_GROUP of that name, as one")
def command(run_id: str | None, group: str | None) -> int:
    """Show one run whole; RUN_ID is its id, or the beginning of it."""
    if group is not None and run_id is not None:
        raise click.UsageError("give either RUN_ID or --group NAME, not both")
    if group is not None:
        return _show_group(group)
    if run_id is None:
        raise click.UsageError("the argument RUN_ID is missing; or give --group NAME")
    _show_run(run_id)
    return 0


def _show_run(run_id: str) -> None:
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


def _show_group(name: str) -> int:
    from supervisor.record.run_group import kept_group  # noqa: PLC0415 - as above
    from supervisor.report.group_text import group_lines  # noqa: PLC0415 - as above

    with kept_runs() as history:
        found = kept_group(history, name)
    print_lines(group_lines(found))
    return found.exit_code
