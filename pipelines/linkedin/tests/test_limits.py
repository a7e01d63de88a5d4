"""The silent cut of adAnalytics, and queries too long for a URL."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

DAILY = ("campaign_group_daily", "campaign_daily", "creative_daily", "account_daily", "campaign_conversion_daily")


@pytest.mark.parametrize("window_days", [None, 7])
def test_answers_as_long_as_the_limit_are_asked_for_in_smaller_parts(start: Any, window_days: int | None) -> None:
    """Six creatives a day do not fit into four elements: windows are halved down to a day, and days are sliced."""
    with start(environment={"SANDBOX_LINKEDIN_CUT": "4"}) as sandbox:
        run = sandbox.run(start_date="2026-11-14", element_limit=4, window_days=window_days)
        assert (run.status, run.errors) == (0, [])
        assert "in slices of the 3 campaigns that LinkedIn lists" in run.log
        store = run.store()
        for name in DAILY:
            assert store.keyed(name) == sandbox.truth(store.tables[name], dt.date(2026, 11, 14))


def test_a_cut_that_is_not_looked_for_would_lose_rows(start: Any) -> None:
    """The control: the same server, asked by a pipeline that expects 15,000 elements."""
    with start(environment={"SANDBOX_LINKEDIN_CUT": "4"}) as sandbox:
        store = sandbox.run(start_date="2026-11-14", tables=["creative_daily"]).store()
        assert len(store.rows["creative_daily"]) < len(
            sandbox.truth(store.tables["creative_daily"], dt.date(2026, 11, 14))
        )


def test_a_day_that_cannot_be_sliced_fails_its_account_only(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_CUT": "2"}) as sandbox:
        run = sandbox.run(start_date="2026-11-19", element_limit=2, tables=["creative_daily"])
        live = {account.id for account in sandbox.world.accounts("linkedin") if account.campaigns}
    assert run.status == 65
    assert {error.account_id for error in run.errors} == live
    assert "cannot be sliced further" in run.errors[0].message


def test_a_query_of_hundreds_of_campaigns_is_tunnelled(start: Any) -> None:
    """A day of 1,250 creatives in answers of 1,000: half of 250 campaigns is a query of 6,000 bytes."""
    with start(size="big", environment={"SANDBOX_LINKEDIN_CUT": "800"}) as sandbox:
        account = sandbox.world.accounts("linkedin")[0].id
        run = sandbox.run(
            start_date="2026-11-20", element_limit=800, tables=["creative_daily"], accounts=[account], lookback_days=0
        )
        assert (run.status, run.errors) == (0, [])
        store = run.store()
        expected = sandbox.truth(store.tables["creative_daily"], dt.date(2026, 11, 20))
        assert len(store.rows["creative_daily"]) > 800
        assert store.keyed("creative_daily") == {key: row for key, row in expected.items() if key[0] == account}
