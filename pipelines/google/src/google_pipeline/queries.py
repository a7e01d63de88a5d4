"""What one table is to Google: a resource, the fields asked of it, and what each becomes in a column."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from wire import CORE, Column, Grain, Table, Type, Window


class As(Enum):
    """How a field's value becomes a column's value. All but LIST turn an absent value into null.

    In the key of a report of the user's own it is an empty text.
    """

    ID = Type.STRING
    """A whole number as text."""
    TEXT = "text"
    ENUM = "enum"
    """The value's name; a number that this version of the API does not name becomes `UNKNOWN_<number>`."""
    WORD = "word"
    """A boolean as the text true or false, for a key."""
    INTEGER = Type.INTEGER
    NUMBER = Type.NUMBER
    MICROS = Type.DECIMAL
    """Millionths of the account's currency as exact units of it."""
    AVERAGE = "average"
    """Millionths of the account's currency with a fraction, as a double in units of it."""
    FLAG = Type.BOOLEAN
    DAY = Type.DATE
    LIST = Type.JSON
    """A repeated scalar as a JSON array, empty when there is none; enums by their names."""

    @property
    def type(self) -> Type:
        if self is As.AVERAGE:
            return Type.NUMBER
        return self.value if isinstance(self.value, Type) else Type.STRING


class Field(Struct, frozen=True):
    """One column and the GAQL path that fills it."""

    column: str
    path: str
    kind: As
    note: str = ""


class Query(Struct, frozen=True):
    """One table: `FROM resource`, restricted by `where`; with `daily` it has a row per day and is asked for by window.

    A `shared` one is Google's own list, the same for all accounts, and has no `account_id`.

    `given` columns are filled by the pipeline. So are `account_id` and, in daily tables, `currency_code` and
    `is_final`: they are facts about the request, and are not selected. `grain` is that of a daily table. A report of
    the user's own has the `fingerprint` of its definition. `group` and `cost` are the table's. `lookback_days` and
    `window_days` of None are the settings'; `by_conversion_windows` asks for days as long as the account's conversion
    actions can still credit something to them.
    """

    name: str
    resource: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    where: str = ""
    given: tuple[Column, ...] = ()
    daily: bool = False
    shared: bool = False
    grain: Grain = Grain.DAY
    fingerprint: str = ""
    lookback_days: int | None = None
    by_conversion_windows: bool = False
    window_days: int | None = None
    group: str = CORE
    cost: str = ""

    @property
    def is_divided(self) -> bool:
        """Whether rows may be divided by what some have not, and there may be none where the account has numbers."""
        return self.stands_alone and self.daily

    @property
    def stands_alone(self) -> bool:
        """Whether Google may refuse it to an account of which everything else is loaded."""
        return bool(self.fingerprint) or self.group != CORE

    @property
    def is_monthly(self) -> bool:
        return self.grain is Grain.MONTH

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(field.path for field in self.fields)

    @property
    def table(self) -> Table:
        owner = () if self.shared else (Column("account_id", Type.STRING, "customer id, 10 digits, no dashes"),)
        columns = [*owner]
        columns += [Column(field.column, field.kind.type, field.note) for field in self.fields]
        columns += self.given
        if self.daily:
            columns += [
                Column("currency_code", Type.STRING, "ISO 4217 code of every amount in the row"),
                Column("is_final", Type.BOOLEAN, "the day was over in the account's time zone when it was loaded"),
            ]
        key = (*(column.name for column in owner), *self.key)
        day = "date" if self.daily else None
        return Table(self.name, tuple(columns), key, day, self.fingerprint, group=self.group, cost=self.cost)

    def gaql(self, window: Window | None = None) -> str:
        """The query as text; a daily table needs a window."""
        conditions = [self.where] if self.where else []
        if self.daily:
            assert window is not None
            conditions.append(f"segments.date BETWEEN '{window.first}' AND '{window.last}'")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(self.paths)} FROM {self.resource}{where}"  # noqa: S608 - paths of the catalog, dates, and conditions that were looked at


def every(status: str) -> str:
    """A condition on a status that holds always: without one Google leaves removed ads and keywords out."""
    return f"{status} IN ('ENABLED', 'PAUSED', 'REMOVED')"
