"""gaarf beside our Google pipeline: the same two reports of the same accounts behind the same slow sandbox.

It asks all accounts in parallel through the SDK's full messages, and writes JSON files. Two of its own ways stay: it
asks once for each account and report, and leaves out accounts that are not enabled.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml

from bench.accounts import ACCOUNTS, LATENCY, NOW, SINCE, TABLES, night
from bench.process import ROOT, BenchError, environment, run
from bench.result import Result
from sandbox.manager import Sandbox

_GAARF = ROOT / ".venvs" / "gaarf" / "bin" / "gaarf"
_UNTIL = NOW[:10]
_NUMBERS = ", ".join(
    f"metrics.{name} AS {name}"
    for name in ("impressions", "clicks", "cost_micros", "conversions", "conversions_value", "all_conversions")
)
_DAYS = f"segments.date BETWEEN '{SINCE}' AND '{_UNTIL}'"
_QUERIES = {
    "campaign_daily": "SELECT customer.id AS account_id, segments.date AS date, campaign.id AS campaign_id, "
    f"campaign.name AS campaign_name, {_NUMBERS} FROM campaign WHERE {_DAYS}",
    "ad_daily": "SELECT customer.id AS account_id, segments.date AS date, campaign.id AS campaign_id, ad_group.id AS "
    f"ad_group_id, ad_group_ad.ad.id AS ad_id, {_NUMBERS} FROM ad_group_ad WHERE {_DAYS} AND ad_group_ad.status IN "
    "('ENABLED', 'PAUSED', 'REMOVED')",
}
_OPTIONS = ("--size", "agency", "--as-of", NOW, "--accounts", str(ACCOUNTS), "--latency", LATENCY)


def measure() -> list[Result]:
    """Raises BenchError where gaarf is not installed, or loads other rows than it should."""
    if not _GAARF.exists():
        raise BenchError("gaarf is not installed: make .venvs/gaarf/.complete")
    ours = night("google", *_OPTIONS, start_date=SINCE, tables=TABLES["google"])
    python = {"google": ROOT / ".venvs" / "google" / "bin" / "python"}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        Sandbox(["google"], options=_OPTIONS, interpreters=python) as sandbox,
    ):
        directory = Path(name)
        account = _configure(directory, sandbox.environment)
        command = [
            *(str(_GAARF), *(f"{name}.sql" for name in _QUERIES), "--ads-config=google-ads.yaml"),
            *(f"--account={account}", "--output=json", f"--json.destination-folder={directory}"),
        ]
        found = run(command, directory=directory, variables=environment(**_routes(sandbox.environment)))
        rows = sum(len(json.loads((directory / f"{name}.json").read_text())) for name in _QUERIES)
    if not 0.9 * ours.rows <= rows <= ours.rows:
        raise BenchError(f"gaarf loaded {rows:,} rows, and our pipeline {ours.rows:,}")
    return [
        Result(
            name="peer: gaarf",
            what=f"gaarf, {ACCOUNTS} accounts × 2 reports of 15 days, answers after {LATENCY}",
            figure=f"{found.seconds:.1f} s; our pipeline in the same run {ours.seconds:.1f} s",
            aim="not behind it",
            peak_bytes=found.peak_bytes,
            cpu_seconds=found.cpu_seconds,
            note="one run",
        )
    ]


def _routes(sandbox: dict[str, str]) -> dict[str, str]:
    """It cannot be told where tokens are fetched, so the name of that host leads to the sandbox."""
    port = sandbox["GOOGLE_TOKEN_URI"].removesuffix("/token").rpartition(":")[2]
    return {
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": sandbox["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"],
        "PYTHONPATH": str(ROOT / "tests" / "third_party" / "routed"),
        "ROUTES": f"accounts.google.com={port}",
    }


def _configure(directory: Path, sandbox: dict[str, str]) -> str:
    """Write its configuration and queries; returns the account below which it looks."""
    manager = sandbox["GOOGLE_MANAGER_CUSTOMER_ID"].replace("-", "")
    config = yaml.safe_load(Path(sandbox["GOOGLE_CONFIG_FILE"]).read_text(encoding="utf-8"))
    config |= {"endpoint": sandbox["GOOGLE_ADS_ENDPOINT"], "login_customer_id": manager, "developer_token": "any"}
    (directory / "google-ads.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for name, query in _QUERIES.items():
        (directory / f"{name}.sql").write_text(query, encoding="utf-8")
    return manager
