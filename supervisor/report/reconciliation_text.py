"""What `supervisor reconcile` prints: each platform's days, the levels below, and every day that does not add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import asdict

from supervisor.record.as_json import reconciliation_as_json
from supervisor.record.reconciliation import METRICS, LevelShare, Reconciliation
from supervisor.report.display import counted, printable, table

Found = Mapping[str, tuple[Reconciliation, Sequence[LevelShare]]]
"""Platform -> its days, and its levels below the campaigns."""
MOST_SHOWN = 20


def is_wrong(found: Found) -> bool:
    """Whether anything that must add up does not."""
    return any(days.differing or any(level.is_wrong for level in levels) for days, levels in found.values())


def reconciliation_lines(found: Found) -> Iterator[str]:
    """A platform's line, its levels, and its days that do not add up, the greatest difference first."""
    for platform, (days, levels) in found.items():
        compared = f"{counted(days.compared, 'day')} of accounts"
        if days.differing:
            yield f"{printable(platform)}: {days.differing:,} of {compared} do not add up to the account's own total"
        else:
            yield f"{printable(platform)}: {compared} add up"
        if days.differing:
            yield from (f"  {line}" for line in table(list(_rows(days)), right=frozenset({2, 3, 4})))
        if days.differing > MOST_SHOWN:
            yield f"  … and {days.differing - MOST_SHOWN:,} more; ads.reconciliation has them all"
        for level in levels:
            yield f"  {_level(level)}"


def reconciliation_json(found: Found) -> dict[str, Any]:
    """The same as values; the days of a platform are as in a run's report."""
    return {
        platform: {**(reconciliation_as_json(days) or {}), "levels": [asdict(level) for level in levels]}
        for platform, (days, levels) in found.items()
    }


def _level(level: LevelShare) -> str:
    if level.ratio is None:
        return f"{level.name}: no impressions to compare"
    share = f"{level.name}: {100 * level.ratio:.1f} % of the impressions"
    if not level.differing:
        return share
    return f"{share}, {counted(level.differing, 'day')} differ: {level.lacks or 'it must add up'}"


def _rows(days: Reconciliation) -> Iterator[tuple[str, ...]]:
    yield ("account", "date", *METRICS)
    for each in days.differences[:MOST_SHOWN]:
        yield (printable(each.account_id), each.day.isoformat(), *each.sides)
