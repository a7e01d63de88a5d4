"""The life of a report of one's own, from the configuration to the database: loaded, widened, refused, taken out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.facebook.report_truth import report_truth as facebook_truth
from sandbox.google.report_truth import report_truth as google_truth
from sandbox.linkedin.report_truth import Breakdown, report_truth
from sandbox.microsoft.report_truth import Asked
from sandbox.microsoft.report_truth import rows as microsoft_truth
from sandbox.world import World

AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LATER = AS_OF + dt.timedelta(days=10)
FIRST_DAY = dt.date(2026, 10, 11)
SETTLED = AS_OF.date() - dt.timedelta(days=30)
"""The last day that the first run loaded and no lookback reaches any more."""


@dataclass(frozen=True)
class Life:
    """A report, the same with a metric more, whose column is named, and the same of months; `truth` has all columns."""

    table: str
    report: dict[str, Any]
    wider: dict[str, Any]
    column: str
    monthly: dict[str, Any]
    truth: Callable[[World], list[dict[str, Any]]]


def _linkedin(world: World) -> list[dict[str, Any]]:
    metrics = ("impressions", "cost_in_local_currency", "clicks")
    wanted = Breakdown("campaign", metrics, ["impression_device_type"], ["campaign_name"])
    return report_truth(world, wanted, FIRST_DAY, world.as_of.date())


def _google(world: World) -> list[dict[str, Any]]:
    metrics = ["impressions", "cost_micros", "clicks"]
    return google_truth(world, {**GOOGLE, "metrics": metrics}, FIRST_DAY, world.as_of.date())


def _facebook(world: World) -> list[dict[str, Any]]:
    definition = {**FACEBOOK, "name": "own_daily", "metrics": ["impressions", "spend", "clicks"]}
    return facebook_truth(world, definition, FIRST_DAY, world.as_of.date())["own_daily"]


def _microsoft(world: World) -> list[dict[str, Any]]:
    columns = ("campaign_name", "impressions", "spend", "clicks")
    wanted = Asked("campaign", ("campaign_id", "device_type"), columns, splits=("DeviceType",))
    return microsoft_truth(world, wanted, FIRST_DAY, world.as_of.date() + dt.timedelta(days=1))


FACEBOOK = {"of": "campaign", "by": ["country"], "attributes": ["campaign_name"], "lookback_days": 30}
GOOGLE = {"of": "campaign", "by": ["device"], "attributes": ["campaign.name"]}
MICROSOFT = {"of": "CampaignPerformanceReport", "by": ["DeviceType"], "attributes": ["CampaignName"]}
LINKEDIN = {"of": "campaign", "by": ["IMPRESSION_DEVICE_TYPE"], "attributes": ["campaign_name"]}
LIVES = {
    "facebook": Life(
        table="campaign_daily",
        report={**FACEBOOK, "metrics": ["impressions", "spend"]},
        wider={**FACEBOOK, "metrics": ["impressions", "spend", "clicks"]},
        column="clicks",
        monthly={"of": "account", "by": ["country"], "metrics": ["impressions"], "grain": "month"},
        truth=_facebook,
    ),
    "google": Life(
        table="campaign_daily",
        report={**GOOGLE, "metrics": ["impressions", "cost_micros"]},
        wider={**GOOGLE, "metrics": ["impressions", "cost_micros", "clicks"]},
        column="clicks",
        monthly={"of": "geographic_view", "by": ["campaign"], "metrics": ["impressions"], "grain": "month"},
        truth=_google,
    ),
    "microsoft": Life(
        table="campaign_daily",
        report={**MICROSOFT, "metrics": ["Impressions", "Spend"]},
        wider={**MICROSOFT, "metrics": ["Impressions", "Spend", "Clicks"]},
        column="clicks",
        monthly={
            "of": "GeographicPerformanceReport",
            "by": ["CampaignId", "Country"],
            "metrics": ["Impressions"],
            "grain": "month",
        },
        truth=_microsoft,
    ),
    "linkedin": Life(
        table="campaign_daily",
        report={**LINKEDIN, "metrics": ["impressions", "costInLocalCurrency"]},
        wider={**LINKEDIN, "metrics": ["impressions", "costInLocalCurrency", "clicks"]},
        column="clicks",
        monthly={"of": "account", "by": ["MEMBER_COMPANY"], "metrics": ["impressions"], "grain": "month"},
        truth=_linkedin,
    ),
}


@pytest.mark.parametrize("platform", LIVES)
def test_a_report_is_loaded_widened_refused_and_taken_out(pull: Any, same_rows: Any, platform: str) -> None:
    life = LIVES[platform]
    settings = {platform: {"tables": [life.table]}}

    def run(*reports: dict[str, Any], as_of: dt.datetime = AS_OF) -> int:
        return pull.run(as_of=as_of, settings=settings, keys={platform: {"reports": list(reports)}}, only=[platform])

    device, months = {"name": "own_daily", **life.report}, {"name": "own_monthly", **life.monthly}
    assert run(device, months) == 0, pull.log
    first = life.truth(World.at(AS_OF, "tiny", first_day=FIRST_DAY))
    narrow = [{name: value for name, value in row.items() if name != life.column} for row in first]
    same_rows(pull.table(platform, "own_daily"), narrow, "own_daily")
    assert {row["date"] for row in pull.table(platform, "own_monthly")} == {dt.date(2026, 10, 1), dt.date(2026, 11, 1)}

    # Ten days later there is a metric more, and the months are days.
    wider, days = {"name": "own_daily", **life.wider}, {**months, "grain": "day"}
    assert run(wider, days, as_of=LATER) in (2, 3), pull.log
    assert "reports.own_monthly: its of, by, grain or where is not the one that its stored days were" in pull.log
    old = [row | {life.column: None} for row in first if row["date"] <= SETTLED]
    new = [row for row in life.truth(World.at(LATER, "tiny", first_day=FIRST_DAY)) if row["date"] > SETTLED]
    assert old and new
    same_rows(pull.table(platform, "own_daily"), [*old, *new], "own_daily, wider")
    assert {row["date"] for row in pull.table(platform, "own_monthly")} == {dt.date(2026, 10, 1), dt.date(2026, 11, 1)}

    shown = pull.command("state", "show").stdout
    assert "orphaned" not in shown
    pull.configure(settings, {platform: {"reports": [wider]}})
    orphaned = [line for line in pull.command("state", "show").stdout.splitlines() if line.startswith("orphaned")]
    assert orphaned == [f"orphaned: {platform}.own_monthly: no such report is configured; rows and state stay"]
    assert pull.rows(f"SELECT count(*) FROM {platform}.own_monthly") > [(0,)]
