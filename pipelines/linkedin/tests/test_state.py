"""What a second run loads, given the state of the first."""

from __future__ import annotations

import datetime as dt
from typing import Any

DAILY = ("campaign_group_daily", "campaign_daily", "creative_daily", "account_daily")
FIRST_DAY = dt.date(2026, 10, 11)


def test_a_second_run_reloads_only_the_lookback(sandbox: Any) -> None:
    account = sandbox.world.accounts("linkedin")[0].id
    first = sandbox.run(start_date="2026-10-20", lookback_days=3)
    second = sandbox.run(start_date="2026-10-20", lookback_days=3, state=first.store().state)
    assert [second.days(name, account) for name in DAILY] == [[("2026-11-17", "2026-11-20")]] * len(DAILY)
    conversions = [day for days in second.days("campaign_conversion_daily", account) for day in days]
    assert (min(conversions), max(conversions)) == ("2026-10-20", "2026-11-20"), "which has a lookback of its own"


def test_today_never_counts_as_complete(sandbox: Any) -> None:
    run = sandbox.run(start_date="2026-11-18", tables=["campaign_daily"])
    accounts = run.store().state["bookmarks"]["campaign_daily"]["accounts"].values()
    assert [account["complete"] for account in accounts] == [[["2026-11-18", "2026-11-19"]]] * 3


def test_an_earlier_start_loads_only_the_days_that_are_missing(sandbox: Any) -> None:
    account = sandbox.world.accounts("linkedin")[0].id
    first = sandbox.run(start_date="2026-11-10", lookback_days=2, tables=["campaign_daily"])
    store = first.store()
    second = sandbox.run(start_date="2026-10-25", lookback_days=2, tables=["campaign_daily"], state=store.state)
    assert second.days("campaign_daily", account) == [("2026-11-18", "2026-11-20"), ("2026-10-25", "2026-11-09")]
    second.store(store)
    assert store.keyed("campaign_daily") == sandbox.truth(store.tables["campaign_daily"], dt.date(2026, 10, 25))


def test_since_and_until_load_exactly_those_days(sandbox: Any) -> None:
    account = sandbox.world.accounts("linkedin")[0].id
    run = sandbox.run("--since", "2026-11-01", "--until", "2026-11-03", tables=["campaign_daily"])
    assert run.days("campaign_daily", account) == [("2026-11-01", "2026-11-03")]


def test_ten_days_later_the_tables_are_the_new_truth_without_the_rows_that_vanished(start: Any) -> None:
    with start(now="2026-11-10T15:30:00+00:00", first_day=FIRST_DAY) as sandbox:
        store = sandbox.run(start_date=FIRST_DAY.isoformat()).store()
        before = {name: set(store.keyed(name)) for name in DAILY}
    with start(now="2026-11-20T15:30:00+00:00", first_day=FIRST_DAY) as sandbox:
        run = sandbox.run(start_date=FIRST_DAY.isoformat(), lookback_days=30, state=store.state)
        run.store(store)
        for name in DAILY:
            assert store.keyed(name) == sandbox.truth(store.tables[name], FIRST_DAY)
    vanished = before["creative_daily"] - set(store.keyed("creative_daily"))
    assert vanished, "this world takes no row back, so the test shows nothing"
