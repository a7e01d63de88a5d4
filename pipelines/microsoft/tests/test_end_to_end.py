"""What the pipeline loads is, value by value, what the platform's own user interface would show."""

from __future__ import annotations

import datetime as dt
from typing import Any

from microsoft_runs import AS_OF, Outcome, Run, Sandbox

from sandbox.microsoft.truth import TABLES, truth
from sandbox.world import World

DAY = dt.timedelta(days=1)


def test_every_table_holds_the_truth(shared: Sandbox, run: Run) -> None:
    outcome = run(shared)
    assert outcome.status == 0, outcome.log
    world = World.at(AS_OF, "tiny")
    for table in TABLES:
        assert_true(outcome, world, table, days_back=30)
    assert sum(len(rows) for rows in outcome.tables.values()) > 1000


def assert_true(outcome: Outcome, world: World, table: str, *, days_back: int) -> None:
    """Compare with the truth of each account's own last days."""
    expected: list[dict[str, Any]] = []
    for row in truth(world, table, world.first_day, AS_OF.date() + 20 * DAY):
        account = world.account("microsoft", row["account_id"])
        if "date" not in row or row["date"] >= world.today(account) - days_back * DAY:
            expected.append(row)
    got = outcome.tables.get(table, [])
    key = outcome.schemas[table].key
    assert ordered(got, key) == ordered(expected, key), table
    if expected:
        assert {column.name for column in outcome.schemas[table].columns} == set(expected[0])


def ordered(rows: list[dict[str, Any]], key: tuple[str, ...]) -> list[dict[str, Any]]:
    keys = [tuple(row[name] for name in key) for row in rows]
    assert len(set(keys)) == len(keys), "a key stands for two rows"
    return sorted(rows, key=lambda row: tuple(row[name] for name in key))
