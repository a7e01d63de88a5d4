"""The states in a DuckDB file: `_supervisor.state`, a row for each platform, table and account.

A row without table and account holds what belongs to none: all of a state of another shape, and all of one that a
version before this layout has left, which the first commit takes apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import duckdb

from supervisor.record.state import Changes, Place

Run = Callable[[str, list[Any]], duckdb.DuckDBPyConnection]
"""Executes a statement with its values."""

TABLE = """
    CREATE SCHEMA IF NOT EXISTS _supervisor;
    CREATE TABLE IF NOT EXISTS _supervisor.state (
        platform VARCHAR NOT NULL, value VARCHAR NOT NULL, run_id VARCHAR NOT NULL, updated_at TIMESTAMP NOT NULL
    );
    ALTER TABLE _supervisor.state ADD COLUMN IF NOT EXISTS stream VARCHAR;
    ALTER TABLE _supervisor.state ADD COLUMN IF NOT EXISTS account VARCHAR;
"""
PARTS = "coalesce(stream, ''), coalesce(account, ''), value"
_AT_ONCE = 1000


def stored_parts(run: Run, platform: str) -> dict[Place, bytes]:
    """The parts of a platform's state."""
    rows = run(f"SELECT {PARTS} FROM _supervisor.state WHERE platform = ?", [platform]).fetchall()
    return {(stream, account): value.encode() for stream, account, value in rows}


def write_changes(run: Run, platform: str, changes: Changes, *, run_id: str) -> None:
    """Put parts in place of the stored ones, or take those away; the transaction is the caller's."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    for places in _batches(list(changes)):
        run(
            "DELETE FROM _supervisor.state WHERE platform = ? AND (coalesce(stream, ''), coalesce(account, '')) IN "
            f"(VALUES {_places(2, len(places))})",
            [platform, *chain(*places)],
        )
        rows = [
            (platform, part.decode(), run_id, now, *place) for place in places if (part := changes[place]) is not None
        ]
        if rows:
            run(f"INSERT INTO _supervisor.state VALUES {_places(6, len(rows))}", [*chain(*rows)])


def _batches(places: Sequence[Place]) -> Iterable[Sequence[Place]]:
    return (places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE))


def _places(columns: int, rows: int) -> str:
    """Placeholders for rows of values."""
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)
