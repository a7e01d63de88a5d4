"""gaarf 1.18 from PyPI (google-ads-api-report-fetcher), as it is, loads the same numbers from the sandbox as our pipeline.

It asks with SearchStream through the SDK's full messages, all accounts in parallel. What it does otherwise:

* it asks only accounts that are ENABLED and not hidden: the one that ended is not among them;
* it takes what Google leaves out for zero, where ours is null;
* money stays in micros.

Its queries are written here, as its users write them, and ask for every status as ours do: without that, both would
miss the removed ads.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from starting import ForkedSandbox

ROOT = Path(__file__).resolve().parents[2]
GOOGLE = ROOT / ".venvs/google/bin"
AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
FIRST, LAST = dt.date(2026, 11, 9), dt.date(2026, 11, 22)
METRICS = (
    *("impressions", "clicks", "cost_micros", "conversions", "conversions_value", "all_conversions"),
    *("all_conversions_value", "view_through_conversions", "interactions", "engagements", "video_trueview_views"),
    *("top_impression_percentage", "absolute_top_impression_percentage"),
)
EVERY = "ad_group_ad.status IN ('ENABLED', 'PAUSED', 'REMOVED')"
DAYS = f"segments.date BETWEEN '{FIRST}' AND '{LAST}'"
NUMBERS = ", ".join(f"metrics.{name} AS {name}" for name in METRICS)
QUERIES = {
    "campaign_daily": "SELECT customer.id AS account_id, segments.date AS date, campaign.id AS campaign_id, "
    f"campaign.name AS campaign_name, {NUMBERS} FROM campaign WHERE {DAYS}",
    "ad_daily": "SELECT customer.id AS account_id, segments.date AS date, campaign.id AS campaign_id, "
    f"ad_group.id AS ad_group_id, ad_group_ad.ad.id AS ad_id, {NUMBERS} FROM ad_group_ad WHERE {DAYS} AND {EVERY}",
    "campaign": "SELECT customer.id AS account_id, campaign.id AS campaign_id, campaign.name AS campaign_name, "
    "campaign.status AS status, campaign.bidding_strategy_type AS bidding_strategy_type FROM campaign",
    "ad": "SELECT customer.id AS account_id, ad_group.id AS ad_group_id, ad_group_ad.ad.id AS ad_id, "
    f"ad_group_ad.status AS status, ad_group_ad.ad.type AS ad_type FROM ad_group_ad WHERE {EVERY}",
}
ENDED = "2003703701"

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, Rows]:
    """What their program loads and what ours does, of one world."""
    directory = tmp_path_factory.mktemp("google")
    with ForkedSandbox(
        ["google"],
        options=("--size", "tiny", "--as-of", AS_OF.isoformat()),
        interpreters={"google": GOOGLE / "python"},
    ) as sandbox:
        return by_gaarf(directory, sandbox.environment), by_us(directory, sandbox.environment)


def by_gaarf(directory: Path, sandbox: dict[str, str]) -> Rows:
    """Its command, with the configuration that a user of the SDK has."""
    port = sandbox["GOOGLE_TOKEN_URI"].removesuffix("/token").rpartition(":")[2]
    manager = sandbox["GOOGLE_MANAGER_CUSTOMER_ID"].replace("-", "")
    config = yaml.safe_load(Path(sandbox["GOOGLE_CONFIG_FILE"]).read_text(encoding="utf-8"))
    config |= {"endpoint": sandbox["GOOGLE_ADS_ENDPOINT"], "login_customer_id": manager, "developer_token": "any"}
    (directory / "google-ads.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for name, query in QUERIES.items():
        (directory / f"{name}.sql").write_text(query, encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": sandbox["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"],
        "PYTHONPATH": str(Path(__file__).parent / "routed"),
        "ROUTES": f"accounts.google.com={port}",
    }
    done = subprocess.run(
        [
            *(ROOT / ".venvs/gaarf/bin/gaarf", *(f"{name}.sql" for name in QUERIES), "--ads-config=google-ads.yaml"),
            *(f"--account={manager}", "--output=json", f"--json.destination-folder={directory}"),
        ],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: json.loads((directory / f"{name}.json").read_text(encoding="utf-8")) for name in QUERIES}


def by_us(directory: Path, sandbox: dict[str, str]) -> Rows:
    (directory / "ours.json").write_text(
        json.dumps({"tables": list(QUERIES), "start_date": FIRST.isoformat(), "window_days": 14})
    )
    output = subprocess.run(
        [GOOGLE / "pipeline-google", "--config", directory / "ours.json"],
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "PIPELINE_NOW": AS_OF.isoformat(), **sandbox},
        capture_output=True, timeout=400, check=True,
    ).stdout  # fmt: skip
    found: Rows = {name: [] for name in QUERIES}
    for line in output.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD" and message["record"]["account_id"] != ENDED:
            found[message["stream"]].append(message["record"])
    return found


def comparable(rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> list[tuple[Any, ...]]:
    """The columns that both have, ids as text, in an order of their own."""
    names = list(columns)
    out = []
    for row in rows:
        cells = {**row, "cost_micros": micros(row)} if "cost" in row else row
        out.append(tuple(str(cells[name]) if name.endswith("_id") else cells[name] or 0 for name in names))
    return sorted(out, key=repr)


def micros(row: dict[str, Any]) -> int:
    return int(Decimal(row["cost"]) * 1_000_000)


@pytest.mark.parametrize("table", QUERIES)
def test_both_load_the_same_rows(both: tuple[Rows, Rows], table: str) -> None:
    theirs, ours = (rows[table] for rows in both)
    columns = [part.split(" AS ")[1] for part in QUERIES[table].split(" FROM ")[0].split(", ")]
    assert len(theirs) > 5
    assert comparable(ours, columns) == comparable(theirs, columns)


def test_removed_ads_are_compared_too(both: tuple[Rows, Rows]) -> None:
    assert "REMOVED" in {row["status"] for row in both[0]["ad"]}
