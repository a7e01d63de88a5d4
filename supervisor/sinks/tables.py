"""What every sink asks of a table: names that can live side by side, and columns that only ever grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from supervisor.config.errors import SinkError
from wire.schema import Column, Table, Type

LOADED_AT = Column("_loaded_at", Type.DATETIME, "when the row was stored, UTC")
RUN_ID = Column("_run_id", Type.STRING, "the run that stored it")
ADDED = (LOADED_AT, RUN_ID)


def check_names(platform: str, table: Table) -> None:
    """Databases ignore case in names, so two columns that differ only in case cannot live in one table.

    Raises SinkError for those, and for a column that every table has already.
    """
    seen: dict[str, Column] = {}
    for column in table.columns:
        twin = seen.setdefault(column.name.lower(), column)
        if twin is not column:
            raise SinkError(
                f"{platform}.{table.name}: the columns {twin.name!r} and {column.name!r} differ only in case"
            )
        if column.name.lower() in {added.name for added in ADDED}:
            raise SinkError(f"{platform}.{table.name}: the column {column.name!r} is one that every table has already")


def missing_columns(
    platform: str,
    table: Table,
    stored: Mapping[str, str],
    *,
    wanted: Callable[[Column], str],
    fits: Callable[[str, str], bool] = lambda stored, wanted: stored == wanted,
    remedy: str = "rename the table",
) -> tuple[Column, ...]:
    """The columns that a stored table lacks; `stored` maps its column names to their types, as the database says them.

    `fits` tells whether a stored type holds what the `wanted` one would, `remedy` what to do with a table that is in
    the way. Raises SinkError where the table was not made
    by this program, or where a column would need another type.
    """
    lower = {name.lower(): kind for name, kind in stored.items()}
    for added in ADDED:
        if added.name not in lower:
            raise SinkError(
                f"the table {platform}.{table.name} was not made by this program: it has no column {added.name}; "
                f"{remedy}, or choose another database"
            )
    for column in table.columns:
        kind = lower.get(column.name.lower())
        if kind is not None and not fits(kind, wanted(column)):
            raise SinkError(
                f"the column {column.name!r} of {platform}.{table.name} is {kind} and would become {wanted(column)}; "
                f"{remedy} and load its days anew with --full-refresh"
            )
    return tuple(column for column in table.columns if column.name.lower() not in lower)
