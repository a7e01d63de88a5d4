"""What the database knows of its tables: their columns with Vertica's types, and the system tables that show them.

DuckDB keeps no VARCHAR lengths, so the declared columns are kept here and, for clients, in `v_catalog.columns`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from sandbox.vertica import sql, types
from sandbox.vertica.errors import ServerError, missing_relation, raising, syntax_error
from sandbox.vertica.types import Column, quoted

NODE = "v_sandbox_node0001"
SESSION_COLUMNS = (
    "node_name",
    "user_name",
    "client_hostname",
    "client_pid",
    "login_timestamp",
    "session_id",
    "client_label",
    "client_type",
    "client_version",
    "client_os",
    "client_os_user_name",
    "client_os_hostname",
)
MOST_COLUMNS, MOST_NAME_OCTETS, MOST_ROW_OCTETS = 9_800, 128, 32_768_000  # Vertica's documented limits of a table
SEARCH_PATH = "public,v_catalog,v_monitor,main"

_SYSTEM = f"""
CREATE SCHEMA public; CREATE SCHEMA v_catalog; CREATE SCHEMA v_monitor; CREATE SCHEMA v_internal;
CREATE TABLE v_catalog.nodes AS SELECT '{NODE}' AS node_name, 'UP' AS node_state, '127.0.0.1' AS node_address;
CREATE TABLE v_catalog.dual AS SELECT 'X' AS dummy;
CREATE TABLE v_catalog.columns(table_schema VARCHAR, table_name VARCHAR, is_system_table BOOLEAN, column_name VARCHAR,
    data_type VARCHAR, data_type_id BIGINT, data_type_length BIGINT, character_maximum_length BIGINT,
    numeric_precision BIGINT, numeric_scale BIGINT, ordinal_position BIGINT, is_nullable BOOLEAN,
    column_default VARCHAR);
CREATE VIEW v_catalog.tables AS SELECT DISTINCT table_schema, table_name, 'dbadmin' AS owner_name,
    false AS is_temp_table, false AS is_system_table FROM v_catalog.columns;
CREATE VIEW v_catalog.schemata AS SELECT schema_name, 'dbadmin' AS schema_owner,
    starts_with(schema_name, 'v_') AS is_system_schema FROM information_schema.schemata
    WHERE catalog_name = current_database() AND schema_name NOT IN ('main', 'information_schema', 'pg_catalog');
CREATE VIEW v_catalog.views AS SELECT schema_name AS table_schema, view_name AS table_name,
    'dbadmin' AS owner_name, sql AS view_definition FROM duckdb_views()
    WHERE NOT internal AND NOT temporary AND NOT starts_with(schema_name, 'v_');
CREATE TABLE v_monitor.sessions({
    ", ".join(
        f"{name} {'BIGINT' if name == 'client_pid' else 'TIMESTAMPTZ' if name == 'login_timestamp' else 'VARCHAR'}"
        for name in SESSION_COLUMNS
    )
});
CREATE VIEW v_monitor.current_session AS SELECT * FROM v_monitor.sessions
    WHERE session_id = getvariable('session_id');
CREATE VIEW v_monitor.user_sessions AS SELECT *, login_timestamp AS session_start_timestamp FROM v_monitor.sessions;
CREATE VIEW v_internal.dc_session_starts AS SELECT * FROM v_monitor.sessions;
CREATE MACRO current_session() AS getvariable('session_id');
CREATE MACRO get_num_accepted_rows() AS getvariable('accepted');
CREATE MACRO get_num_rejected_rows() AS getvariable('rejected');
CREATE MACRO throw_error(said) AS {raising(7137, "22V23", "'USER GENERATED ERROR: ' || said")};
CREATE MACRO set_load_balance_policy(policy) AS 'Successfully changed the client initiator load balancing policy to: '
    || policy;
CREATE MACRO analyze_statistics(name) AS 0;
CREATE MACRO version() AS 'Vertica Analytic Database v24.2.0-1';
"""
_DEFINED = re.compile(rf"({sql.NAME})\s+(.*)", re.S)
_TABLE_CONSTRAINT = re.compile(r"(?:CONSTRAINT\s+\S+\s+)?(PRIMARY\s+KEY|UNIQUE|FOREIGN|CHECK)\b\s*(.*)", re.I | re.S)
_DEFAULT = re.compile(
    r"\bDEFAULT\s+(.+?)(?=\s+(?:NOT\s+NULL|NULL|PRIMARY|UNIQUE|ENCODING|CONSTRAINT)\b|$)", re.I | re.S
)


@dataclass(frozen=True)
class Table:
    """`name` as written; `columns` in order."""

    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> str:
        return f"{self.schema}.{self.name}".lower()

    @property
    def types(self) -> dict[str, types.Type]:
        """By column name in lower case."""
        return {column.name.lower(): column.type for column in self.columns}

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)

    def definitions(self) -> str:
        return ", ".join(column.definition() for column in self.columns)

    def register(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Write the table's columns into `v_catalog.columns`, in the caller's transaction."""
        unregister(engine, self.key)
        rows = ", ".join(_row(self, position, column) for position, column in enumerate(self.columns, 1))
        engine.execute(f"INSERT INTO v_catalog.columns VALUES {rows}")


def checked(table: Table) -> Table:
    """The table itself. Raises ServerError where a limit of Vertica's is exceeded."""
    for name in (table.schema, table.name, *(column.name for column in table.columns)):
        if (octets := len(name.encode())) > MOST_NAME_OCTETS:
            said = f'Identifier "{name}" is {octets} octets long. Maximum limit is {MOST_NAME_OCTETS} octets.'
            raise ServerError(said, "42622", 0)
    if (count := len(table.columns)) > MOST_COLUMNS:
        said = (
            f"A table/projection/view can only have up to {MOST_COLUMNS} columns -- this create statement has {count}"
        )
        raise ServerError(said, "54011", 2106)
    if (octets := sum(column.type.bytes_held for column in table.columns)) > MOST_ROW_OCTETS:
        raise ServerError(f"Row size exceeds MaxRowSize: {octets} > {MOST_ROW_OCTETS}", "54011", 4630)
    seen: set[str] = set()
    for column in table.columns:
        if column.name.lower() in seen:
            raise ServerError(f'Column "{column.name}" specified more than once', "42701", 0)
        seen.add(column.name.lower())
    return table


class Catalog:
    """The tables that all sessions share. `changing` is held while a definition changes, as Vertica's own lock is."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.changing = threading.RLock()

    def found(self, name: str) -> Table:
        """Raises ServerError 42V01."""
        table = self.tables.get(sql.key(name))
        if table is None:
            raise missing_relation(sql.key(name).removeprefix("public."))
        return table


def install(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute(_SYSTEM)


def unregister(engine: duckdb.DuckDBPyConnection, key: str) -> None:
    schema, name = key.split(".", 1)
    engine.execute(
        "DELETE FROM v_catalog.columns WHERE lower(table_schema) = ? AND lower(table_name) = ?", [schema, name]
    )


def read_columns(body: str) -> tuple[Column, ...]:
    """The inside of a CREATE TABLE's parentheses. Keys are not enforced, as in Vertica, but make columns NOT NULL."""
    columns: list[Column] = []
    keys: set[str] = set()
    for part in sql.comma_separated(body):
        constraint = _TABLE_CONSTRAINT.match(part)
        if constraint:
            if constraint[1].upper().startswith("PRIMARY"):
                inside, _ = sql.parenthesised(constraint[2])
                keys |= {sql.plain_name(name).lower() for name in sql.comma_separated(inside)}
            continue
        columns.append(read_column(part))
    return tuple(Column(c.name, c.type, c.nullable and c.name.lower() not in keys, c.default) for c in columns)


def read_column(text: str) -> Column:
    found = _DEFINED.match(text)
    if not found:
        raise syntax_error(text or ",")
    kind, rest = types.read_type(found[2])
    default = _DEFAULT.search(rest)
    nullable = not re.search(r"\bNOT\s+NULL\b|\bPRIMARY\s+KEY\b", rest, re.I)
    return Column(sql.plain_name(found[1]), kind, nullable, sql.translated(default[1]) if default else "")


def computed_columns(engine: duckdb.DuckDBPyConnection, query: str, known: dict[str, types.Type]) -> Iterator[Column]:
    """The columns of a query's result; those of a known table keep their types."""
    engine.execute(f"SELECT * FROM ({query}) LIMIT 0")
    for name, stored, *_ in engine.description or []:
        computed = types.of_engine(str(stored))
        kept = known.get(name.lower())
        yield Column(name, kept if kept is not None and kept.stored == computed.stored else computed)


def _row(table: Table, position: int, column: Column) -> str:
    kind = column.type
    textual = kind.oid in types.TEXTS or kind.oid in types.BYTES
    numeric = kind.oid == types.NUMERIC
    values: list[object] = [
        table.schema,
        table.name,
        False,
        column.name,
        kind.text,
        kind.oid,
        kind.bytes_held,
        kind.length if textual else None,
        kind.precision if numeric else None,
        kind.scale if numeric else None,
        position,
        column.nullable,
        column.default,
    ]
    return "(" + ", ".join(literal(value) for value in values) + ")"


def literal(value: object) -> str:
    """None, a number, a boolean or a text as SQL."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def qualified(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"
