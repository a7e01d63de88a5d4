"""The rows of a table that a region selects, as conditions that each database writes in its own way."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from supervisor.config.errors import SinkError
from wire.messages import Replaces
from wire.schema import Table


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


def region_of(table: Table, replaces: Replaces) -> Region:
    """The region that a STATE announces; raises SinkError where it does not fit its table."""
    names = {column.name for column in table.columns}
    missing = sorted(set(replaces.where) - names)
    if missing:
        raise SinkError(f"a region of {table.name!r} names the column {missing[0]!r}, which it does not have")
    conditions = [Condition(name, "=", value) for name, value in replaces.where.items()]
    for operator, day in ((">=", replaces.first), ("<=", replaces.last)):
        if day is None:
            continue
        if table.replication_key is None:
            raise SinkError(f"a region of {table.name!r} has days, but its SCHEMA names no bookmark_properties")
        conditions.append(Condition(table.replication_key, operator, day))
    if not conditions:
        raise SinkError(f"a region of {table.name!r} has neither `where` nor days, so it would empty the table")
    return Region(tuple(conditions))
