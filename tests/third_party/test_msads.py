"""msads 13.0.30.1, the vendor's own client, as it is, talks to the sandbox over REST; our requests are those that it sends.

It is the contract in the form of a program: it refuses an answer that has a value of the wrong kind anywhere. What it
sends is recorded on the way, and held against the bodies that the pipeline's `operations` make.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starting import ForkedSandbox

from sandbox.microsoft import truth as shown
from sandbox.world import World

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "pipelines/microsoft/src")]

from recorder import Recorder  # noqa: E402 - the same

from microsoft_pipeline import operations  # noqa: E402 - needs the path above
from wire import Grain, Window  # noqa: E402 - sorted with the others

ACCOUNT, NAME = "3001234567", "campaign_daily"
AS_OF = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC)
FIRST, LAST = dt.date(2026, 11, 7), dt.date(2026, 11, 20)
ZONE = "AmsterdamBerlinBernRomeStockholmVienna"
COLUMNS = ["AccountId", "TimePeriod", "CampaignId", "CampaignName", "Impressions", "Clicks", "Spend", "Conversions"]
Request = tuple[str, dict[str, str], Any]


@pytest.fixture(scope="module")
def run() -> tuple[dict[str, Any], list[Request]]:
    """What the client made of the answers, and what it had asked."""
    options = "--size", "tiny", "--as-of", AS_OF.isoformat()
    with ForkedSandbox(["microsoft"], options=options) as sandbox:
        given = sandbox.environment
        with Recorder(int(given["MICROSOFT_API_URL"].rpartition(":")[2])) as recorder:
            secrets = [
                given[f"MICROSOFT_{n}"] for n in ("REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "DEVELOPER_TOKEN")
            ]
            done = subprocess.run(
                [ROOT / ".venvs/msads/bin/python", HERE / "msads_program.py", *secrets, ACCOUNT, str(FIRST), str(LAST)],
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(HERE / "routed"),
                    "ROUTES": f"bingads.microsoft.com={recorder.port},login.microsoftonline.com={recorder.port}",
                },
                capture_output=True,
                text=True,
                timeout=400,
            )
            assert done.returncode == 0, done.stderr[-3000:]
            return json.loads(done.stdout), recorder.requests


def truth(table: str) -> list[dict[str, Any]]:
    rows = shown.truth(World.at(AS_OF, "tiny"), table, FIRST, LAST)
    return [row for row in rows if row["account_id"] == ACCOUNT]


def test_it_reads_the_user_and_the_accounts(run: tuple[dict[str, Any], list[Request]]) -> None:
    rows = shown.truth(World.at(AS_OF, "tiny"), "account", FIRST, LAST)
    assert run[0]["user"] == "77001"
    assert run[0]["accounts"] == sorted(
        [row["account_id"], row["account_name"], row["currency_code"], row["time_zone"]] for row in rows
    )


def test_it_walks_from_the_campaigns_to_the_keywords(run: tuple[dict[str, Any], list[Request]]) -> None:
    said = run[0]
    campaigns, groups, ads, keywords = map(truth, ("campaign", "ad_group", "ad", "keyword"))
    assert said["campaigns"] == [
        [row["campaign_id"], row["campaign_name"], row["status"], float(row["daily_budget"]), row["languages"]]
        for row in campaigns
    ]
    assert said["schemes"] == ["EnhancedCpc"]
    assert said["groups"] == [
        [row["ad_group_id"], row["ad_group_name"], float(row["cpc_bid"]), row["ad_group_type"], row["start_date"].year]
        for row in groups
        if row["campaign_id"] == campaigns[0]["campaign_id"]
    ]
    seen = [row for row in ads if row["campaign_id"] in {campaigns[0]["campaign_id"], campaigns[1]["campaign_id"]}]
    assert said["ads"] == [[row["ad_id"], row["ad_type"], row["final_urls"]] for row in seen]
    assert {row["ad_type"] for row in seen} == {"ExpandedText", "ResponsiveSearch", "ResponsiveAd"}
    assert said["headlines"] == [row["headlines"][0] for row in seen if row["headlines"]]
    assert said["keywords"] == [
        [row["keyword_id"], row["keyword_text"], row["match_type"], row["bid"] and float(row["bid"])]
        for row in keywords
        if row["ad_group_id"] == said["groups"][0][0]
    ]


def test_it_reads_asset_groups(run: tuple[dict[str, Any], list[Request]]) -> None:
    assert run[0]["asset_groups"] == [
        [row["asset_group_id"], row["asset_group_name"], row["call_to_action"], row["editorial_status"], row["long_headlines"][0]]
        for row in truth("asset_group")
        if row["campaign_id"] == truth("campaign")[0]["campaign_id"]
    ] != []  # fmt: skip


def test_its_report_is_the_truth_row_by_row(run: tuple[dict[str, Any], list[Request]]) -> None:
    got = {
        (day, campaign): (name, int(impressions.replace(",", "")), int(clicks), Decimal(spend), float(conversions))
        for _, day, campaign, name, impressions, clicks, spend, conversions in run[0]["report"]
    }
    rows = truth("campaign_daily")
    # Its reader takes a row for a footer where the first column begins with "Total": here the account's id is first.
    assert len(run[0]["report"]) == len(rows) > 20
    assert got == {
        (row["date"].isoformat(), row["campaign_id"]): (
            row["campaign_name"], row["impressions"], row["clicks"], row["spend"], row["conversions"],
        )
        for row in rows
    }  # fmt: skip


def test_its_bulk_file_holds_what_the_walk_gives(run: tuple[dict[str, Any], list[Request]]) -> None:
    records = run[0]["bulk"]
    assert [record["Type"] for record in records[:2]] == ["Format Version", "Account"]
    for kind, table, key in (
        ("Campaign", "campaign", "campaign_id"),
        ("Ad Group", "ad_group", "ad_group_id"),
        ("Keyword", "keyword", "keyword_id"),
        ("Asset Group", "asset_group", "asset_group_id"),
    ):
        assert {each["Id"] for each in records if each["Type"] == kind} == {row[key] for row in truth(table)}
    ads = {each["Id"]: each for each in records if each["Type"].endswith(" Ad")}
    assert set(ads) == {row["ad_id"] for row in truth("ad")}
    for row in truth("ad"):
        texts = ads[row["ad_id"]]["Headline"] or ads[row["ad_id"]]["Headlines"]
        assert (row["headlines"] or None) == ((texts and [each["text"] for each in json.loads(texts)]) or None)


def test_a_fault_has_its_code_and_its_tracking_id(run: tuple[dict[str, Any], list[Request]]) -> None:
    status, fault = run[0]["refused"]
    assert (status, fault["Type"], fault["BatchErrors"]) == (400, "ApiFaultDetail", [])
    assert fault["OperationErrors"][0]["Code"] == 1100
    assert fault["TrackingId"]


# What it leaves out: flags of nothing; the kind of compression, where it takes the default, a ZIP.
LEFT_OUT = {"ReturnAdditionalFields", "CompressionType"}
FLAGS = {"CampaignType", "ReturnAdditionalFields"}


def meant(value: Any) -> Any:
    """A body without what is not set, and with its flags apart."""
    if isinstance(value, dict):
        return {
            name: sorted(each.strip() for each in of.split(",")) if name in FLAGS else meant(of)
            for name, of in value.items()
            if of is not None
        }
    return [meant(each) for each in value] if isinstance(value, list) else value


def test_our_requests_are_those_that_it_sends(run: tuple[dict[str, Any], list[Request]]) -> None:
    sent = {path: body for path, _, body in reversed(run[1]) if body is not None}
    campaign, group = truth("ad_group")[0]["campaign_id"], truth("ad_group")[0]["ad_group_id"]
    report = next(body for path, _, body in run[1] if path.endswith("/GenerateReport/Poll"))["ReportRequestId"]
    file = next(body for path, _, body in run[1] if path.endswith("/BulkDownloadStatus/Query"))["RequestId"]
    ours = [
        operations.get_user(),
        operations.search_accounts("77001", 0),
        operations.get_campaigns(ACCOUNT),
        operations.get_ad_groups(campaign),
        operations.get_ads(group),
        operations.get_keywords(group),
        operations.get_asset_groups(campaign),
        operations.submit_report(
            NAME,
            "CampaignPerformanceReport",
            COLUMNS,
            grain=Grain.DAY,
            where={},
            account_id=ACCOUNT,
            window=Window(FIRST, LAST),
            time_zone=ZONE,
        ),
        operations.poll_report(report, NAME),
        operations.download_account(ACCOUNT, ["Campaigns", "AdGroups", "Ads", "Keywords", "AssetGroups"]),
        operations.poll_download(file),
    ]
    for call in ours:
        path = f"/{call.operation.service}/v13/{call.operation.path}"
        assert path in sent
        body, theirs = meant(call.body), meant(sent[path])
        assert {name: value for name, value in body.items() if name in theirs or name not in LEFT_OUT} == theirs, path


def test_it_names_the_revision_that_we_name(run: tuple[dict[str, Any], list[Request]]) -> None:
    from microsoft_pipeline.rest import API_REVISION

    named = {headers.get("Api-Revision") for path, headers, _ in run[1] if "/v13/" in path}
    assert named == {API_REVISION}
