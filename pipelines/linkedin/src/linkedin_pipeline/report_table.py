"""A report of adAnalytics, built in or of one's own, and the table that it becomes.

Nobody writes a key: it is the account, the id of the level, everything that splits the rows, and the day.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from msgspec import Struct

from linkedin_pipeline.fields import Field
from linkedin_pipeline.levels import ACCOUNT, BY_NAME, Level
from linkedin_pipeline.restli import Value
from wire import CORE, Column, Table, Type

METRICS_PER_CALL = 18
"""LinkedIn takes 20 fields a call; `dateRange` and `pivotValues`, without which rows have no key, are two of them."""

OLDEST = dt.timedelta(days=3_650)
"""LinkedIn keeps performance data for ten years."""
OLDEST_DEMOGRAPHIC = dt.timedelta(days=730)
"""And what it knows of the members who saw an ad for two."""

DEMOGRAPHIC = "MEMBER_"
"""How the pivots begin that are about the members who saw an ad: approximate, and for one pivot at a time only."""

ACCOUNT_COLUMN = Column("account_id", Type.STRING, "ad account")


class Granularity(StrEnum):
    """What one row is of, as `timeGranularity` spells it."""

    DAILY = "DAILY"
    MONTHLY = "MONTHLY"
    ALL = "ALL"


class Pivot(Struct, frozen=True):
    """By what adAnalytics groups, and the columns that its values fill: ids where it is a level, else as they come.

    `is_id` are those of which URNs are told and the table has the id; a `name_column` has what the URNs are called.
    `statistics_only` are those that the finder for a single pivot does not take.
    """

    name: str
    columns: tuple[str, ...]
    note: str = ""
    level: Level | None = None
    is_id: bool = False
    name_column: str = ""
    statistics_only: bool = False

    @classmethod
    def of(cls, level: Level) -> Pivot:
        return cls(level.pivot, (level.id_column,), level=level)


class Filter(Struct, frozen=True):
    """What all rows must be like: a parameter of adAnalytics and its value."""

    parameter: str
    value: Value


class Report(Struct, frozen=True, kw_only=True):
    """A report: `level` is what a row is about, `by` what else splits it; `attributes` are names and ids that belong
    to an id of the key. `lookback_days` of None means the setting, `fingerprint` is of a definition of one's own;
    `group` and `cost` are the table's.
    """

    name: str
    level: Level
    by: tuple[Pivot, ...] = ()
    attributes: tuple[str, ...] = ()
    metrics: tuple[Field, ...]
    granularity: Granularity = Granularity.DAILY
    filters: tuple[Filter, ...] = ()
    lookback_days: int | None = None
    fingerprint: str = ""
    group: str = CORE
    cost: str = ""

    @property
    def is_monthly(self) -> bool:
        return self.granularity is Granularity.MONTHLY

    @property
    def is_demographic(self) -> bool:
        return any(pivot.name.startswith(DEMOGRAPHIC) for pivot in self.by)

    @property
    def is_one_by_one(self) -> bool:
        """Whether each thing needs a request of its own: a demographic answer does not say whose it is."""
        return self.is_demographic and self.level is not ACCOUNT

    @property
    def is_partial(self) -> bool:
        """Whether an account that has numbers may have none here: nothing but impressions is in each of its rows."""
        is_rare = all(metric.source != "impressions" for metric in self.metrics)
        return is_rare or bool(self.filters) or any(pivot.level is None for pivot in self.by)

    @property
    def pivots(self) -> tuple[Pivot, ...]:
        """What a request groups by. It is about one account, so that needs no pivot beside another one."""
        if self.is_demographic or (self.level is ACCOUNT and self.by):
            return self.by
        return (Pivot.of(self.level), *self.by)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Those whose ids are in the key beside the account's, outermost first."""
        keyed = {self.level.name, *(pivot.level.name for pivot in self.by if pivot.level)}
        return tuple(level for level in BY_NAME.values() if level.name in keyed and level is not ACCOUNT)

    @property
    def listed(self) -> frozenset[str]:
        """The levels whose lists it needs: for names, for how many rows there will be, and for slices of a day."""
        if not self.levels:
            return frozenset()
        lowest = self.levels[-1]
        above = {parent for level in self.levels for parent in level.parents} if self.attributes else set()
        return frozenset({lowest.name, lowest.sliced_by, *above})

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of ids and names, outermost level first."""
        ids = {level.id_column for level in self.levels}
        columns = (column for level in BY_NAME.values() for column in (level.id_column, level.name_column))
        return tuple(column for column in columns if column in ids or column in self.attributes)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns of the key that say what a row is about, without the account's."""
        own = () if self.level is ACCOUNT else (self.level.id_column,)
        return (*own, *(column for pivot in self.by for column in pivot.columns))

    @property
    def calls(self) -> tuple[tuple[Field, ...], ...]:
        """The metrics of each request."""
        return tuple(self.metrics[at : at + METRICS_PER_CALL] for at in range(0, len(self.metrics), METRICS_PER_CALL))

    @property
    def oldest(self) -> dt.timedelta:
        """How far back LinkedIn tells it."""
        return OLDEST_DEMOGRAPHIC if self.is_demographic else OLDEST

    @property
    def table(self) -> Table:
        span = "month" if self.is_monthly else "day"
        columns = (
            ACCOUNT_COLUMN,
            Column("date", Type.DATE, "first day of the UTC month" if self.is_monthly else "UTC day"),
            *(Column(name, Type.STRING, _note(name)) for name in self.labels),
            *(column for pivot in self.by if pivot.level is None for column in _columns(pivot)),
            *(metric.column for metric in self.metrics),
            Column("currency", Type.STRING, "of the account, ISO 4217"),
            Column("is_final", Type.BOOLEAN, f"the UTC {span} was over when it was loaded"),
        )
        key = ("account_id", *self.values, "date")
        return Table(self.name, columns, key, "date", self.fingerprint, self.group, self.cost)


def _columns(pivot: Pivot) -> tuple[Column, ...]:
    own = tuple(Column(name, Type.STRING, pivot.note) for name in pivot.columns)
    named = (Column(pivot.name_column, Type.STRING, "in English; null when LinkedIn does not tell it"),)
    return (*own, *named) if pivot.name_column else own


def _note(column: str) -> str:
    return "as it is now; null when LinkedIn does not list it any more" if column.endswith("_name") else ""
