"""The sandbox held against the vendor's SDK as anybody would use it, without any code of the pipeline."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.facebook.truth import truth
from sandbox.world import World

PYTHON = Path(__file__).parents[3] / ".venvs" / "facebook" / "bin" / "python"
SCRIPT = """
import json, os, sys, time
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

get = os.environ.__getitem__
session = FacebookSession(get("FACEBOOK_APP_ID"), get("FACEBOOK_APP_SECRET"), get("FACEBOOK_ACCESS_TOKEN"), timeout=10)
session.GRAPH = get("FACEBOOK_GRAPH_URL")
api = FacebookAdsApi(session)
account = AdAccount("act_4001234567", api=api)
said = {"accounts": [each["account_id"] for each in User("me", api=api).get_ad_accounts(fields=["account_id"])]}
said["ads"] = len(account.get_ads(fields=["name"], params={"limit": 100}))
said["ads in pages of two"] = sum(1 for _ in account.get_ads(fields=["name"], params={"limit": 2}))
days = {"since": "2026-11-10", "until": "2026-11-12"}
run = account.get_insights_async(
    fields=["campaign_id", "spend"], params={"level": "campaign", "time_range": days, "time_increment": 1}
)
try:
    run.get_insights()
except FacebookRequestError as error:
    said["early"] = [error.api_error_code(), error.api_error_subcode(), error.api_transient_error()]
for _ in range(100):
    run = run.api_get()
    if run["async_status"] == "Job Completed":
        break
    time.sleep(0.02)
said["spend"] = [[row["date_start"], row["campaign_id"], row["spend"]] for row in run.get_insights()]
attempts = {
    "field": lambda: account.get_campaigns(fields=["shoe_size"]),
    "column": lambda: account.get_insights_async(
        fields=["shoe_size"], params={"level": "ad", "time_increment": 1, "time_range": days}
    ),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except FacebookRequestError as error:
        said[name] = [error.http_status(), error.api_error_code(), error.api_error_message()]
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def said(tiny):
    command = [str(PYTHON), "-W", "ignore", "-c", SCRIPT]
    done = subprocess.run(command, env=tiny, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_the_sdk_lists_what_there_is(said, as_of):
    assert said["accounts"] == [account.id for account in World.at(as_of, "tiny").accounts("facebook")]
    assert said["ads"] == 6


def test_the_sdks_own_cursor_ends_at_an_empty_page(said):
    assert said["ads in pages of two"] == 2, "the SDK pages correctly now: the pipeline's own paging could go"


def test_a_job_gives_no_rows_before_it_is_completed_and_then_the_true_ones(said, as_of):
    assert said["early"] == [2601, 1815107, True]
    first, last = dt.date(2026, 11, 10), dt.date(2026, 11, 12)
    expected = [
        (row["date"].isoformat(), row["campaign_id"], row["spend"])
        for row in truth(World.at(as_of, "tiny"), "campaign_daily", first, last)
        if row["account_id"] == "4001234567"
    ]
    assert sorted((day, campaign, Decimal(spend)) for day, campaign, spend in said["spend"]) == sorted(expected)
    assert len(expected) > 3


def test_unknown_fields_are_refused_as_the_platform_does(said):
    assert said["field"][:2] == said["column"][:2] == [400, 100]
    assert "shoe_size" in said["field"][2]
    assert "shoe_size" in said["column"][2]
