"""`supervisor check`."""

from __future__ import annotations

from pathlib import Path

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command


@click.command("check", cls=Command)
@options.config
@options.only()
@click.option("--online", is_flag=True, help="ask the platforms, too, whether they would answer the reports")
def command(config: Path, only: tuple[str, ...], online: bool) -> None:
    from supervisor.config.environment import read_environment  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as above
    from supervisor.run.forecast import api_lines  # noqa: PLC0415 - as above
    from supervisor.run.readiness import check_page, check_storage, readiness  # noqa: PLC0415 - as above

    findings: list[str] = []
    lines: list[str] = []
    try:
        ready = readiness(config, only, strict=True, online=online)
    except ConfigError as error:
        findings += error.findings
    else:
        findings += ready.unknown
        lines = [*api_lines(ready.apis), *(f"warning: {warning}" for warning in ready.warnings)]
    try:
        environment = read_environment()
        findings += [each for each in (check_page(environment), check_storage(environment)) if each]
    except ConfigError:
        pass  # readiness has said it
    if findings:
        raise ConfigError(findings)
    print_lines([*lines, "ready: configuration, environments, credentials, report path and storage are in order"])
