"""`supervisor reconcile`."""

from __future__ import annotations

import json

import click

from supervisor.cli import exit_codes, options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command

EXIT_DIFFERENT = 2


@click.command("reconcile", cls=Command, exit_codes=exit_codes.RECONCILE)
@options.one_platform
@click.option("--days", type=options.COUNT, default=31, metavar="N", help="the last ones that are loaded (default: 31)")
@click.option(
    "--format",
    "form",
    type=options.word_of("text", "json"),
    default="text",
    metavar="FORM",
    help="text or json (default: text)",
)
def command(platform: str | None, days: int, form: str) -> int:
    from supervisor.config.environment import read_environment  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as above
    from supervisor.report.reconciliation_text import (  # noqa: PLC0415 - as above
        is_wrong,
        reconciliation_json,
        reconciliation_lines,
    )
    from supervisor.sinks.reading import opened_for_reading  # noqa: PLC0415 - as above
    from supervisor.sinks.reconciling import of_last_days  # noqa: PLC0415 - as above
    from supervisor.sinks.unified import SOURCES  # noqa: PLC0415 - as above

    names = [platform] if platform else list(SOURCES)
    with opened_for_reading(read_environment()) as (ask, columns):
        answers = {name: of_last_days(ask, columns, name, days) for name in names if name in SOURCES}
    found = {name: answer for name, answer in answers.items() if answer is not None}
    if not found:
        raise ConfigError(
            f"the database has no account totals{f' of {platform}' if platform else ''}; a run with the table "
            "account_daily loads them"
        )
    print_lines([json.dumps(reconciliation_json(found), indent=2)] if form == "json" else reconciliation_lines(found))
    return EXIT_DIFFERENT if is_wrong(found) else 0
