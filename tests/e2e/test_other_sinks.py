"""The same four pipelines into the other storages: the same numbers, also after the platforms corrected them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sandbox.world import PLATFORMS

LATER = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC) + dt.timedelta(days=10)
SMALLER = ("google", "linkedin")  # a thousand rows take a second there


def test_every_table_equals_the_truth_today_and_ten_days_later(stored_pull: Any, check_truth: Any) -> None:
    slow = stored_pull.variables["STORAGE_TYPE"] == "azure_table"
    platforms = SMALLER if slow else PLATFORMS
    assert stored_pull.run(only=platforms) == 0, stored_pull.log
    for platform in platforms:
        assert check_truth(stored_pull, platform) > 100
    before = stored_pull.table("google", "ad_daily")
    assert stored_pull.run(only=platforms, as_of=LATER) == 0, stored_pull.log
    for platform in platforms:
        check_truth(stored_pull, platform, LATER)
    key = lambda row: (row["account_id"], row["date"], row["ad_id"])
    vanished = {key(row) for row in before} - {key(row) for row in stored_pull.table("google", "ad_daily")}
    assert vanished, "no row vanished, so nothing was proved"
