"""tap-facebook 1.26 from PyPI, as it is, loads from the sandbox what our own pipeline loads, row by row.

It is the witness that the sandbox's Graph API is not bent to our own pipeline: it signs with the token alone, asks for
`time_ranges`, action breakdowns and windows that have no values any more, reads every object by a request of its own, and
creatives in batches. What it gives otherwise:

* archived and deleted campaigns, ad sets and ads are not in its lists, and deleted ads not in its reports, because it
  asks for no status;
* its ads' reports are all it has: campaigns are added up from them here, ours are Facebook's own sums.
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

from wire.reader import Reader, Rows

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "4001234567"
DAY = dt.timedelta(days=1)
AS_OF = dt.datetime.now(dt.UTC)
LAST = AS_OF.date() - 2 * DAY
FIRST = LAST - 13 * DAY
STREAMS = {
    "campaigns": ("id", "name", "objective", "effective_status", "updated_time"),
    "adsets": ("id", "name", "campaign_id", "effective_status", "updated_time"),
    "ads": ("id", "name", "adset_id", "campaign_id", "status", "creative", "updated_time"),
    "adcreative": ("id", "name", "title", "object_type"),
    "ads_insights": (
        *("campaign_id", "campaign_name", "adset_id", "ad_id", "ad_name", "date_start", "date_stop"),
        *("impressions", "reach", "frequency", "clicks", "inline_link_clicks", "spend", "cpc", "cpm", "ctr"),
        *("actions", "action_values", "video_p25_watched_actions"),
    ),
}
TABLES = ("campaign", "ad_set", "ad", "creative", "campaign_daily", "ad_daily")
Row = dict[str, Any]


def program(environment: dict[str, str], command: list[str | Path], directory: Path) -> str:
    """The standard output of a program that must succeed."""
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=400,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def theirs(environment: dict[str, str], directory: Path) -> dict[str, list[Row]]:
    """The records of the tap, by stream."""
    tap = ROOT / ".venvs/tap-facebook/bin/tap-facebook"
    port = environment["FACEBOOK_GRAPH_URL"].rpartition(":")[2]
    around = {
        "PYTHONPATH": str(Path(__file__).parent / "routed"),
        "ROUTES": f"graph.facebook.com={port}",
        "LONGEST_SLEEP": "0.02",
    }
    config = {
        "account_id": ACCOUNT,
        "access_token": environment["FACEBOOK_ACCESS_TOKEN"],
        # It starts a day earlier, as its shortest attribution window wants.
        "start_date": f"{FIRST + DAY}T00:00:00Z",
        "end_date": f"{LAST}T00:00:00Z",
        "insights_buffer_days": "1",
    }
    (directory / "config.json").write_text(json.dumps(config))
    catalog = json.loads(program(around, [tap, "--config", "config.json", "--discover"], directory))
    for stream in catalog["streams"]:
        wanted = STREAMS.get(stream["tap_stream_id"], ())
        for each in stream["metadata"]:
            field = each["breadcrumb"][1] if len(each["breadcrumb"]) == 2 else None
            each["metadata"]["selected"] = bool(wanted) if field is None else field in wanted
    (directory / "catalog.json").write_text(json.dumps(catalog))
    command = [tap, "--config", "config.json", "--properties", "catalog.json"]
    streams: dict[str, list[Row]] = {name: [] for name in STREAMS}
    for line in program(around, command, directory).splitlines():
        message = json.loads(line, parse_float=Decimal)
        if message["type"] == "RECORD":
            streams[message["stream"]].append(message["record"])
    return streams


def ours(environment: dict[str, str], directory: Path) -> dict[str, list[Row]]:
    """The rows of our pipeline, by table."""
    config = {"accounts": [ACCOUNT], "tables": TABLES, "poll_interval": 0.02, "window_days": 14}
    (directory / "ours.json").write_text(json.dumps(config))
    days = ["--since", str(FIRST), "--until", str(LAST)]
    command = [ROOT / ".venvs/facebook/bin/pipeline-facebook", "--config", "ours.json", *days]
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    for event in Reader().feed(
        program({**environment, "PIPELINE_NOW": AS_OF.isoformat()}, command, directory).encode()
    ):
        if isinstance(event, Rows):
            tables[event.stream] += [json.loads(line) for line in event.data.splitlines()]
    return tables


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, list[Row]], dict[str, list[Row]]]]:
    options = "--size", "small", "--as-of", AS_OF.isoformat()
    directory = tmp_path_factory.mktemp("tap")
    with ForkedSandbox(["facebook"], options=options) as sandbox:
        yield theirs(sandbox.environment, directory), ours(sandbox.environment, directory)


@pytest.fixture(scope="module")
def streams(loaded: Any) -> dict[str, list[Row]]:
    return loaded[0]


@pytest.fixture(scope="module")
def tables(loaded: Any) -> dict[str, list[Row]]:
    return loaded[1]


def gone(tables: dict[str, list[Row]], table: str, *statuses: str) -> set[str]:
    return {row[f"{table}_id"] for row in tables[table] if row["effective_status"] in statuses}


def decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def purchases(record: Row, name: str) -> Decimal | None:
    return next((decimal(e["value"]) for e in record.get(name) or () if e["action_type"] == "omni_purchase"), None)


def test_a_fortnight_of_ads_is_ours_row_by_row_but_for_deleted_ones(
    streams: dict[str, list[Row]], tables: dict[str, list[Row]]
) -> None:
    deleted = gone(tables, "ad", "DELETED")
    got = {
        (each["date_start"][:10], each["ad_id"]): (
            *(int(each[name]) for name in ("impressions", "reach", "clicks", "inline_link_clicks")),
            *(decimal(each.get(name)) for name in ("spend", "cpc", "cpm", "ctr", "frequency")),
            *(each["campaign_name"], each["ad_name"]),
            *(purchases(each, "actions"), purchases(each, "action_values")),
        )
        for each in streams["ads_insights"]
    }
    expected = {
        (row["date"], row["ad_id"]): (
            *(row[name] for name in ("impressions", "reach", "clicks", "inline_link_clicks")),
            *(decimal(row[name]) for name in ("spend", "cpc", "cpm", "ctr", "frequency")),
            *(row["campaign_name"], row["ad_name"]),
            *(decimal(row["purchases"]), decimal(row["purchase_value"])),
        )
        for row in tables["ad_daily"]
        if row["ad_id"] not in deleted
    }
    assert len(streams["ads_insights"]) == len(got) > 150
    assert deleted & {row["ad_id"] for row in tables["ad_daily"]}, "without deleted ads the difference is not shown"
    assert got == expected


def test_its_ads_add_up_to_our_campaigns(streams: dict[str, list[Row]], tables: dict[str, list[Row]]) -> None:
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for each in streams["ads_insights"]:
        total = sums.setdefault((each["date_start"][:10], each["campaign_id"]), [Decimal(0)] * 4)
        for n, name in enumerate(("impressions", "clicks", "inline_link_clicks", "spend")):
            total[n] += Decimal(str(each[name]))
    deleted = gone(tables, "campaign", "DELETED")
    expected = {
        (row["date"], row["campaign_id"]): [
            Decimal(str(row[name])) for name in ("impressions", "clicks", "inline_link_clicks", "spend")
        ]
        for row in tables["campaign_daily"]
        if row["campaign_id"] not in deleted
    }
    assert len(expected) > 60
    assert sums == expected


def test_its_objects_are_ours_but_for_archived_and_deleted_ones(
    streams: dict[str, list[Row]], tables: dict[str, list[Row]]
) -> None:
    for stream, table, fields in (
        ("campaigns", "campaign", ("name", "objective", "effective_status")),
        ("adsets", "ad_set", ("name", "campaign_id", "effective_status")),
        ("ads", "ad", ("name", "campaign_id", "status")),
    ):
        hidden = gone(tables, table, "ARCHIVED", "DELETED")
        got = {each["id"]: tuple(each[name] for name in fields) for each in streams[stream]}
        rows = [row for row in tables[table] if row[f"{table}_id"] not in hidden]
        assert got == {row[f"{table}_id"]: tuple(row[name] for name in fields) for row in rows}
        assert got and hidden
    creatives = {each["id"]: (each["name"], each["title"], each["object_type"]) for each in streams["adcreative"]}
    assert creatives == {r["creative_id"]: (r["name"], r["title"], r["object_type"]) for r in tables["creative"]}
