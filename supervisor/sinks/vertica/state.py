"""The states in Vertica: `_supervisor.state`, a row for each platform, table and account."""

from __future__ import annotations

import datetime as dt

from supervisor.config.errors import SinkError
from supervisor.record.state import Changes, Place
from supervisor.sinks.vertica.bookkeeping import LONGEST_TEXT, TABLES
from supervisor.sinks.vertica.connection import Link
from supervisor.sinks.vertica.literals import literal
from supervisor.sinks.vertica.transfer import insert

_REST = "coalesce(stream, '') = ''"
_AT_ONCE = 1000


def write_changes(link: Link, platform: str, changes: Changes, *, run_id: str) -> None:
    """Put parts of a state in place of the stored ones, or take those away; not committed yet."""
    doing = f"store the state of {platform}"
    for part in changes.values():
        if part is not None and len(part) > LONGEST_TEXT:
            raise SinkError(f"the state of {platform} has {len(part):,} octets, and {LONGEST_TEXT:,} can be stored")
    for table, accounts in _by_table(changes).items():
        if not table:
            link.run(f"DELETE FROM _supervisor.state WHERE platform = {literal(platform)} AND {_REST}", doing)
            continue
        for start in range(0, len(accounts), _AT_ONCE):
            names = ", ".join(map(literal, accounts[start : start + _AT_ONCE]))
            link.run(
                f"DELETE FROM _supervisor.state WHERE platform = {literal(platform)} "
                f"AND stream = {literal(table)} AND account IN ({names})",
                doing,
            )
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    rows = [[platform, part.decode(), run_id, now, *place] for place, part in changes.items() if part is not None]
    if rows:
        insert(link, "_supervisor.state", tuple(TABLES["state"]), rows, doing)


def stored_parts(link: Link, platform: str) -> dict[Place, bytes]:
    """The parts of a platform's state."""
    rows = link.run(
        f'SELECT stream, account, "value" FROM _supervisor.state WHERE platform = {literal(platform)}',
        f"read the state of {platform}",
    )
    return {(stream or "", account or ""): value.encode() for stream, account, value in rows}


def stored_wholes(link: Link) -> dict[str, bytes]:
    """By platform, the part of its state that belongs to no table and account."""
    rows = link.run(f'SELECT platform, "value" FROM _supervisor.state WHERE {_REST}', "read the states")
    return {platform: value.encode() for platform, value in rows}


def has_parts(link: Link) -> bool:
    """Whether the table has the columns that take a state apart: a former version kept it whole."""
    return bool(
        link.run(
            "SELECT 1 FROM v_catalog.columns WHERE lower(table_schema) = '_supervisor' AND lower(table_name) = 'state' "
            "AND lower(column_name) = 'account'",
            "show the columns",
        )
    )


def _by_table(changes: Changes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, account in changes:
        found.setdefault(table, []).append(account)
    return found
