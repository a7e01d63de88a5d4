"""How old the newest whole day of each table is, from the state that the pipelines keep: see docs/wire.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence

from attrs import frozen

from supervisor.record.bookmarks import bookmarks
from supervisor.record.history import StoredState

_DAY = dt.timedelta(days=1)


@frozen(kw_only=True)
class Freshness:
    """One account's days in one daily table.

    `last` is None where no whole day was ever loaded; `missing` days lie between the first and the last. `account` and
    `table` are None where a platform has committed nothing at all.
    """

    platform: str
    account: str | None = None
    table: str | None = None
    last: dt.date | None = None
    missing: int = 0

    def age(self, today: dt.date) -> int | None:
        """How many days ago the last whole day was: 1 is yesterday. An account east of UTC may be a day ahead."""
        return None if self.last is None else max(0, (today - self.last).days)

    def is_older(self, today: dt.date, limit: int) -> bool:
        age = self.age(today)
        return age is None or age > limit


@frozen(kw_only=True)
class Findings:
    """What the states say; `unknown` are the platforms whose pipelines keep a state of another shape."""

    entries: tuple[Freshness, ...]
    unknown: tuple[str, ...]


def freshness(states: Sequence[StoredState], *, expected: Collection[str], ignored: Collection[str]) -> Findings:
    """What is known of each platform, account and table; `expected` platforms without a state are entries of their own.

    Accounts in `ignored` are left out: a closed one has its last day for ever.
    """
    entries: list[Freshness] = []
    unknown: list[str] = []
    for state in states:
        try:
            found = list(_entries(state))
        except (ValueError, TypeError):  # what should be days is something else
            found = []
        if found:
            entries += [entry for entry in found if entry.account not in ignored]
        else:
            unknown.append(state.platform)
    stored = {state.platform for state in states}
    entries += [Freshness(platform=name) for name in expected if name not in stored]
    return Findings(entries=tuple(sorted(entries, key=_order)), unknown=tuple(unknown))


def _entries(state: StoredState) -> Iterator[Freshness]:
    """An account without days is left out where no account of its table has any: that table holds entities."""
    marks = bookmarks(state.value) or ()
    daily = {mark.table for mark in marks if mark.complete}
    for mark in marks:
        if mark.table in daily:
            last, missing = _days(mark.complete)
            yield Freshness(platform=state.platform, account=mark.account, table=mark.table, last=last, missing=missing)


def _days(ranges: Sequence[tuple[str, str]]) -> tuple[dt.date | None, int]:
    days = sorted((dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in ranges)
    missing, reached = 0, None
    for first, last in days:
        if reached is not None and first > reached + _DAY:
            missing += (first - reached).days - 1
        reached = last if reached is None else max(reached, last)
    return reached, missing


def _order(entry: Freshness) -> tuple[str, str, str]:
    return entry.platform, entry.account or "", entry.table or ""
