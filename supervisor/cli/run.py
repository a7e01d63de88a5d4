"""`supervisor run`."""

from __future__ import annotations

import datetime as dt
import gc
from pathlib import Path

import click

from supervisor.cli import exit_codes, options
from supervisor.cli.syntax import Command


@click.command("run", cls=Command, exit_codes=exit_codes.RUN)
@options.config
@options.only()
@options.days
@click.option("--full-refresh", is_flag=True, help="forget which days are complete and load all of them")
@click.option("--strict", is_flag=True, help="start nothing if one of the platforms cannot run")
@click.option("--allow-emptying", is_flag=True, help="let an empty answer take stored rows away, on every platform")
@click.option("--shard", metavar="I/N", help="only the accounts of shard I of N, as 0/4; auto asks the engine")
def command(
    *,
    config: Path,
    only: tuple[str, ...],
    since: dt.date | None,
    until: dt.date | None,
    full_refresh: bool,
    strict: bool,
    allow_emptying: bool,
    shard: str | None,
) -> int:
    from supervisor.process.leaving import leave  # noqa: PLC0415 - as below
    from supervisor.run.orchestrate import orchestrate  # noqa: PLC0415 - `--help` and completion must not pay for it

    # What is imported stays: no search for garbage needs to look at it. DuckDB, which comes later, must stay out of
    # this, or it would tell standard error of leaks where Python takes everything apart at the end.
    gc.freeze()
    result = orchestrate(
        config,
        only,
        since=since,
        until=until,
        full_refresh=full_refresh,
        strict=strict,
        allow_emptying=allow_emptying,
        shard=shard,
    )
    if result.left_behind:
        leave(result.exit_code)
    return result.exit_code
