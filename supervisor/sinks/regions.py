"""The rows of a table that regions select, as conditions that each database writes in its own way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from supervisor.config.errors import SinkError
from wire.failures import SchemaError
from wire.messages import Replaces
from wire.regions import check_region
from wire.schema import Table, Type

_DAY = dt.timedelta(days=1)


@frozen
class Condition:
    """One column compared with one value; `operator` is `=`, `>=` or `<=`."""

    column: str
    operator: str
    value: str


@frozen
class Region:
    """What `where` selects, between two days if there are any: all conditions hold."""

    conditions: tuple[Condition, ...]

    @property
    def values(self) -> list[str]:
        return [condition.value for condition in self.conditions]

    def sql(self, quoted: Callable[[str], str], *, place: str = "?") -> str:
        """The conditions as SQL, with a placeholder for each value."""
        return " AND ".join(f"{quoted(each.column)} {each.operator} {place}" for each in self.conditions)


@frozen
class Selection:
    """Regions that differ in one column at most: the rows whose `column` is among `values`, and where `others` hold."""

    column: str
    values: tuple[str, ...]
    others: tuple[Condition, ...]

    def sql(self, quoted: Callable[[str], str], literal: Callable[[str], str]) -> str:
        among = f"{quoted(self.column)} IN ({', '.join(map(literal, self.values))})" if self.column else ""
        rest = [f"{quoted(each.column)} {each.operator} {literal(each.value)}" for each in self.others]
        return " AND ".join(filter(None, (among, *rest)))


def region_of(table: Table, replaces: Replaces) -> Region:
    """The region that a STATE announces; raises SinkError where it does not fit its table."""
    try:
        check_region(table, replaces)
    except SchemaError as cause:
        raise SinkError(str(cause)) from cause
    conditions = [Condition(name, "=", value) for name, value in replaces.where.items()]
    for operator, day in ((">=", replaces.first), ("<=", replaces.last)):
        if day is not None:
            assert table.replication_key is not None
            conditions.append(Condition(table.replication_key, operator, day))
    return Region(tuple(conditions))


def selections(table: Table, regions: Iterable[Region], *, at_most: int = 1000) -> list[Selection]:
    """The regions in few statements: accounts of the same days together, and days of an account that adjoin as one.

    Each has `at_most` values. A condition of ranges alone is a statement of its own.
    """
    by_where: dict[tuple[Condition, ...], list[tuple[Condition, ...]]] = {}
    for region in regions:
        where = tuple(each for each in region.conditions if each.operator == "=")
        by_where.setdefault(where, []).append(tuple(each for each in region.conditions if each.operator != "="))
    is_day = any(column.name == table.replication_key and column.type is Type.DATE for column in table.columns)
    alike: dict[tuple[str, tuple[Condition, ...]], list[str]] = {}
    for where, ranges in by_where.items():
        for days in _adjoined(ranges) if is_day else ranges:
            column, value = (where[0].column, [where[0].value]) if where else ("", [])
            alike.setdefault((column, (*where[1:], *days)), []).extend(value)
    return [
        Selection(column, tuple(values[start : start + at_most]), others)
        for (column, others), values in alike.items()
        for start in range(0, max(1, len(values)), at_most)
    ]


def _adjoined(ranges: Sequence[tuple[Condition, ...]]) -> list[tuple[Condition, ...]]:
    """Ranges of days with those that follow each other made one; such as are open at an end stay as they are."""
    closed = sorted((each for each in ranges if len(each) == 2), key=lambda each: (each[0].value, each[1].value))
    found = [each for each in ranges if len(each) != 2]
    for first, last in closed:
        if found and len(found[-1]) == 2 and dt.date.fromisoformat(first.value) <= _next(found[-1][1].value):
            begin, end = found[-1]
            found[-1] = (begin, last if last.value > end.value else end)
        else:
            found.append((first, last))
    return found


def _next(day: str) -> dt.date:
    value = dt.date.fromisoformat(day)
    return value if value == dt.date.max else value + _DAY
