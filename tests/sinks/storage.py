"""A storage as the suite sees it: how it is opened, what a reader finds in it, and what it cannot keep.

Each sink has a module here, named after its STORAGE_TYPE, with a class that does this; `conftest.py` hands them out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit, Refusal, Session, Sink
from wire.schema import Column, Table, Type

GOOGLE_CUSTOMER = Table(
    "customer",
    tuple(Column(n, Type.STRING) for n in ("account_id", "descriptive_name", "currency_code", "time_zone")),
    ("account_id",),
)
"""What the views over all platforms read of Google's accounts."""


class Storage(Protocol):
    """One empty storage. `open` may be called again after `Sink.close`, and finds what was stored."""

    keeps_rows: ClassVar[bool]
    """Whether rows can be read back."""
    keeps_state: ClassVar[bool]
    """Whether the state of a commit can be read back."""
    replaces: ClassVar[bool]
    """Whether rows that a region no longer has disappear."""
    isolated: ClassVar[bool]
    """Whether a commit that fails half-way leaves everything as it was."""
    widest: ClassVar[int]
    """How many columns a table may have."""
    longest_text: ClassVar[int]
    """How many characters (of one byte) a text may have."""

    def __init__(self, directory: Path) -> None:
        """`directory` is empty, and the storage's own."""

    @property
    def variables(self) -> dict[str, str]:
        """What points `supervisor run` to it."""

    def open(self) -> Sink: ...

    def rows(self, platform: str, table: Table) -> list[dict[str, Any]]:
        """What a reader finds in a table, in any order; nothing where there is no such table.

        Values are None, str, int, float, Decimal, bool, date, datetime (UTC, without saying so), and whatever JSON is
        in a JSON column; without the columns that the sink adds. Called while no sink is open, or beside one.
        """

    def occupy(self, platform: str, table: Table) -> None:
        """Make a table of that name that is not ours, with one column; only where regions are replaced."""

    def leave_old_state(self, platform: str, state: str) -> None:
        """Keep a state as the versions did that kept it whole, one row for a platform; before the first `open`."""

    def state_writes(self, run_id: str) -> int | None:
        """How many parts of states a run has written; None where they are not kept apart."""

    def forget_dead_run(self) -> None:
        """Take away what a killed run still holds, as time would; nothing where a hold dies with its holder."""

    def close(self) -> None:
        """End whatever was started for it."""


def write_spool(directory: Path, *rows: dict[str, Any]) -> Path:
    """The rows as the loader spools them."""
    spool = directory / "spool.jsonl"
    spool.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return spool


def stage(session: Session, table: Table, *rows: dict[str, Any], directory: Path) -> None:
    session.stage(table.name, write_spool(directory, *rows), len(rows))


def commit_one(session: Session, commit: Commit) -> Mapping[str, int]:
    """The rows that one commit stored of each stream; raises SinkError where its region was refused."""
    (result,) = session.commit([commit])
    if isinstance(result, Refusal):
        raise SinkError(result.sentence)
    return result


def load(
    sink: Sink,
    directory: Path,
    table: Table,
    *rows: dict[str, Any],
    platform: str = "p",
    run: str = "run-1",
    forget: bool = False,
    **commit: Any,
) -> dict[str, int]:
    """One session that prepares a table, stages rows, commits them and ends; how many rows it stored."""
    session = sink.session(platform, run)
    try:
        if forget:
            session.forget_state()
        session.prepare(table)
        stage(session, table, *rows, directory=directory)
        stored = commit_one(session, Commit(streams=(table.name,), **commit))
        session.flush()
    finally:
        session.close()
    return dict(stored)


EVERY_TYPE = Table("all_types", tuple(Column(f"a_{kind}", kind) for kind in Type), ("a_string",))
DAILY = Table(
    "daily",
    (
        Column("account_id", Type.STRING),
        Column("campaign_id", Type.STRING),
        Column("date", Type.DATE),
        Column("n", Type.INTEGER),
        Column("cost", Type.DECIMAL),
    ),
    ("account_id", "campaign_id", "date"),
    "date",
)
ENTITY = Table(
    "campaign",
    (Column("account_id", Type.STRING), Column("campaign_id", Type.STRING), Column("name", Type.STRING)),
    ("account_id", "campaign_id"),
)


def day(account: str, campaign: str, date: str, n: int, cost: str | None = None) -> dict[str, Any]:
    """A row of DAILY."""
    return {"account_id": account, "campaign_id": campaign, "date": date, "n": n, "cost": cost}
