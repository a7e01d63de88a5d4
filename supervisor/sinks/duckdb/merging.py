"""The files of several shards put together into one: each account's part of a table is taken over whole.

What the target holds of the accounts that a file has is replaced by what the file holds, so that files can be merged
anew every night. An account of which two files hold the same table would be counted twice or lost, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.sinks.duckdb.history import TABLES as HISTORY
from supervisor.sinks.duckdb.state import TABLE as STATE
from supervisor.sinks.embedded import connect, temporary_files
from supervisor.sinks.lock import RunLock, held_by, holder_of, lock_path
from supervisor.sinks.quoting import quoted
from supervisor.sinks.staging import first_line

_ACCOUNT = "account_id"
_OWN = ("_supervisor", "ads")
_NAMED = 5


@frozen
class Merged:
    """What was taken over of one table."""

    name: str
    rows: int
    accounts: int


@frozen
class _Part:
    """A table of one file: `alias` is the file's, `columns` name and type in their order."""

    alias: str
    schema: str
    table: str
    columns: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def sql(self) -> str:
        return f"{quoted(self.alias)}.{self.target}"

    @property
    def target(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.table)}"

    @property
    def has_accounts(self) -> bool:
        return any(name == _ACCOUNT for name, _ in self.columns)

    @property
    def accounts(self) -> str:
        """The accounts that the file has loaded of it, rows or none, as a query."""
        rows = f"SELECT {_ACCOUNT} FROM {self.sql}"
        state = f"FROM {quoted(self.alias)}._supervisor.state WHERE platform = ? AND stream = ?"
        return f"SELECT DISTINCT {_ACCOUNT} FROM ({rows} UNION ALL SELECT account {state}) WHERE {_ACCOUNT} IS NOT NULL"

    @property
    def place(self) -> list[str]:
        """The values of `accounts`."""
        return [self.schema, self.table]


def merge(files: Sequence[Path], target: Path) -> list[Merged]:
    """Take over everything of the files into the target, which is made if it is not there, in one transaction.

    Raises SinkError where a file is missing, held by a run or no file of ours, where two files overlap, and where a
    column of the target has another type; the target is as it was then.
    """
    aliases = _aliases(files, target)
    lock = RunLock(lock_path(target), what=f"the DuckDB file {target}")
    try:
        with _opened(aliases, target) as connection:
            return _Merging(connection, aliases).run()
    except duckdb.Error as cause:
        raise SinkError(f"the files cannot be merged: DuckDB refused: {first_line(cause)}") from cause
    finally:
        lock.release()


def _aliases(files: Sequence[Path], target: Path) -> dict[str, Path]:
    for path in files:
        if not path.is_file():
            raise SinkError(f"there is no file {path}; name the files of the shards")
        if target.exists() and path.samefile(target):
            raise SinkError(f"{path} is the file to merge into; name the files of the shards alone")
        run = held_by(lock_path(path))
        if run is not None:
            raise SinkError(f"{path} is in use by {run}; merge when that run has ended")
    if len({path.resolve() for path in files}) < len(files):
        raise SinkError("one of the files is named twice")
    return {f"shard {number}": path for number, path in enumerate(files)}


def _opened(aliases: dict[str, Path], target: Path) -> duckdb.DuckDBPyConnection:
    try:
        return connect(target, files=temporary_files(), beside=aliases)
    except duckdb.Error as cause:
        for path in (target, *aliases.values()):
            holder = holder_of(path, str(cause))
            if holder is not None and str(path) in str(cause):
                raise SinkError(f"the DuckDB file {path} is in use by {holder}; merge when it has let go") from cause
        raise SinkError(f"a file cannot be opened: {first_line(cause)}") from cause


class _Merging:
    """One merge; `aliases` are what the files are called in SQL."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, aliases: dict[str, Path]) -> None:
        self._connection = connection
        self._aliases = aliases

    def run(self) -> list[Merged]:
        for alias, path in self._aliases.items():
            if not self._rows(_STATE_IS_THERE, [alias]):
                raise SinkError(f"{path} has no state of any platform: it is no file that a run has filled")
        parts = self._parts()
        self._refuse_overlaps(parts)
        self._connection.execute(STATE)
        self._connection.execute(HISTORY)
        self._connection.execute("BEGIN TRANSACTION")
        try:
            merged = list(self._take_tables(parts))
            self._take_states()
            self._take_runs()
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            raise
        return merged

    def _parts(self) -> list[_Part]:
        found: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        for alias, schema, table, column, kind in self._rows(_COLUMNS, [list(self._aliases), list(_OWN)]):
            found.setdefault((schema, table, alias), []).append((column, kind))
        return [_Part(alias, schema, table, tuple(columns)) for (schema, table, alias), columns in found.items()]

    def _refuse_overlaps(self, parts: Sequence[_Part]) -> None:
        """Raise SinkError where two files hold the same account's part of a table, or a table without accounts."""
        by_name: dict[str, list[_Part]] = {}
        for part in parts:
            by_name.setdefault(part.name, []).append(part)
        for name, same in by_name.items():
            if not all(part.has_accounts for part in same):
                self._refuse_several(name, [part for part in same if self._count(part)])
                continue
            queries = " UNION ALL ".join(f"SELECT {_ACCOUNT} FROM ({part.accounts})" for part in same)
            twice = self._rows(
                f"SELECT {_ACCOUNT} FROM ({queries}) GROUP BY {_ACCOUNT} HAVING count(*) > 1 ORDER BY {_ACCOUNT}",
                [value for part in same for value in part.place],
            )
            if twice:
                raise SinkError(self._overlap(name, [account for (account,) in twice], same))

    def _refuse_several(self, name: str, filled: Sequence[_Part]) -> None:
        if len(filled) > 1:
            files = " and ".join(str(self._aliases[part.alias]) for part in filled)
            raise SinkError(
                f"{files} both have rows of {name}, which has no column {_ACCOUNT}, so nothing says whose they are"
            )

    def _overlap(self, name: str, accounts: Sequence[str], parts: Sequence[_Part]) -> str:
        holders = [
            str(self._aliases[part.alias])
            for part in parts
            if self._rows(f"SELECT 1 FROM ({part.accounts}) WHERE {_ACCOUNT} = ?", [*part.place, accounts[0]])
        ]
        named = ", ".join(accounts[:_NAMED]) + (f" and {len(accounts) - _NAMED} more" if len(accounts) > _NAMED else "")
        return (
            f"{' and '.join(holders)} both hold {name} of the account{'s' if len(accounts) > 1 else ''} {named}; after "
            "a change of the number of shards begin with new files, and leave the former ones out"
        )

    def _take_tables(self, parts: Sequence[_Part]) -> Iterator[Merged]:
        taken: dict[str, Merged] = {}
        for part in parts:
            self._make_room(part)
            (accounts,) = (
                self._rows(f"SELECT count(*) FROM ({part.accounts})", part.place)[0] if part.has_accounts else (0,)
            )
            if part.has_accounts:
                self._connection.execute(f"DELETE FROM {part.target} WHERE {_ACCOUNT} IN ({part.accounts})", part.place)
            elif self._count(part):
                self._connection.execute(f"DELETE FROM {part.target}")
            self._connection.execute(f"INSERT INTO {part.target} BY NAME SELECT * FROM {part.sql}")
            before = taken.get(part.name, Merged(part.name, 0, 0))
            taken[part.name] = Merged(part.name, before.rows + self._count(part), before.accounts + accounts)
        yield from taken.values()

    def _make_room(self, part: _Part) -> None:
        """The table with at least the part's columns, of the same types."""
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(part.schema)}")
        described = ", ".join(f"{quoted(name)} {kind}" for name, kind in part.columns)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {part.target} ({described})")
        there = dict(self._rows(_TARGET_COLUMNS, [part.schema, part.table]))
        for name, kind in part.columns:
            if name not in there:
                self._connection.execute(f"ALTER TABLE {part.target} ADD COLUMN {quoted(name)} {kind}")
            elif there[name] != kind:
                raise SinkError(
                    f"{part.name}: the column {name!r} is {kind} in {self._aliases[part.alias]} and {there[name]} in "
                    "the file to merge into; rename that table"
                )

    def _take_states(self) -> None:
        """Each account's part; what belongs to no account must be the same in all files."""
        for alias in self._aliases:
            place = "platform, coalesce(stream, ''), coalesce(account, '')"
            state = f"{quoted(alias)}._supervisor.state"
            self._connection.execute(
                f"DELETE FROM _supervisor.state WHERE ({place}) IN (SELECT ({place}) FROM {state})"
            )
            self._connection.execute(f"INSERT INTO _supervisor.state BY NAME SELECT * FROM {state}")

    def _take_runs(self) -> None:
        for alias in self._aliases:
            there = {table for (table,) in self._rows(_HISTORY_TABLES, [alias])}
            for table in sorted(there & {"runs", "platforms", "attempts"}):
                runs = f"{quoted(alias)}._supervisor.{table}"
                self._connection.execute(f"DELETE FROM _supervisor.{table} WHERE run_id IN (SELECT run_id FROM {runs})")
                self._connection.execute(f"INSERT INTO _supervisor.{table} BY NAME SELECT * FROM {runs}")

    def _count(self, part: _Part) -> int:
        ((count,),) = self._rows(f"SELECT count(*) FROM {part.sql}", [])
        return int(count)

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, list(values)).fetchall()


_STATE_IS_THERE = """
    SELECT 1 FROM duckdb_columns()
    WHERE database_name = ? AND schema_name = '_supervisor' AND table_name = 'state' AND column_name = 'account'
"""
_COLUMNS = """
    SELECT c.database_name, c.schema_name, c.table_name, c.column_name, c.data_type
    FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid, database_oid)
    WHERE list_contains(?, c.database_name) AND NOT list_contains(?, c.schema_name) AND NOT c.internal
    ORDER BY c.schema_name, c.table_name, c.database_name, c.column_index
"""
_TARGET_COLUMNS = """
    SELECT column_name, data_type FROM duckdb_columns()
    WHERE database_name = current_database() AND schema_name = ? AND table_name = ?
"""
_HISTORY_TABLES = """
    SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = '_supervisor'
"""
