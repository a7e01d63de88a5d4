"""A stream's columns in Vertica: their types, and texts that are declared short and widened when longer ones come.

Vertica counts octets, not characters, and pays for a declared length in the memory of every sort and join. Widening
rewrites nothing: https://docs.vertica.com/24.4.x/en/admin/working-with-native-tables/managing-table-columns/
changing-scalar-column-data-type. VARCHAR ends at 65,000 octets and LONG VARCHAR at 32,000,000.
"""

from __future__ import annotations

import re
from itertools import islice

from supervisor.sinks.judging import RowError
from supervisor.sinks.tables import ADDED
from wire.schema import DECIMAL_PRECISION, DECIMAL_SCALE, Column, Table, Type

TYPES = {
    Type.STRING: "VARCHAR",
    Type.INTEGER: "INT",
    Type.NUMBER: "FLOAT",
    Type.DECIMAL: f"NUMERIC({DECIMAL_PRECISION},{DECIMAL_SCALE})",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.DATETIME: "TIMESTAMP",
    Type.JSON: "LONG VARCHAR",
}
SIZES = {
    Type.STRING: (64, 256, 1024, 4096, 16384, 65_000),
    Type.JSON: (4096, 65_000, 1_000_000, 32_000_000),
}
SMALLEST_INTEGER = -(2**63) + 1  # -2^63 is how Vertica stores NULL
_SEGMENTING = (Type.DATE, Type.INTEGER)
_SEGMENTING_MOST = 8


def is_text(column: Column) -> bool:
    return column.type in SIZES


def declared(column: Column, octets: int) -> str:
    """The column's type with room for so many octets; for a type without a length `octets` does not matter."""
    return f"{TYPES[column.type]}({octets})" if is_text(column) else TYPES[column.type]


def room_for(name: str, column: Column, octets: int) -> int:
    """The smallest size that holds a text; raises RowError for one that nothing holds. `name` is the table's."""
    sizes = SIZES[column.type]
    for size in sizes:
        if octets <= size:
            return size
    raise RowError(
        f"a text for {column.name!r} of {name} has {octets:,} octets, and {TYPES[column.type]} ends at {sizes[-1]:,}; "
        "nothing is cut, so it is not stored"
    )


def wanted(column: Column) -> str:
    """The type as v_catalog.columns says it, but for the length of texts."""
    return TYPES[column.type].lower()


def fits(stored: str, wanted: str) -> bool:
    return stored == wanted or re.fullmatch(re.escape(wanted) + r"\(\d+\)", stored) is not None


def size_of(stored: str) -> int | None:
    """The length of a text type as v_catalog.columns says it, like varchar(64)."""
    found = re.fullmatch(r"(?:long )?varchar\((\d+)\)", stored)
    return int(found[1]) if found else None


def placement(table: Table) -> str:
    """How the rows spread over the nodes.

    A column that segments its table can never be widened, and left to itself Vertica segments by the first columns,
    which are texts. So days and numbers do it; a table that has no day is small, and whole on every node.
    """
    spread = list(islice((column for column in table.columns if column.type in _SEGMENTING), _SEGMENTING_MOST))
    if table.replication_key is None or not spread:
        return "UNSEGMENTED ALL NODES"
    names = ", ".join(f'"{column.name}"' for column in spread)
    return f"SEGMENTED BY HASH({names}) ALL NODES"


def all_columns(table: Table) -> tuple[Column, ...]:
    """With those that every table has."""
    return (*table.columns, *ADDED)


def first_size(column: Column) -> int:
    """The octets that a new column holds; 0 for a type without a length."""
    return SIZES[column.type][0] if is_text(column) else 0
