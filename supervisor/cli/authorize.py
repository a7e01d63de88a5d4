"""`supervisor authorize`."""

from __future__ import annotations

from pathlib import Path

import click

from supervisor.cli import exit_codes, options
from supervisor.cli.syntax import Command
from supervisor.config.credentials import BUILT_IN


@click.command("authorize", cls=Command, exit_codes=exit_codes.AUTHORIZE)
@click.argument("platform", type=options.word_of(*BUILT_IN), help=", ".join(BUILT_IN))
@options.config
@click.option("--to", type=options.PATH, metavar="PATH", help="keep the token in this directory (or existing file)")
@click.option("--print", "printing", is_flag=True, help="print the variables instead, for an .env file")
@click.option("--replace", is_flag=True, help="replace what is kept there without asking")
@click.option("--no-browser", is_flag=True, help="print the address to open; paste the answer")
@click.option("--port", type=options.PORT, metavar="N", help="where on this machine the answer is caught")
@click.option(
    "--redirect",
    type=options.WEB,
    metavar="ADDRESS",
    help="the registered redirect address elsewhere; paste the answer",
)
@click.option("--timeout", type=options.DURATION, default=300.0, metavar="TIME", help="for the answer (default: 5m)")
def command(
    *,
    platform: str,
    config: Path,
    to: Path | None,
    printing: bool,
    replace: bool,
    no_browser: bool,
    port: int | None,
    redirect: str | None,
    timeout: float,
) -> int:
    """Ask a platform's owner for consent in the browser, keep the token that comes of it, and list the accounts that
    this login can see. docs/authorizing.md tells what to register at each platform first."""
    from supervisor.cli.authorization import Wishes, authorize  # noqa: PLC0415 - as in `supervisor run`

    return authorize(
        Wishes(
            platform=platform,
            config=config,
            to=to,
            printing=printing,
            replace=replace,
            browser=not (no_browser or redirect),
            port=port,
            redirect=redirect,
            timeout=timeout,
        )
    )
