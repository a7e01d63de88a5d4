"""Statements carried out, and answered on the wire: reads, changes of rows, COPY, and those without a result."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sandbox.vertica import copying, definitions, dialect, loading, sql, types
from sandbox.vertica.catalog import NODE
from sandbox.vertica.database import Database
from sandbox.vertica.errors import ServerError, syntax_error
from sandbox.vertica.exchange import ROWS_LOADED, Exchange, Received
from sandbox.vertica.faults import Fault
from sandbox.vertica.loading import Loaded, Loader
from sandbox.vertica.locks import MODES, Owner
from sandbox.vertica.protocol import Channel, DisconnectedError, HangingError, ResultColumn
from sandbox.vertica.transaction import Engine, Transaction
from sandbox.vertica.values import encoder

CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")
READS = ("SELECT", "WITH", "VALUES")
_DEFINES = ("CREATE", "ALTER", "DROP", "TRUNCATE")
COUNT = ResultColumn("OUTPUT", types.Type(types.INTEGER))
_FETCHED = 2_048  # rows at a time
MOST_MERGED_COLUMNS = 831  # of a MERGE's target, says its documentation

_LOCK = re.compile(
    r"LOCK\s+(?:TABLE\s+)?(?P<names>.+?)\s+IN\s+(?P<mode>[A-Z ]+?)\s+MODE(?P<nowait>\s+NOWAIT)?$", re.I | re.S
)
_AUTOCOMMIT = re.compile(r"SET\s+(?:SESSION\s+)?AUTOCOMMIT\s+(?:TO\s+|=\s*)?(ON|OFF)", re.I)
_MERGE = re.compile(
    rf"MERGE\s+INTO\s+({sql.NAME})(?:\s+(?:AS\s+)?(?!USING\b)(\w+))?\s+USING\s+(\([^)]*\)|{sql.NAME})"
    r"(?:\s+(?:AS\s+)?(?!ON\b)(\w+))?\s+ON\s+(.*?)\s+WHEN\s",
    re.I | re.S,
)
_REJECTED_COLUMNS = (
    "node_name VARCHAR(128), row_number INT, rejected_data LONG VARCHAR(32000000), rejected_data_orig_length INT, "
    "rejected_reason VARCHAR(1000)"
)


class Statements:
    """One session's. `run` answers with everything but errors and ReadyForQuery."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        transaction: Transaction,
        owner: Owner,
        *,
        number: int,
        label: str,
        autocommit: bool,
    ) -> None:
        self._database = database
        self._channel = channel
        self._transaction = transaction
        self._owner = owner
        self._number = number
        self._label = label
        self._autocommit = autocommit
        self._spools: list[Path] = []

    def run(self, statement: str, parameters: list[object] | None = None, *, described: bool = False) -> None:
        """One statement and its answer. Raises ServerError and duckdb.Error."""
        self._database.statements.append(statement)
        self._owner.statement = statement
        if self._fault("hang", statement):
            raise HangingError
        if self._fault("close", statement):
            raise DisconnectedError
        dialect.check(statement)
        word = sql.head(statement)
        if word in READS:
            self._read(statement, parameters, described=described)
        elif word in CHANGES:
            self._change(statement, parameters, described=described)
        elif word == "COPY":
            self._copy(statement, described=described)
        else:
            self._channel.complete(self._command(word, statement))
        if self._autocommit and word not in ("BEGIN", "START"):
            self._transaction.commit()

    def _command(self, word: str, statement: str) -> str:
        """A statement without a result; its tag."""
        if word in ("COMMIT", "END"):
            self._commit(statement)
            return "COMMIT"
        if word in ("ROLLBACK", "ABORT"):
            self._transaction.roll_back()
            return "ROLLBACK"
        if word in ("BEGIN", "START"):
            self._transaction.open = True
            return "BEGIN"
        if word in _DEFINES:
            return definitions.define(self._transaction, statement)
        if word == "LOCK":
            return self._lock(statement)
        if word == "SET":
            return self._set(statement)
        raise syntax_error(word)

    def _commit(self, statement: str) -> None:
        if self._fault("lose_commit", statement):
            raise DisconnectedError
        self._transaction.commit()
        if self._fault("lose_commit_answer", statement):
            raise DisconnectedError

    def _lock(self, statement: str) -> str:
        found = _LOCK.match(statement)
        mode = MODES.get(" ".join(found["mode"].upper().split())) if found else None
        if not found or mode is None:
            raise syntax_error("LOCK")
        for name in sql.comma_separated(found["names"]):
            self._transaction.find(name)
            self._transaction.lock(name, mode, wait=not found["nowait"])
        self._transaction.open = True
        return "LOCK TABLE"

    def _set(self, statement: str) -> str:
        found = _AUTOCOMMIT.match(statement)
        if found:
            self._transaction.commit()
            self._autocommit = found[1].upper() == "ON"
            self._channel.parameter("auto_commit", found[1].lower())
        return "SET"

    def _change(self, statement: str, parameters: list[object] | None, *, described: bool) -> None:
        found = sql.target(statement)
        if found is None:
            raise syntax_error(" ".join(statement.split()[:2]))
        name, mode = found
        columns = len(self._transaction.find(name).columns)
        if sql.head(statement) == "MERGE" and columns > MOST_MERGED_COLUMNS:
            raise ServerError(f"MERGE: the target has {columns} columns, more than {MOST_MERGED_COLUMNS}", "54011", 0)
        self._transaction.lock(name, mode)
        done = sql.translated(statement)
        merge = _MERGE.match(done)

        def work(engine: Engine) -> int:
            if merge:
                _refuse_ambiguous_merge(engine, merge)
            row = engine.execute(done, parameters).fetchone()
            return int(row[0]) if row else 0

        count = self._transaction.write(name, work, reads=done)
        if not described:
            self._channel.describe([COUNT])
        self._channel.row([str(count).encode()])
        self._channel.complete(sql.head(statement))

    def _read(self, statement: str, parameters: list[object] | None, *, described: bool) -> None:
        ordered = sql.with_nulls_placed(sql.translated(statement), self._source_types(statement))
        engine = self._transaction.query(ordered, parameters)
        columns = self.columns(engine, statement)
        if not described:
            self._channel.describe(columns)
        encoders = [encoder(column) for column in columns]
        while rows := engine.fetchmany(_FETCHED):
            for row in rows:
                self._channel.row(
                    None if value is None else encode(value) for encode, value in zip(encoders, row, strict=True)
                )
        self._channel.complete("SELECT")

    def columns(self, engine: Engine, statement: str) -> list[ResultColumn]:
        """Those of a result; a column of the first table in FROM has its declared type and length."""
        declared = self._source_types(statement)
        columns = []
        for name, stored, *_ in engine.description or []:
            computed = types.of_engine(str(stored))
            kept = declared.get(name.lower())
            kind = kept if kept is not None and kept.stored == computed.stored else computed
            columns.append(self._channel.result_column(name, kind))
        return columns

    def _source_types(self, statement: str) -> dict[str, types.Type]:
        name = sql.first_table(statement)
        if name is None:
            return {}
        key = sql.key(name)
        table = self._transaction.temporary.get(key) or self._database.catalog.tables.get(key)
        return table.types if table else {}

    def _copy(self, statement: str, *, described: bool) -> None:
        copy = copying.read(statement)
        columns = loading.target_columns(self._transaction, copy)
        if copy.rejected_table:
            definitions.define(
                self._transaction, f"CREATE TABLE IF NOT EXISTS {copy.rejected_table} ({_REJECTED_COLUMNS})"
            )
        self._transaction.lock(copy.table, "I")
        self._transaction.open = True
        if copy.local and not described:
            self._channel.describe([ROWS_LOADED])
        loader = Loader(self._transaction, copy, columns)

        def load(received: Received) -> Loaded:
            return loader.load(received.spool, has_escapes=received.has_escapes)

        exchange = Exchange(self._channel, copy, lambda kind: self._fault(kind, statement), self._new_spool, load)
        loaded = exchange.run(len(columns))
        if copy.rejected_table and loaded.rejected:
            rejects = loading.rejects_table(copy.rejected_table, loaded.rejected, NODE)
            self._transaction.write(copy.rejected_table, lambda engine: engine.execute(rejects))
        short = 1 if self._fault("short_count", statement) else 0
        self.count_rows(loaded.accepted - short, len(loaded.rejected))
        if copy.commits and sql.key(copy.table) not in self._transaction.temporary:
            self._transaction.commit()
        if copy.local:
            self._channel.row([str(loaded.accepted - short).encode()])
        self._channel.complete("COPY")

    def count_rows(self, accepted: int, rejected: int) -> None:
        """What GET_NUM_ACCEPTED_ROWS() and GET_NUM_REJECTED_ROWS() say."""
        self._transaction.set_variable("accepted", accepted)
        self._transaction.set_variable("rejected", rejected)

    def _fault(self, kind: str, statement: str) -> Fault | None:
        return self._database.faults.strike(kind, statement, self._label)

    def _new_spool(self) -> Path:
        spool = self._database.spools / f"{self._number}-{len(self._spools)}.csv"
        self._spools.append(spool)
        return spool

    def drop_spools(self) -> None:
        """The files of the COPYs of a transaction, which may have to be read again until it ends."""
        for spool in self._spools:
            for path in _with_derived(spool):
                path.unlink(missing_ok=True)
        self._spools.clear()


def _with_derived(spool: Path) -> Iterable[Path]:
    return (spool, spool.with_suffix(".plain"), spool.with_suffix(".rows"))


def _refuse_ambiguous_merge(engine: Engine, merge: re.Match[str]) -> None:
    """Vertica lets a row of the target match one row of the source only."""
    target, alias, source, source_alias, condition = merge.groups()
    query = (
        f"SELECT 1 FROM {target} {alias or ''} JOIN {source} {source_alias or ''} ON {condition} "
        f"GROUP BY {alias or target}.rowid HAVING count(*) > 1 LIMIT 1"
    )
    if engine.execute(query).fetchone():
        raise ServerError(f"Duplicate MERGE key detected in join [({target} x {source})]; value [...]", "23505", 3147)
