"""What an answer lacks though nothing says so is found by the account's own total, on every platform."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from sandbox.faults import LOSSES
from sandbox.world import PLATFORMS, World

AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 10, 11)
CAMPAIGNS = {"linkedin": "campaign_group_daily"}


@pytest.fixture
def accounts() -> dict[str, list[str]]:
    """Of each platform one account for each loss."""
    world = World.at(AS_OF, "tiny", first_day=FIRST_DAY, accounts=len(LOSSES))
    return {platform: [each.id for each in world.accounts(platform)[: len(LOSSES)]] for platform in PLATFORMS}


def test_a_lost_page_a_repeated_one_and_a_missing_campaign_are_found(pull: Any, accounts: dict[str, list[str]]) -> None:
    """Each account suffers one; Facebook is to fail for it."""
    # LinkedIn's numbers of a day come in two answers.
    faults = {
        platform: [f"{loss}/{account}x2" for loss, account in zip(LOSSES, accounts[platform], strict=True)]
        for platform in PLATFORMS
    }
    settings = {name: {"tables": ["account_daily", CAMPAIGNS.get(name, "campaign_daily")]} for name in PLATFORMS}
    keys = {"facebook": {"reconciliation": "fail"}}
    assert pull.run(faults=faults, settings=settings, keys=keys, accounts=len(LOSSES)) == 2, pull.log
    for name in PLATFORMS:
        platform = pull.platform(name)
        found = platform["reconciliation"]
        assert {each["account_id"] for each in found["differences"]} == set(accounts[name]), name
        assert 0 < found["differing_days"] < found["compared_days"]
        assert all(0 < found["worst_ratios"][metric] <= 1 for metric in ("impressions", "clicks", "spend")), name
        assert f"{found['differing_days']} of {found['compared_days']} days" in pull.log
        assert platform["status"] == ("failed" if name == "facebook" else "completed")
    assert "do not add up to the account" in pull.platform("facebook")["error_message"]
    assert pull.rows("SELECT count(*) FROM facebook.campaign_daily") > [(20,)], "its rows stay"

    done = pull.command("reconcile", "--format", "json", "--days", "100")
    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout)
    for name in PLATFORMS:
        run = pull.platform(name)["reconciliation"]
        assert (told[name]["compared_days"], told[name]["differing_days"]) == (
            run["compared_days"],
            run["differing_days"],
        )
    text = pull.command("reconcile", "--platform", "google", "--days", "100").stdout
    assert all(account in text for account in accounts["google"])


def test_a_whole_night_adds_up(first_pull: Any) -> None:
    for name in PLATFORMS:
        found = first_pull.platform(name)["reconciliation"]
        assert found["compared_days"] > 50 and found["differing_days"] == 0 and found["differences"] == []
    done = first_pull.command("reconcile")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ad_set: 100.0 % of the impressions" in done.stdout
