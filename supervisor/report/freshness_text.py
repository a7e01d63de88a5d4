"""Freshness as lines for a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from supervisor.record.backfill import Backfill
from supervisor.record.freshness import Findings
from supervisor.report.backfill_text import backfill_text
from supervisor.report.display import counted, printable, table


def freshness_lines(
    findings: Findings, *, today: dt.date, limit: int, backfills: Mapping[str, Backfill] = MappingProxyType({})
) -> Iterator[str]:
    """A line per entry, one per platform whose backfill goes on, and a sentence at the end."""
    rows = [("platform", "account", "table", "last whole day", "age", "")]
    for entry in findings.entries:
        age = entry.age(today)
        remarks = ["older than the limit"] if entry.is_older(today, limit) else []
        remarks += [f"{counted(entry.missing, 'day')} missing before it"] if entry.missing else []
        rows.append((
            printable(entry.platform), printable(entry.account or "-"), printable(entry.table or "-"),
            entry.last.isoformat() if entry.last else "never", "-" if age is None else counted(age, "day"),
            "; ".join(remarks),
        ))  # fmt: skip
    if findings.entries:
        yield from table(rows, right=frozenset({4}))
    for name in findings.unknown:
        yield f"{printable(name)}: its pipeline keeps no days in its state, so nothing can be told"
    for name, backfill in backfills.items():
        if backfill.left:
            yield f"{printable(name)}: {backfill_text(backfill)}"
    old = sum(entry.is_older(today, limit) for entry in findings.entries)
    if not findings.entries:
        yield "nothing is known: no pipeline has committed a day"
    elif old:
        yield f"{old:,} of {len(findings.entries):,} older than {counted(limit, 'day')}"
    else:
        yield f"all {len(findings.entries):,} within {counted(limit, 'day')}"
