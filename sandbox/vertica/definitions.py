"""CREATE, ALTER, DROP and TRUNCATE: definitions change at once, for good, and commit what came before them.

Only those of a session's temporary tables leave the transaction alone. DuckDB can neither widen a checked column nor
add one, so a table whose columns change is built anew under its name.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from sandbox.vertica import catalog, sql, types
from sandbox.vertica.catalog import Table, qualified
from sandbox.vertica.errors import ServerError, duplicate_object, missing_column, missing_relation, syntax_error
from sandbox.vertica.transaction import Engine, Transaction
from sandbox.vertica.types import Column, quoted

_EXISTS = r"(?P<exists>IF\s+(?:NOT\s+)?EXISTS\s+)?"
_CREATE_TABLE = re.compile(
    rf"CREATE\s+(?:(?:GLOBAL|LOCAL)\s+)?(?P<temporary>TEMP(?:ORARY)?\s+)?TABLE\s+{_EXISTS}(?P<name>{sql.NAME})\s*(?P<rest>.*)",
    re.I | re.S,
)
_CREATE_SCHEMA = re.compile(rf"CREATE\s+SCHEMA\s+{_EXISTS}(?P<name>{sql.NAME})", re.I)
_CREATE_VIEW = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+(?P<name>{sql.NAME})\s*(?P<columns>\([^)]*\))?"
    r"(?:\s*(?:INCLUDE|EXCLUDE)\s+SCHEMA\s+PRIVILEGES)?\s+AS\s+(?P<query>.*)",
    re.I | re.S,
)
_DROP = re.compile(
    rf"DROP\s+(?P<kind>TABLE|VIEW|SCHEMA)\s+{_EXISTS}(?P<names>.*?)(?P<cascade>\s+CASCADE)?$", re.I | re.S
)
_ALTER = re.compile(rf"ALTER\s+TABLE\s+(?P<name>{sql.NAME})\s+(?P<change>.*)", re.I | re.S)
_ADD = re.compile(rf"ADD\s+COLUMN\s+{_EXISTS}(?P<column>.*)", re.I | re.S)
_RETYPE = re.compile(rf"ALTER\s+COLUMN\s+(?P<column>{sql.NAME})\s+SET\s+DATA\s+TYPE\s+(?P<type>.*)", re.I | re.S)
_REMOVE = re.compile(rf"DROP\s+COLUMN\s+{_EXISTS}(?P<column>{sql.NAME})(?:\s+(?:CASCADE|RESTRICT))?$", re.I)
_TRUNCATE = re.compile(rf"TRUNCATE\s+TABLE\s+(?P<name>{sql.NAME})$", re.I)
_BEFORE_QUERY = re.compile(r"(?P<options>[^(]*?)\bAS\s+(?P<query>\(?\s*(?:SELECT|WITH)\b.*)", re.I | re.S)


def define(transaction: Transaction, statement: str) -> str:
    """Do it, and return the tag of its completion. Raises ServerError and duckdb.Error."""
    words = " ".join(statement.split()[:2]).upper()
    for pattern, work, tag in (
        (_CREATE_TABLE, _create_table, "CREATE TABLE"),
        (_CREATE_SCHEMA, _create_schema, "CREATE SCHEMA"),
        (_CREATE_VIEW, _create_view, "CREATE VIEW"),
        (_DROP, _drop, words),
        (_ALTER, _alter, "ALTER TABLE"),
        (_TRUNCATE, _truncate, "TRUNCATE TABLE"),
    ):
        found = pattern.match(statement)
        if found:
            work(transaction, found)
            return tag
    raise syntax_error(words)


def _create_table(transaction: Transaction, found: re.Match[str]) -> None:
    if not found["temporary"]:
        transaction.commit()  # even if there is nothing to create
    key = sql.key(found["name"])
    known = transaction.temporary if found["temporary"] else transaction.catalog.tables
    if key in known:
        if found["exists"]:
            return
        raise duplicate_object(key.removeprefix("public."))
    schema, name = key.split(".", 1)
    name = sql.plain_name(found["name"].rpartition(".")[2].strip())
    columns, query, options = _content(transaction, found["rest"])
    table = catalog.checked(Table(schema, name, columns))
    if found["temporary"]:
        _create_temporary(transaction, table, query, keep="PRESERVE" in options.upper())
        return

    def change(engine: Engine) -> None:
        engine.execute(f"CREATE TABLE {qualified(table)} ({table.definitions()})")
        if query:
            engine.execute(f"INSERT INTO {qualified(table)} {query}")
        table.register(engine)
        transaction.catalog.tables[key] = table

    transaction.change_definitions(change)


def _create_temporary(transaction: Transaction, table: Table, query: str, *, keep: bool) -> None:
    name = quoted(table.name)
    transaction.define_temporary(f"CREATE TEMP TABLE {name} ({table.definitions()})")
    transaction.temporary[table.key] = table
    if query:
        transaction.write(name, lambda engine: engine.execute(f"INSERT INTO {name} {query}"))
    if not keep:  # Vertica's default: ON COMMIT DELETE ROWS
        transaction.empty_by_commit(name)


def _content(transaction: Transaction, rest: str) -> tuple[tuple[Column, ...], str, str]:
    """(columns, the query that fills the table or "", the options) of what follows the table's name."""
    like = re.match(rf"LIKE\s+({sql.NAME})(.*)", rest, re.I | re.S)
    if like:
        return transaction.find(like[1]).columns, "", like[2]
    if rest.startswith("("):
        inside, options = sql.parenthesised(rest)
        return catalog.read_columns(inside), "", options
    filled = _BEFORE_QUERY.match(rest)
    if not filled:
        raise syntax_error(sql.head(rest) or ";")
    query = sql.translated(filled["query"])
    source = sql.first_table(query)
    known = transaction.find(source).types if source and _is_table(transaction, source) else {}
    engine = transaction.query("SELECT 1")
    return tuple(catalog.computed_columns(engine, query, known)), query, filled["options"]


def _is_table(transaction: Transaction, name: str) -> bool:
    key = sql.key(name)
    return key in transaction.temporary or key in transaction.catalog.tables


def _create_schema(transaction: Transaction, found: re.Match[str]) -> None:
    name = quoted(sql.plain_name(found["name"]))
    again = "IF NOT EXISTS " if found["exists"] else ""
    transaction.change_definitions(lambda engine: _run(engine, f"CREATE SCHEMA {again}{name}"))


def _create_view(transaction: Transaction, found: re.Match[str]) -> None:
    again = "OR REPLACE " if found["replace"] else ""
    columns = found["columns"] or ""
    query = sql.translated(found["query"])
    statement = f"CREATE {again}VIEW {found['name']}{columns} AS {query}"
    transaction.change_definitions(lambda engine: _run(engine, statement))


def _drop(transaction: Transaction, found: re.Match[str]) -> None:
    names = sql.comma_separated(found["names"])
    kind, if_exists, cascade = found["kind"].upper(), found["exists"] or "", found["cascade"] or ""
    for name in names:
        table = transaction.temporary.get(sql.key(name))
        if kind == "TABLE" and table:
            transaction.define_temporary(f"DROP TABLE {quoted(table.name)}")
            transaction.forget_temporary(table)
        elif kind == "TABLE":
            _drop_table(transaction, name, if_exists=bool(if_exists))
        elif kind == "SCHEMA":
            _drop_schema(transaction, name, if_exists, cascade)
        else:
            statement = f"DROP VIEW {if_exists}{name}"
            transaction.change_definitions(partial(_run, statement=statement))


def _drop_table(transaction: Transaction, name: str, *, if_exists: bool) -> None:
    transaction.commit()
    key = sql.key(name)
    if key not in transaction.catalog.tables:
        if if_exists:
            return
        raise missing_relation(key.removeprefix("public."))

    def change(engine: Engine) -> None:
        engine.execute(f"DROP TABLE {qualified(transaction.catalog.found(name))}")
        catalog.unregister(engine, key)
        del transaction.catalog.tables[key]

    transaction.change_definitions(change, name)


def _drop_schema(transaction: Transaction, name: str, if_exists: str, cascade: str) -> None:
    prefix = sql.plain_name(name).lower() + "."

    def change(engine: Engine) -> None:
        engine.execute(f"DROP SCHEMA {if_exists}{name}{cascade}")
        for key in [key for key in transaction.catalog.tables if key.startswith(prefix)]:
            catalog.unregister(engine, key)
            del transaction.catalog.tables[key]

    tables = transaction.catalog.tables
    transaction.change_definitions(change, *(qualified(tables[key]) for key in list(tables) if key.startswith(prefix)))


def _alter(transaction: Transaction, found: re.Match[str]) -> None:
    name = found["name"]
    table = transaction.find(name)
    if table.key in transaction.temporary:
        raise ServerError("this server double alters no temporary tables", "0A000", 0)
    transaction.commit()
    altered = catalog.checked(_altered(table, found["change"]))
    if altered is not table:
        transaction.change_definitions(lambda engine: _rebuild(transaction, engine, table, altered), name)


def _altered(table: Table, change: str) -> Table:
    added, retyped, removed = _ADD.match(change), _RETYPE.match(change), _REMOVE.match(change)
    if added:
        column = catalog.read_column(added["column"])
        if table.column(column.name):
            if added["exists"]:
                return table
            raise ServerError(f'Column "{column.name}" in table "{table.name}" already exists', "42701", 2628)
        return replace(table, columns=(*table.columns, column))
    wanted = sql.plain_name((retyped or removed or {"column": ""})["column"])
    column_found = table.column(wanted)
    if not (retyped or removed):
        raise ServerError(f"this server double cannot ALTER TABLE … {change}", "0A000", 0)
    if column_found is None:
        if removed and removed["exists"]:
            return table
        raise missing_column(wanted)
    if removed:
        return replace(table, columns=tuple(c for c in table.columns if c is not column_found))
    assert retyped is not None
    kind, _ = types.read_type(retyped["type"])
    changed = types.widened(column_found, kind)
    return replace(table, columns=tuple(changed if c is column_found else c for c in table.columns))


def _rebuild(transaction: Transaction, engine: Engine, old: Table, new: Table) -> None:
    building = replace(new, name=f"{new.name} being built")
    kept = ", ".join(quoted(column.name) for column in new.columns if old.column(column.name))
    engine.execute(f"CREATE TABLE {qualified(building)} ({new.definitions()})")
    engine.execute(f"INSERT INTO {qualified(building)} ({kept}) SELECT {kept} FROM {qualified(old)}")
    engine.execute(f"DROP TABLE {qualified(old)}")
    engine.execute(f"ALTER TABLE {qualified(building)} RENAME TO {quoted(new.name)}")
    new.register(engine)
    transaction.catalog.tables[new.key] = new


def _truncate(transaction: Transaction, found: re.Match[str]) -> None:
    name = found["name"]
    table = transaction.find(name)
    if table.key in transaction.temporary:
        transaction.write(name, lambda engine: engine.execute(f"DELETE FROM {quoted(table.name)}"))
        transaction.commit()
        return
    transaction.change_definitions(lambda engine: _run(engine, f"DELETE FROM {qualified(table)}"), name)


def _run(engine: Engine, statement: str) -> None:
    engine.execute(statement)
