"""tap-bing-ads 2.3 from PyPI, as it is, loads from the sandbox over SOAP what the sandbox says is true.

It is the witness that the sandbox's SOAP is not bent to our own pipeline. What it gives otherwise, on purpose or not:

* it strips blanks around names, and makes "--" a 0;
* its campaigns are those of types Search, Shopping and DynamicSearchAds, its ads those that are not responsive: audience
  campaigns and responsive ads are in its reports alone;
* its SDK of 2021 knows no Qualified columns, so that below campaigns it has no conversions at all: the columns that it
  knows have been 0 there since 2022.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starting import ForkedSandbox

from sandbox.microsoft import truth as shown
from sandbox.world import World

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "3001234567"
DAY = dt.timedelta(days=1)
AS_OF = dt.datetime.now(dt.UTC)
LAST = AS_OF.date() - 2 * DAY
FIRST = LAST - 13 * DAY
STREAMS = {
    "campaigns": ("Id", "Name", "Status", "CampaignType", "DailyBudget"),
    "ad_groups": ("Id", "Name", "Status"),
    "ads": ("Id", "Type", "Status", "FinalUrls"),
    "campaign_performance_report": ("CampaignId", "CampaignName", "Impressions", "Clicks", "Spend", "Conversions"),
    "ad_performance_report": ("AdId", "AdGroupId", "Impressions", "Clicks", "Spend", "Conversions"),
}


def catalog() -> dict[str, Any]:
    """What a user would select from a discovery."""
    return {
        "streams": [
            {
                "stream": name, "tap_stream_id": name, "key_properties": [] if name.endswith("_report") else ["Id"],
                "schema": {"type": "object", "properties": {each: {"type": ["null", "string"]} for each in fields}},
                "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]
                + [{"breadcrumb": ["properties", each], "metadata": {"selected": True}} for each in fields],
            }
            for name, fields in (
                (name, (*fields, "TimePeriod", "AccountId") if name.endswith("_report") else fields)
                for name, fields in STREAMS.items()
            )
        ]
    }  # fmt: skip


def loaded(directory: Path, environment: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The records of a run, by stream."""
    config = {
        "account_ids": ACCOUNT,
        "customer_id": "900001",
        "start_date": f"{FIRST}T00:00:00Z",
        "end_date": f"{LAST}T00:00:00Z",
        # It starts so many days ago, even where the start date is later.
        "conversion_window": str((FIRST - AS_OF.date()).days),
        "oauth_client_id": environment["MICROSOFT_CLIENT_ID"],
        "oauth_client_secret": environment["MICROSOFT_CLIENT_SECRET"],
        "refresh_token": environment["MICROSOFT_REFRESH_TOKEN"],
        "developer_token": environment["MICROSOFT_DEVELOPER_TOKEN"],
    }
    (directory / "config.json").write_text(json.dumps(config))
    (directory / "catalog.json").write_text(json.dumps(catalog()))
    port = environment["MICROSOFT_API_URL"].rpartition(":")[2]
    done = subprocess.run(
        [ROOT / ".venvs/tap-bing-ads/bin/tap-bing-ads", "--config", "config.json", "--catalog", "catalog.json"],
        cwd=directory, capture_output=True, text=True, timeout=400,
        env={
            "PATH": os.environ["PATH"], "HOME": str(directory),
            "PYTHONPATH": str(Path(__file__).parent / "routed"),
            "ROUTES": f"bingads.microsoft.com={port},login.microsoftonline.com={port}",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    streams: dict[str, list[dict[str, Any]]] = {name: [] for name in STREAMS}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            streams[message["stream"]].append(message["record"])
    return streams


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    options = "--size", "small", "--as-of", AS_OF.isoformat()
    with ForkedSandbox(["microsoft"], options=options) as sandbox:
        return loaded(tmp_path_factory.mktemp("tap"), sandbox.environment)


def truth(table: str) -> list[dict[str, Any]]:
    rows = shown.truth(World.at(AS_OF, "small"), table, FIRST, LAST)
    return [row for row in rows if row["account_id"] == ACCOUNT]


def day_of(record: dict[str, Any]) -> dt.date:
    return dt.datetime.fromisoformat(record["TimePeriod"]).date()


def numbers(record: dict[str, Any]) -> tuple[Any, ...]:
    return record["Impressions"], record["Clicks"], Decimal(str(record["Spend"])), record["Conversions"]


def expected(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["impressions"], row["clicks"], row["spend"], row["conversions"]


def test_a_fortnight_of_campaigns_is_the_truth_row_by_row(streams: dict[str, list[dict[str, Any]]]) -> None:
    got = {
        (day_of(each), str(each["CampaignId"])): (each["CampaignName"], *numbers(each))
        for each in streams["campaign_performance_report"]
    }
    rows = truth("campaign_daily")
    assert len(streams["campaign_performance_report"]) == len(rows) > 60
    assert got == {(row["date"], row["campaign_id"]): (row["campaign_name"].strip(), *expected(row)) for row in rows}


def test_a_fortnight_of_ads_is_the_truth_row_by_row(streams: dict[str, list[dict[str, Any]]]) -> None:
    got = {(day_of(each), str(each["AdId"])): numbers(each) for each in streams["ad_performance_report"]}
    rows = truth("ad_daily")
    assert len(streams["ad_performance_report"]) == len(rows) > 200
    assert got == {(row["date"], row["ad_id"]): expected(row) for row in rows}


def test_its_campaigns_and_ads_are_those_of_the_types_that_it_asks_for(
    streams: dict[str, list[dict[str, Any]]],
) -> None:
    campaigns = {row["campaign_id"]: row for row in truth("campaign") if row["campaign_type"] == "Search"}
    got = {str(each["Id"]): (each["Name"], each["Status"], each["DailyBudget"]) for each in streams["campaigns"]}
    assert got == {
        each: (row["campaign_name"], row["status"], float(row["daily_budget"])) for each, row in campaigns.items()
    }
    ads = {
        row["ad_id"]: row for row in truth("ad") if row["ad_type"] == "ExpandedText" and row["campaign_id"] in campaigns
    }
    assert {str(each["Id"]): each["FinalUrls"]["string"] for each in streams["ads"]} == {
        each: row["final_urls"] for each, row in ads.items()
    }
    assert ads and len(truth("ad")) > len(ads)
