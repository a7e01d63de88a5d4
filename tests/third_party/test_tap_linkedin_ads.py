"""tap-linkedin-ads 2.8 from PyPI, as it is, loads the same numbers from the sandbox as our pipeline.

It speaks Rest.li 1.0 where ours speaks 2.0, asks for each campaign by itself, and sends every request as a tunnelled POST.
What it does otherwise:

* it asks for version 202511, which ended on 2026-11-16: the world is looked at a week before;
* it starts a week before its start date, and asks for days until today, which have nothing;
* it gives only those accounts, groups, campaigns and creatives that changed since its bookmark, so its bookmarks are set
  to a day before the world began;
* it takes an empty page for the last one and would lose what comes after it, so the sandbox is told to have none;
* it has no numbers of campaign groups.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starting import ForkedSandbox

ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS = ("5001234567", "5002469134")
AS_OF = dt.datetime(2026, 11, 10, 15, 30, tzinfo=dt.UTC)
LAST = AS_OF.date()
FIRST = LAST - dt.timedelta(days=13)
STREAMS = {
    "ad_analytics_by_campaign": ("campaign_daily", "campaign_id"),
    "ad_analytics_by_creative": ("creative_daily", "creative_id"),
}
NUMBERS = (
    *("impressions", "clicks", "landing_page_clicks", "cost_in_local_currency", "cost_in_usd"),
    *("external_website_conversions", "external_website_post_click_conversions"),
    *("external_website_post_view_conversions", "conversion_value_in_local_currency", "one_click_leads"),
    *("one_click_lead_form_opens", "total_engagements", "other_engagements", "company_page_clicks", "video_views"),
    *("video_starts", "video_completions", "likes", "comments", "shares", "follows", "reactions"),
    *("viral_impressions", "viral_clicks"),
)
BOOKMARKS = dict.fromkeys(("accounts", "campaign_groups", "campaigns", "creatives"), "2020-01-01T00:00:00Z")
MONEY = ("cost_in_local_currency", "cost_in_usd", "conversion_value_in_local_currency")


def output_of(command: list[str | Path], directory: Path, environment: dict[str, str]) -> str:
    basics = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=400, env={**basics, **environment}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def selected(catalog: dict[str, Any]) -> dict[str, Any]:
    """What a user would select from a discovery."""
    for stream in catalog["streams"]:
        analytics = stream["tap_stream_id"] in STREAMS
        for entry in stream["metadata"]:
            name = entry["breadcrumb"][-1] if entry["breadcrumb"] else ""
            entry["metadata"]["selected"] = name in ("", *NUMBERS) if analytics else True
    return catalog


def records(output: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in output.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            yield message["stream"], message["record"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The output of their program and of ours, of one world."""
    directory = tmp_path_factory.mktemp("linkedin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_LINKEDIN_EMPTY_PAGES", "false")
        return outputs(directory)


def outputs(directory: Path) -> tuple[str, str]:
    """Run both, one after the other."""
    with ForkedSandbox(["linkedin"], options=("--size", "tiny", "--as-of", AS_OF.isoformat())) as sandbox:
        port = sandbox.environment["LINKEDIN_API_URL"].rpartition(":")[2].removesuffix("/rest")
        routes = {
            "PYTHONPATH": str(Path(__file__).parent / "routed"),
            "ROUTES": f"api.linkedin.com={port},www.linkedin.com={port}",
        }
        (directory / "config.json").write_text(
            json.dumps(
                {
                    "access_token": sandbox.environment["LINKEDIN_ACCESS_TOKEN"],
                    "user_agent": "tap-linkedin-ads",
                    "accounts": ",".join(ACCOUNTS),
                    "start_date": f"{FIRST}T00:00:00Z",
                    "date_window_size": "400",
                    "request_timeout": "30",
                }
            )
        )
        tap: list[str | Path] = [ROOT / ".venvs/tap-linkedin-ads/bin/tap-linkedin-ads", "--config", "config.json"]
        catalog = selected(json.loads(output_of([*tap, "--discover"], directory, routes)))
        (directory / "catalog.json").write_text(json.dumps(catalog))
        (directory / "state.json").write_text(json.dumps({"bookmarks": BOOKMARKS}))
        theirs = output_of([*tap, "--catalog", "catalog.json", "--state", "state.json"], directory, routes)
        (directory / "ours.json").write_text(json.dumps({"accounts": ACCOUNTS, "start_date": FIRST.isoformat()}))
        ours = output_of(
            [ROOT / ".venvs/linkedin/bin/pipeline-linkedin", "--config", "ours.json"],
            directory,
            {**sandbox.environment, "PIPELINE_NOW": AS_OF.isoformat()},
        )
    return theirs, ours


def as_number(name: str, value: Any) -> Any:
    return Decimal(str(value)) if name in MONEY and value is not None else value


def numbers(record: dict[str, Any]) -> dict[str, Any]:
    return {name: as_number(name, record.get(name)) for name in NUMBERS}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_fortnight_is_the_same_row_by_row(both: tuple[str, str], stream: str) -> None:
    theirs, ours = both
    table, column = STREAMS[stream]
    expected = {(record[column], record["date"]): numbers(record) for name, record in records(ours) if name == table}
    found = {
        (record["pivot_value"].rpartition(":")[2], record["start_at"][:10]): numbers(record)
        for name, record in records(theirs)
        if name == stream and FIRST.isoformat() <= record["start_at"][:10] <= LAST.isoformat()
    }
    assert len(expected) > 50
    assert found == expected


@pytest.mark.parametrize(
    ("stream", "table", "column"),
    [
        ("accounts", "account", "account_id"),
        ("campaign_groups", "campaign_group", "campaign_group_id"),
        ("campaigns", "campaign", "campaign_id"),
        ("creatives", "creative", "creative_id"),
    ],
)
def test_the_entities_are_the_same(both: tuple[str, str], stream: str, table: str, column: str) -> None:
    theirs, ours = both
    status = "intended_status" if table == "creative" else "status"
    expected = {record[column]: (record["name"], record["status"]) for name, record in records(ours) if name == table}
    found = {
        str(record["id"]).rpartition(":")[2]: (record.get("name"), record[status])
        for name, record in records(theirs)
        if name == stream
    }
    assert found == expected


def test_discovery_leaves_out_what_the_application_may_not_read(both: tuple[str, str]) -> None:
    assert "video_ads" not in {name for name, _ in records(both[0])}
