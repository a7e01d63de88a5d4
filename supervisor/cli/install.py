"""`supervisor install`."""

from __future__ import annotations

from pathlib import Path

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command


@click.command("install", cls=Command)
@options.config
@options.only()
def command(config: Path, only: tuple[str, ...]) -> int:
    from supervisor.config.errors import InstallError  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415 - as above
    from supervisor.environments.install import install  # noqa: PLC0415 - as above
    from supervisor.process.stopping import StopRequest, stop_on_signals  # noqa: PLC0415 - as above
    from supervisor.run.plan import make_plan  # noqa: PLC0415 - as above
    from supervisor.run.registry import create_default_registry  # noqa: PLC0415 - as above

    configured = load_orchestrator_config(config)
    registry = create_default_registry().with_configured(configured)
    by_root: dict[Path, list[str]] = {}
    for platform in make_plan(configured, only).platforms:
        if platform.command is None:
            by_root.setdefault(registry.root_of(platform.name), []).append(platform.name)
    stop = StopRequest()
    codes: list[int] = []
    stop_on_signals(stop, codes.append)
    try:
        for root, names in by_root.items():
            install(root, names, on_line=lambda line: print_lines([line]), stop=stop)
    except InstallError:
        if not codes:
            raise
    return codes[0] if codes else 0
