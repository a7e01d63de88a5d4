"""`supervisor sandbox`."""

from __future__ import annotations

import click

from supervisor.cli import options
from supervisor.cli.syntax import Command


@click.command("sandbox", cls=Command)
@options.only("serve only these")
@options.size
@options.pace
@click.option("--fault", multiple=True, metavar="PLATFORM:KIND[@AFTER[xTIMES]]", help="commit a fault")
@click.option("--export", "exported", is_flag=True, help="begin each line with `export`, for a shell")
def command(
    *,
    only: tuple[str, ...],
    size: str,
    accounts: int | None,
    latency: float,
    job_seconds: float,
    throttle: bool,
    fault: tuple[str, ...],
    exported: bool,
) -> int:
    """Serve the four platforms on 127.0.0.1 until Ctrl-C. Prints the variables that point the pipelines here, as a
    systemd EnvironmentFile or `set -a; . FILE` takes them."""
    from supervisor.cli.demonstration import serve_sandbox  # noqa: PLC0415 - as in `supervisor run`

    paced = ("--latency", str(latency), "--job-seconds", str(job_seconds), *(("--throttle",) if throttle else ()))
    counted = ("--accounts", str(accounts)) if accounts is not None else ()
    return serve_sandbox(options=("--size", size, *counted, *paced), only=only, faults=fault, exported=exported)
