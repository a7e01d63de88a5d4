"""The tables of the schema `_supervisor`: states, the ledger of commits, the locks, and the runs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from attrs import field, frozen

from supervisor.sinks.vertica.connection import Link
from supervisor.sinks.vertica.literals import literal, moment
from supervisor.sinks.vertica.refusals import DUPLICATES, RefusedError
from supervisor.sinks.vertica.target import make_schema

LONGEST_TEXT = 4_000_000  # octets of a state, of a report, of a message
_LONG = f"LONG VARCHAR({LONGEST_TEXT})"
_ID = "VARCHAR(512)"
LOCK = {"held": "BOOLEAN"}
"""The columns of a table that is only there to be locked."""
TABLES: Mapping[str, Mapping[str, str]] = {
    # A row for each platform, table and account; without the two it holds what belongs to none, as it did for all of a
    # state in versions before this layout.
    "state": {
        "platform": _ID,
        "value": _LONG,
        "run_id": _ID,
        "updated_at": "TIMESTAMP",
        "stream": _ID,
        "account": _ID,
    },
    "loads": {
        "batch_id": "VARCHAR(36)",
        "run_id": _ID,
        "platform": _ID,
        "streams": _LONG,
        "rows": "INT",
        "committed_at": "TIMESTAMP",
    },
    "run_lock": LOCK,
    "runs": {
        "run_id": _ID,
        "started_at": "TIMESTAMP",
        "finished_at": "TIMESTAMP",
        "exit_code": "INT",
        "total_platforms": "INT",
        "completed": "INT",
        "failed": "INT",
        "skipped": "INT",
        "success_rate": "FLOAT",
        "total_rows_processed": "INT",
        "total_duration_seconds": "FLOAT",
        "report": _LONG,
    },
    "platforms": {
        "run_id": _ID,
        "platform": _ID,
        "status": _ID,
        "started_at": "TIMESTAMP",
        "duration_seconds": "FLOAT",
        "rows_processed": "INT",
        "tables_processed": "INT",
        "retry_count": "INT",
        "error_message": _LONG,
        "finished": "BOOLEAN",
    },
    "attempts": {
        "run_id": _ID,
        "platform": _ID,
        "number": "INT",
        "outcome": _ID,
        "started_at": "TIMESTAMP",
        "duration_seconds": "FLOAT",
        "rows_processed": "INT",
        "tables_processed": "INT",
        "bytes_read": "INT",
        "peak_memory_bytes": "INT",
        "blocked_on_sink_seconds": "FLOAT",
        "exit_status": "INT",
        "signal": "INT",
        "message": _LONG,
    },
}


def make_tables(link: Link, locks: Sequence[str] = ()) -> None:
    """Create those that are missing, and tables to lock; each is whole on every node.

    What a former version has left is widened. Others may do the same at the same time.
    """
    wanted = {**TABLES, **dict.fromkeys(locks, LOCK)}
    found = link.run(
        "SELECT lower(table_name) FROM v_catalog.tables WHERE lower(table_schema) = '_supervisor'", "show the tables"
    )
    missing = sorted(set(wanted) - {name for (name,) in found})
    if "state" not in missing:
        _add_columns(link, "state")
    if missing:
        make_schema(link, "_supervisor")
    for name in missing:
        columns = ", ".join(f'"{column}" {kind}' for column, kind in wanted[name].items())
        _define(
            link,
            f"CREATE TABLE IF NOT EXISTS _supervisor.{name} ({columns}) UNSEGMENTED ALL NODES",
            f"create the table _supervisor.{name}",
        )


def _add_columns(link: Link, name: str) -> None:
    """Those that a table of a former version lacks."""
    found = link.run(
        "SELECT lower(column_name) FROM v_catalog.columns "
        f"WHERE lower(table_schema) = '_supervisor' AND lower(table_name) = {literal(name)}",
        "show the columns",
    )
    known = {column for (column,) in found}
    for column, kind in TABLES[name].items():
        if column not in known:
            _define(
                link,
                f'ALTER TABLE _supervisor.{name} ADD COLUMN IF NOT EXISTS "{column}" {kind}',
                f"widen _supervisor.{name}",
            )


def _define(link: Link, statement: str, doing: str) -> None:
    """DDL that another run may do at the same time: IF NOT EXISTS looks before it waits for the catalog."""
    try:
        link.run(statement, doing)
    except RefusedError as refusal:
        if refusal.sqlstate not in DUPLICATES:
            raise


@frozen(kw_only=True)
class Batch:
    """One commit, as the ledger has it: an entry is there exactly when its rows and its state are."""

    run_id: str
    platform: str
    streams: tuple[str, ...]
    id: str = field(factory=lambda: str(uuid.uuid4()))

    def enter(self, link: Link, rows: int) -> None:
        """Write the entry; not committed yet."""
        values = ", ".join(map(literal, (self.id, self.run_id, self.platform, ", ".join(self.streams))))
        names = ", ".join(f'"{name}"' for name in TABLES["loads"])
        link.run(
            f"INSERT INTO _supervisor.loads ({names}) VALUES ({values}, {rows}, {moment(dt.datetime.now(dt.UTC))})",
            "write the ledger",
        )

    def is_entered(self, link: Link) -> bool:
        """Whether it was committed by a connection that is lost now.

        That one's transaction has a lock on the ledger until it is over, so who gets a lock against it knows for good.
        """
        link.run("LOCK TABLE _supervisor.loads IN EXCLUSIVE MODE", "wait for what was under way")
        found = link.count(
            f"SELECT count(*) FROM _supervisor.loads WHERE batch_id = {literal(self.id)}", "read the ledger"
        )
        link.run("ROLLBACK", "give the ledger free")
        return found > 0
