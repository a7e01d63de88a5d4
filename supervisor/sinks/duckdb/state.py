"""The states in a DuckDB file: `_supervisor.state`, a row for each platform, table and account.

A row without table and account holds what belongs to none: all of a state of another shape, and all of one that a
version before this layout has left, which the first commit takes apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
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


def stored_parts(run: Run, platform: str) -> dict[Place, bytes]:
    """The parts of a platform's state."""
    rows = run(f"SELECT {PARTS} FROM _supervisor.state WHERE platform = ?", [platform]).fetchall()
    return {(stream, account): value.encode() for stream, account, value in rows}


def write_changes(run: Run, platform: str, changes: Changes, *, run_id: str) -> None:
    """Put parts in place of the stored ones, or take those away; the transaction is the caller's."""
    if not changes:
        return
    # A list is one value, however many parts there are; a value of each would be read and planned by itself.
    run(
        "DELETE FROM _supervisor.state USING (SELECT unnest(?::VARCHAR[]) AS s, unnest(?::VARCHAR[]) AS a) AS changed "
        "WHERE platform = ? AND coalesce(stream, '') = s AND coalesce(account, '') = a",
        [*_columns(changes), platform],
    )
    left = {place: part.decode() for place, part in changes.items() if part is not None}
    if left:
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        run(
            "INSERT INTO _supervisor.state (platform, value, run_id, updated_at, stream, account) "
            "SELECT ?, unnest(?::VARCHAR[]), ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [platform, [*left.values()], run_id, now, *_columns(left)],
        )


def _columns(places: Iterable[Place]) -> tuple[list[str], list[str]]:
    """The streams and the accounts of places, in the same order."""
    streams, accounts = zip(*places, strict=True)
    return [*streams], [*accounts]
