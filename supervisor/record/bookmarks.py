"""The state of a pipeline, as far as it says which days of which account and table are there: see docs/wire.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class Bookmark:
    """What one state knows of one account's part of one table; `complete` and `settled` are ranges of ISO days.

    `of_report` says that the table is a report of one's own.
    """

    table: str
    account: str
    complete: tuple[tuple[str, str], ...]
    settled: tuple[tuple[str, str], ...]
    of_report: bool = False


def bookmarks(state: str) -> tuple[Bookmark, ...] | None:
    """All bookmarks of a state, or None where a pipeline keeps a state of another shape."""
    try:
        found = tuple(_bookmarks(json.loads(state)))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None
    return found or None


def without(state: str, *, table: str | None = None, account: str | None = None) -> str | None:
    """The state without a table, an account, or an account's part of a table; None where nothing of it is left.

    Raises LookupError where the state has no such part. A table can be taken out of any Singer state that has
    `bookmarks`, an account only out of one of our shape.
    """
    value = json.loads(state)
    marks = value.get("bookmarks") if isinstance(value, dict) else None
    if not isinstance(marks, dict):
        raise LookupError("its pipeline keeps a state without bookmarks, so it can only be reset as a whole")
    tables = [name for name in marks if table in (None, name)]
    if account is None:
        for name in tables:
            del marks[name]
        changed = bool(tables)
    else:
        dropped = [_drop_account(marks, name, account) for name in tables]
        changed = any(dropped)
    if not changed:
        known = f"it has the tables {', '.join(marks)}" if table is not None and not tables else "no table has it"
        raise LookupError(f"its state knows nothing of {' and '.join(filter(None, (table, account)))}; {known}")
    # What remains beside empty bookmarks says how to go on with them, and nothing more.
    return json.dumps(value, ensure_ascii=False) if marks else None


def _bookmarks(value: Any) -> Iterator[Bookmark]:
    marks: Mapping[str, Mapping[str, Any]] = value["bookmarks"]
    for table, mark in marks.items():
        accounts: Mapping[str, Mapping[str, Any]] = mark["accounts"]
        for account, days in accounts.items():
            yield Bookmark(
                table=table,
                account=account,
                complete=_ranges(days.get("complete", ())),
                settled=_ranges(days.get("settled", ())),
                of_report="definition" in days,
            )


def _ranges(ranges: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, last) for first, last in ranges)


def _drop_account(marks: dict[str, Any], table: str, account: str) -> bool:
    accounts = marks[table].get("accounts") if isinstance(marks[table], dict) else None
    if not isinstance(accounts, dict):
        raise LookupError("its pipeline keeps no accounts in its state, so only a table or the whole can be reset")
    if account not in accounts:
        return False
    del accounts[account]
    if not accounts:
        del marks[table]
    return True
