"""One table of Vertica that rows go into, and the temporary one beside it that COPY fills first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from supervisor.sinks.quoting import quoted
from supervisor.sinks.tables import check_names, missing_columns
from supervisor.sinks.vertica.columns import (
    all_columns,
    declared,
    first_size,
    fits,
    is_text,
    placement,
    room_for,
    size_of,
    wanted,
)
from supervisor.sinks.vertica.connection import Link
from supervisor.sinks.vertica.literals import check_length, literal
from wire.schema import Column, Table


@define
class Target:
    """`sizes` are the octets that the stored text columns hold, by name. `staged` tells whether this connection has
    the temporary table."""

    platform: str
    table: Table
    stage: str
    sizes: dict[str, int] = field(factory=dict)
    staged: bool = False

    @property
    def name(self) -> str:
        """As a sentence says it."""
        return f"{self.platform}.{self.table.name}"

    @property
    def sql(self) -> str:
        return f"{quoted(self.platform)}.{quoted(self.table.name)}"

    @property
    def columns(self) -> str:
        return ", ".join(quoted(column.name) for column in self.table.columns)

    def is_there(self, link: Link) -> bool:
        """Whether the table has all its columns. Raises SinkError where it is not ours or does not fit."""
        check_names(self.platform, self.table)
        check_length("schema", self.platform)
        check_length("table", self.table.name)
        for column in self.table.columns:
            check_length("column", column.name)
        stored = self._stored(link)
        if not stored or self._missing(stored):
            return False
        self._keep_sizes(stored)
        return True

    def prepare(self, link: Link) -> None:
        """Create the table, or add what it lacks, after a look of `is_there`."""
        stored = self._stored(link)
        if not stored:
            self._create(link)
            stored = self._stored(link)
        for column in self._missing(stored):
            kind = declared(column, first_size(column))
            link.run(f"ALTER TABLE {self.sql} ADD COLUMN {quoted(column.name)} {kind}", f"add a column to {self.name}")
            stored[column.name.lower()] = kind.lower()
        self._keep_sizes(stored)

    def check_room(self, longest: Mapping[str, int]) -> None:
        """Raise RowError for a text that no column of its type can hold."""
        for column in self.table.columns:
            if is_text(column):
                room_for(self.name, column, longest.get(column.name, 0))

    def is_narrow(self, longest: Mapping[str, int]) -> bool:
        """Whether texts of so many octets, by column, need more room."""
        return any(octets > self.sizes[name] for name, octets in longest.items())

    def widen(self, link: Link, longest: Mapping[str, int]) -> None:
        """Make room for them, where nobody else has meanwhile. It commits, so it comes before all rows."""
        known = dict(self.sizes)
        self._keep_sizes(self._stored(link))
        if known != self.sizes:
            self.drop_stage(link)
        for column in self.table.columns:
            octets = longest.get(column.name, 0)
            if not is_text(column) or octets <= self.sizes[column.name]:
                continue
            size = room_for(self.name, column, octets)
            link.run(
                f"ALTER TABLE {self.sql} ALTER COLUMN {quoted(column.name)} SET DATA TYPE {declared(column, size)}",
                f"widen {column.name!r} of {self.name} to {size:,} octets",
            )
            self.sizes[column.name] = size
            self.drop_stage(link)

    def make_stage(self, link: Link) -> None:
        """The temporary table, empty by itself after each transaction."""
        if self.staged:
            return
        columns = ", ".join(f"{quoted(c.name)} {declared(c, self.sizes.get(c.name, 0))}" for c in self.table.columns)
        link.run(
            f"CREATE LOCAL TEMPORARY TABLE {quoted(self.stage)} ({columns}) ON COMMIT DELETE ROWS",
            f"make a temporary table for {self.name}",
        )
        self.staged = True

    def drop_stage(self, link: Link) -> None:
        """Before the table's columns change."""
        if self.staged:
            link.run(f"DROP TABLE {quoted(self.stage)}", f"drop the temporary table of {self.name}")
            self.staged = False

    def forget_stage(self) -> None:
        """After the loss of the connection, which had it."""
        self.staged = False

    def _missing(self, stored: Mapping[str, str]) -> Sequence[Column]:
        return missing_columns(self.platform, self.table, stored, wanted=wanted, fits=fits)

    def _keep_sizes(self, stored: Mapping[str, str]) -> None:
        self.sizes = {c.name: size_of(stored[c.name.lower()]) or 0 for c in self.table.columns if is_text(c)}

    def _stored(self, link: Link) -> dict[str, str]:
        """The table's columns and their types, all in lower case, as Vertica compares names; empty without a table."""
        rows = link.run(
            "SELECT column_name, data_type FROM v_catalog.columns "
            f"WHERE lower(table_schema) = {literal(self.platform.lower())} "
            f"AND lower(table_name) = {literal(self.table.name.lower())}",
            f"show the columns of {self.name}",
        )
        return {name.lower(): kind.lower() for name, kind in rows}

    def _create(self, link: Link) -> None:
        make_schema(link, self.platform)
        columns = ", ".join(f"{quoted(c.name)} {declared(c, first_size(c))}" for c in all_columns(self.table))
        link.run(f"CREATE TABLE {self.sql} ({columns}) {placement(self.table)}", f"create the table {self.name}")


def make_schema(link: Link, name: str) -> None:
    """Create it where it is missing; who may not create schemas can still use one that is there."""
    found = link.run(
        f"SELECT 1 FROM v_catalog.schemata WHERE lower(schema_name) = {literal(name.lower())}", "show the schemas"
    )
    if not found:
        link.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}", f"create the schema {name}")
