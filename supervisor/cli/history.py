"""The commands that read what runs have left behind: `history`, `show`, `freshness`. They change nothing."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from supervisor.config.environment import read_environment
from supervisor.config.errors import SinkError
from supervisor.config.schema import load_orchestrator_config
from supervisor.record.freshness import freshness
from supervisor.record.history import History
from supervisor.report.freshness_text import freshness_lines
from supervisor.report.history_text import history_lines, run_lines
from supervisor.sinks import open_history
from wire import today_in

EXIT_OLD = 2


def show_history(platform: str | None, last: int) -> int:
    """Print the last runs."""
    with _history() as history:
        runs = history.platform_runs(platform, last)
    if not runs:
        _print([f"no run with the platform {platform!r} is kept" if platform else "no run is kept yet"])
    _print(history_lines(runs))
    return 0


def show_run(run_id: str) -> int:
    """Print one run whole; `run_id` may be the beginning of an id. Raises SinkError where there is not one such run."""
    with _history() as history:
        found = history.reports(run_id)
    if not found:
        raise SinkError(f"no run {run_id!r} is kept; `supervisor history` lists those that are")
    if len(found) > 1:
        raise SinkError(
            f"the ids of several runs begin with {run_id!r}: {', '.join(each['run_id'] for each in found)}, …"
        )
    _print(run_lines(found[0]))
    return 0


def show_freshness(config: Path, *, limit: int, ignored: Collection[str]) -> int:
    """Print how old everything is; EXIT_OLD if anything is older than `limit` days, or was never loaded."""
    expected = [platform.name for platform in load_orchestrator_config(config).enabled_platforms]
    with _history() as history:
        states = history.states()
    findings = freshness(states, expected=expected, ignored=ignored)
    today = today_in("UTC")
    _print(freshness_lines(findings, today=today, limit=limit))
    return EXIT_OLD if any(entry.is_older(today, limit) for entry in findings.entries) else 0


@contextmanager
def _history() -> Iterator[History]:
    history = open_history(read_environment())
    try:
        yield history
    finally:
        history.close()


def _print(lines: Iterable[str]) -> None:
    """To standard output, whatever its encoding is, and quietly to a reader that has seen enough."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    with suppress(BrokenPipeError):
        for line in lines:
            print(line)  # noqa: T201 - a command line answers
