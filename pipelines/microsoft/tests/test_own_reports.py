"""Reports of one's own hold, value by value, what the platform's own user interface would show."""

from __future__ import annotations

import datetime as dt
from typing import Any

from microsoft_runs import AS_OF, Outcome, Run, Sandbox, Serve

from sandbox.microsoft.report_truth import Asked, rows
from sandbox.world import World

DAY = dt.timedelta(days=1)
CORE = ("impressions", "clicks", "spend", "conversions_qualified", "revenue")


def own(name: str, of: str, *metrics: str, **others: Any) -> dict[str, Any]:
    return {"name": name, "of": f"{of}Report", "metrics": list(metrics), **others}


# Each definition as a user writes it, and the same as the world is asked.
REPORTS: dict[str, tuple[dict[str, Any], Asked]] = {
    "campaign_device": (
        own("campaign_device", "CampaignPerformance", *CORE, by=["DeviceType"], attributes=["CampaignName"]),
        Asked("campaign", ("campaign_id", "device_type"), ("campaign_name", *CORE), splits=("DeviceType",)),
    ),
}


def last_days(world: World, asked: Asked, days: int = 30) -> list[dict[str, Any]]:
    """The truth of the last days of each account, of months all that have one of them."""
    truth = rows(world, asked, world.first_day, world.as_of.date() + 2 * DAY)
    todays = {account.id: world.today(account) for account in world.accounts("microsoft")}
    firsts = {each: today - days * DAY for each, today in todays.items()}
    if asked.grain == "month":
        firsts = {each: day.replace(day=1) for each, day in firsts.items()}
    return [row for row in truth if firsts[row["account_id"]] <= row["date"]]


def assert_holds(outcome: Outcome, name: str, expected: list[dict[str, Any]]) -> None:
    key = outcome.schemas[name].key
    got = {tuple(row[each] for each in key): row for row in outcome.tables[name]}
    true = {tuple(row[each] for each in key): row for row in expected}
    assert len(got) == len(outcome.tables[name])
    assert len(true) == len(expected)
    assert got.keys() == true.keys(), name
    for each, row in true.items():
        assert got[each] == row, name


def test_reports_of_all_kinds_hold_the_truth(shared: Sandbox, run: Run) -> None:
    settings = {"tables": ["account"], "reports": [definition for definition, _ in REPORTS.values()]}
    outcome = run(shared, settings=settings)
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    world = World.at(AS_OF, "tiny")
    for name, (_, asked) in REPORTS.items():
        assert_holds(outcome, name, last_days(world, asked))
