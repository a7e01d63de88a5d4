"""`supervisor freshness`."""

from __future__ import annotations

from pathlib import Path

import click

from supervisor.cli import exit_codes, options
from supervisor.cli.printing import print_lines
from supervisor.cli.reading import kept_runs
from supervisor.cli.syntax import Command, Several

EXIT_OLD = 2


@click.command("freshness", cls=Command, exit_codes=exit_codes.FRESHNESS)
@options.config
@click.option("--max-age", type=options.COUNT, default=2, metavar="DAYS", help="the limit; 1 is yesterday (default: 2)")
@click.option("--ignore-account", cls=Several, metavar="ID", help="a closed one, say")
def command(config: Path, max_age: int, ignore_account: tuple[str, ...]) -> int:
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.record.backfill import last_backfills  # noqa: PLC0415 - as above
    from supervisor.record.freshness import freshness  # noqa: PLC0415 - as above
    from supervisor.report.freshness_text import freshness_lines  # noqa: PLC0415 - as above
    from wire import today_in  # noqa: PLC0415 - as above

    expected = [platform.name for platform in load_orchestrator_config(config).enabled_platforms]
    with kept_runs() as history:
        states = history.states()
        backfills = last_backfills(history, expected)
    findings = freshness(states, expected=expected, ignored=ignore_account)
    today = today_in("UTC")
    print_lines(freshness_lines(findings, today=today, limit=max_age, backfills=backfills))
    return EXIT_OLD if any(entry.is_older(today, max_age) for entry in findings.entries) else 0
