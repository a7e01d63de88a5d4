"""One session's transaction: Vertica's rules, kept over DuckDB's.

Three rules differ. An error undoes the statement alone, while DuckDB gives up the whole transaction; a statement reads
what was committed when it began (READ COMMITTED), while DuckDB reads as of the transaction's begin; and a writer waits
for a lock, while DuckDB fails on a conflict. So the statements of an open transaction are kept and done again where
DuckDB lost them, and a query of tables that the transaction has not written runs beside it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

import duckdb

from sandbox.vertica import sql
from sandbox.vertica.catalog import SEARCH_PATH, Catalog, Table, literal
from sandbox.vertica.locks import Locks, Owner

T = TypeVar("T")
Engine = duckdb.DuckDBPyConnection


class Transaction:
    """Used by its session's thread; only `interrupt` is called from another."""

    def __init__(self, connect: Callable[[], Engine], catalog: Catalog, locks: Locks, owner: Owner) -> None:
        self._main, self._side = connect(), connect()
        for engine in (self._main, self._side):
            engine.execute(
                "SET TimeZone = 'UTC'; SET default_null_order = 'nulls_first'; SET error_on_division_by_zero = true; "
                f"SET python_enable_replacements = false; SET search_path = '{SEARCH_PATH}'"
            )
        self.catalog = catalog
        self.temporary: dict[str, Table] = {}
        self.open = False  # as Vertica reports it; DuckDB's own begins with the first write
        self._locks, self._owner = locks, owner
        self._emptied_by_commit: set[str] = set()
        self._writing = False
        self._written: set[str] = set()
        self._began = 0
        self._done: list[Callable[[], object]] = []
        self._appended: dict[str, int] = {}
        self._defined: list[str] = []

    def set_variable(self, name: str, value: object) -> None:
        for engine in (self._main, self._side):
            engine.execute(f"SET VARIABLE {name} = {literal(value)}")

    def interrupt(self) -> None:
        self._main.interrupt()
        self._side.interrupt()

    def find(self, name: str) -> Table:
        """A temporary table of this session or a shared one. Raises ServerError 42V01."""
        return self.temporary.get(sql.key(name)) or self.catalog.found(name)

    def lock(self, name: str, mode: str, *, wait: bool = True) -> None:
        """Until the transaction ends. Nobody else sees a temporary table, so none is locked."""
        key = sql.key(name)
        if key not in self.temporary:
            self._locks.take(self._owner, key, mode, wait=wait)

    def query(self, statement: str, parameters: list[object] | None = None) -> Engine:
        """A connection whose result is to be fetched. Raises duckdb.Error."""
        self.open = True
        own = (*self._written, *(table.name.lower() for table in self.temporary.values()), *self._views())
        engine = self._main if not self._writing or sql.mentions(statement, own) else self._side
        try:
            if engine is self._main:
                self._catch_up(statement)
            return engine.execute(statement, parameters)
        except duckdb.Error:
            self.undo_statement()
            raise

    def append(self, name: str, run: Callable[[Engine], T]) -> T:
        """Add rows that come from outside the database; otherwise like `write`.

        The first ones into a temporary table stay outside DuckDB's transaction, so that it begins late and need not
        be done again after others' commits; a rollback deletes them.
        """
        key = sql.key(name)
        if self._writing or key not in self.temporary:
            return self.write(name, run)
        self.open = True
        last = self._main.execute(f"SELECT coalesce(max(rowid), -1) FROM {name}").fetchone()
        assert last is not None
        result = run(self._main)
        self._appended.setdefault(name, int(last[0]))
        return result

    def write(self, name: str, run: Callable[[Engine], T], reads: str = "") -> T:
        """Do something to a table whose lock is held; `reads` is the statement, if it reads tables.

        Raises duckdb.Error; the transaction is then as before.
        """
        self.open = True
        if not self._writing:
            self._began = self._locks.now()
            self._main.execute("BEGIN")
            self._writing = True
        self._catch_up(reads)
        try:
            result = self._run_again_on_conflict(run)
        except duckdb.Error:
            self.undo_statement()
            raise
        self._done.append(lambda: run(self._main))
        self._written.add(sql.key(name).split(".", 1)[1])
        return result

    def _run_again_on_conflict(self, run: Callable[[Engine], T]) -> T:
        try:
            return run(self._main)
        except duckdb.TransactionException:  # somebody committed since DuckDB's begin, and the lock came after
            self._start_over()
            return run(self._main)

    def _catch_up(self, statement: str) -> None:
        """Begin anew if somebody changed a table of the statement since DuckDB's begin."""
        if self._writing and statement:
            changed = [key.split(".", 1)[1] for key in self._locks.changed_since(self._began)]
            if changed and sql.mentions(statement, changed):
                self._start_over()

    def undo_statement(self) -> None:
        """After an error: bring the transaction back to where it was before the statement."""
        if not self._writing:
            return
        try:
            self._main.execute("SELECT 1")
        except duckdb.Error:
            self._start_over()

    def _start_over(self) -> None:
        try:
            self._main.execute("ROLLBACK")
            self._began = self._locks.now()
            self._main.execute("BEGIN")
            for statement in self._defined:
                self._main.execute(statement)
            for again in self._done:
                again()
        except duckdb.Error:
            self.roll_back()
            raise

    def commit(self) -> None:
        if self._writing:
            for name in self._emptied_by_commit:
                self._main.execute(f"DELETE FROM {name}")
            try:
                self._main.execute("COMMIT")
            except duckdb.TransactionException:
                self._start_over()
                self._main.execute("COMMIT")
            self._locks.committed(self._owner.held)
        elif self._appended:
            for name in self._emptied_by_commit:
                self._main.execute(f"DELETE FROM {name}")
        self._ended()

    def roll_back(self) -> None:
        if self._writing:
            with contextlib.suppress(duckdb.Error):  # DuckDB may have rolled back by itself
                self._main.execute("ROLLBACK")
            for statement in self._defined:  # definitions stay: no rollback undoes them in Vertica
                self._main.execute(statement)
        for name, last in self._appended.items():
            with contextlib.suppress(duckdb.CatalogException):  # dropped meanwhile
                self._main.execute(f"DELETE FROM {name} WHERE rowid > {last}")
        self._ended()

    def define_temporary(self, statement: str) -> None:
        """Create or drop a table of this session; it neither commits nor is undone."""
        self._main.execute(statement)
        if self._writing:
            self._defined.append(statement)

    def empty_by_commit(self, name: str) -> None:
        self._emptied_by_commit.add(name)

    def forget_temporary(self, table: Table) -> None:
        del self.temporary[table.key]
        self._emptied_by_commit.discard(f'"{table.name}"')

    def change_definitions(self, change: Callable[[Engine], None], *owned: str) -> None:
        """DDL of permanent objects: it commits what came before, and itself. `owned` are the tables it changes."""
        self.commit()
        for name in owned:
            self.lock(name, "O")
        with self.catalog.changing:
            self._main.execute("BEGIN")
            try:
                change(self._main)
                self._main.execute("COMMIT")
                self._locks.committed(self._owner.held)
            except BaseException:
                self._main.execute("ROLLBACK")
                raise
            finally:
                self._locks.release(self._owner)

    def close(self) -> None:
        self.roll_back()
        self._main.close()
        self._side.close()

    def _views(self) -> list[str]:
        if not self._writing:
            return []
        return [row[0] for row in self._side.execute("SELECT lower(table_name) FROM v_catalog.views").fetchall()]

    def _ended(self) -> None:
        self.open = self._writing = False
        self._written.clear()
        self._done.clear()
        self._appended.clear()
        self._defined.clear()
        self._locks.release(self._owner)
