"""`supervisor plan`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command

if TYPE_CHECKING:
    from supervisor.record.backfill import Backfill


@click.command("plan", cls=Command)
@options.config
@options.only()
@options.days
def command(config: Path, only: tuple[str, ...], since: dt.date | None, until: dt.date | None) -> None:
    print_lines(_lines(config, only, since, until))


def _lines(path: Path, only: tuple[str, ...], since: dt.date | None, until: dt.date | None) -> Iterator[str]:
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415 - as above
    from supervisor.report.backfill_text import backfill_text  # noqa: PLC0415 - as above
    from supervisor.run.forecast import api_text, due_lines, table_lines  # noqa: PLC0415 - as above
    from supervisor.run.invocation import Days  # noqa: PLC0415 - as above
    from supervisor.run.plan import make_plan, plan_text  # noqa: PLC0415 - as above
    from supervisor.run.readiness import answers_of, dates_refused  # noqa: PLC0415 - as above
    from wire import today_in  # noqa: PLC0415 - as above

    config, days = load_orchestrator_config(path), Days(since=since, until=until)
    plan = make_plan(config, only)
    refused = dates_refused(plan.platforms, days)
    if refused:
        raise ConfigError(refused)
    yield plan_text(plan, since=since, until=until)
    states, backfills, unknown = _known([platform.name for platform in plan.platforms])
    answers = answers_of(config, plan.platforms)
    today = today_in("UTC")
    for platform in plan.platforms:
        answer = answers.get(platform.name)
        lines = due_lines(platform, states.get(platform.name), days, today)
        lines = [f"API {api_text(answer.api)}", *lines] if answer and answer.api else lines
        lines += table_lines(answer.tables) if answer else []
        backfill = backfills.get(platform.name)
        lines += [f"{backfill_text(backfill)}, as its last run told"] if backfill and backfill.left else []
        lines += [f"warning: {warning}" for warning in answer.warnings] if answer else []
        # What is wrong with credentials is no part of a plan; what will be asked for is.
        lines += [f"error: {error}" for error in answer.errors if error.startswith("reports")] if answer else []
        if lines:
            yield f"{platform.name}:"
            yield from (f"  {line}" for line in lines)
    if unknown:
        yield f"No state is known, so all days are shown as due: {unknown}"


def _known(platforms: Sequence[str]) -> tuple[dict[str, str], dict[str, Backfill], str | None]:
    """Platform -> stored state, and -> its backfill; and why there is none, where the storage cannot be read."""
    from supervisor.cli.reading import kept_runs  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.errors import SupervisorError  # noqa: PLC0415 - as above
    from supervisor.record.backfill import last_backfills  # noqa: PLC0415 - as above

    try:
        with kept_runs() as history:
            states = {state.platform: state.value for state in history.states()}
            return states, last_backfills(history, platforms), None
    except SupervisorError as error:
        return {}, {}, str(error)
