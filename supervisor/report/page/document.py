"""The page: what happened in one line, what failed and why, then when, how big, how many and how much."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from supervisor.record.run_record import RunRecord, Status
from supervisor.report.page import words
from supervisor.report.page.memory import memory
from supervisor.report.page.rows import most_rows, rows
from supervisor.report.page.spend import spend
from supervisor.report.page.timeline import attempt_class, timeline

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def html_report(record: RunRecord) -> str:
    """The whole page. Whatever the record says is escaped; no name or message can become an element."""
    loaded = [(platform, platform.rows_by_table) for platform in record.platforms]
    most = most_rows(loaded)
    return (
        _templates()
        .get_template("page.html")
        .render(
            record=record,
            headline=_headline(record),
            facts=_facts(record),
            troubled=[platform for platform in record.platforms if platform.status is not Status.COMPLETED],
            unequal=[each for each in record.platforms if each.reconciliation and each.reconciliation.differing],
            timeline=timeline(record),
            memory=memory(record),
            rows=[rows(platform, tables, most) for platform, tables in loaded if tables],
            spend=spend(record),
            attempts=[attempt for platform in record.platforms for attempt in platform.attempts],
            earlier=[a for p in record.platforms for a in p.attempts if a.message and a is not p.attempts[-1]],
        )
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("supervisor.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "attempt_class": attempt_class,
        "backfill": words.backfill,
        "counted": words.counted,
        "difference": words.difference,
        "moment": words.moment,
        "money": words.money,
        "number": words.number,
        "outcome": words.outcome,
        "seconds": words.seconds,
        "sign": words.sign,
        "size": words.size,
    }
    environment.globals["style"] = Markup(files("supervisor.report.page").joinpath("style.css").read_text("utf-8"))  # noqa: S704 - a file of ours
    return environment


def _shown(value: Any) -> Any:
    """Control characters, halves of characters and whatever turns the direction become U+FFFD."""
    if isinstance(value, Markup):
        return value
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value)).encode("utf-8", "replace").decode()


def _headline(record: RunRecord) -> str:
    summary = record.summary
    if summary.completed == summary.total_platforms:
        return f"All {summary.total_platforms} platforms completed" if summary.completed != 1 else "It completed"
    parts = [f"{summary.completed} of {words.counted(summary.total_platforms, 'platform')} completed"]
    parts += [f"{summary.failed} failed"] if summary.failed else []
    parts += [f"{summary.skipped} skipped"] if summary.skipped else []
    return ", ".join(parts)


def _facts(record: RunRecord) -> tuple[tuple[str, str], ...]:
    summary = record.summary
    return (
        ("Rows", words.number(summary.total_rows_processed)),
        ("Duration", words.seconds(summary.total_duration_seconds)),
        ("Platforms completed", f"{summary.completed} of {summary.total_platforms}"),
        ("Retries", words.number(sum(platform.retry_count for platform in record.platforms))),
        ("API calls", words.number(sum(attempt.api_calls for each in record.platforms for attempt in each.attempts))),
        ("Exit code", "none yet" if record.exit_code is None else str(record.exit_code)),
    )
