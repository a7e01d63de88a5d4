"""An answer without rows where there were some: asked a second way, and said to be sure only when it is."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

REPORTS = ("campaign_group_daily", "campaign_daily", "creative_daily", "account_daily", "campaign_conversion_daily")
FIRST, SECOND = "5001234567", "5002469134"
DEBUG = {"LOG_LEVEL": "DEBUG"}


def emptied(run: Any, account: str) -> dict[str, bool]:
    """The streams of which an account has a region without rows, and whether that is confirmed."""
    return {
        region.stream: region.confirmed
        for region in run.regions
        if region.where["account_id"] == account and not region.rows
    }


def totals_asked(run: Any, pivot: str = "ACCOUNT") -> int:
    return len(re.findall(rf"adAnalytics\?\S*pivot=\(value:{pivot}\)\S*timeGranularity=\(value:ALL\)", run.log))


def test_lost_reporting_access_is_not_taken_for_days_without_numbers(start: Any) -> None:
    """LinkedIn answers with an empty list there; the account's total of all years is as empty as that of the days."""
    with start() as sandbox:
        state = sandbox.run(start_date="2026-11-01").store().state
    with start(environment={"SANDBOX_LINKEDIN_UNREADABLE": FIRST}) as sandbox:
        run = sandbox.run(start_date="2026-11-01", state=state, environment=DEBUG)
    assert run.status == 0
    assert emptied(run, FIRST) == dict.fromkeys(REPORTS, False)
    assert emptied(run, SECOND) == {}
    assert totals_asked(run) == 4, "two questions for this account and for the empty one, each sent once"
    assert totals_asked(run, "CAMPAIGN_GROUP") == 4, "and what is asked where the account's own days are empty"


def test_a_day_without_numbers_is_confirmed_by_the_account_itself(sandbox: Any) -> None:
    """A day on which an account had nothing, as the account's own total says, which has other days."""
    state = sandbox.run(start_date="2026-10-20").store().state
    account = next(each for each in sandbox.world.accounts("linkedin") if each.id == FIRST)
    days = [dt.date(2026, 10, 20) + dt.timedelta(days=n) for n in range(30)]
    empty = next(day for day in days if not any(sandbox.world.ad_facts(account, day, day))).isoformat()
    run = sandbox.run("--since", empty, "--until", empty, state=state, accounts=[FIRST], environment=DEBUG)
    assert emptied(run, FIRST) == dict.fromkeys(REPORTS, True)
    assert totals_asked(run) == 2
    assert totals_asked(run, "CAMPAIGN_GROUP") == 2


def test_what_is_rare_may_be_empty_where_the_account_is_not(sandbox: Any) -> None:
    settings = {
        "reports": [{"name": "talent", "of": "campaign", "metrics": ["talentLeads"]}],
        "tables": ["campaign_daily"],
    }
    state = sandbox.run(start_date="2026-11-15", accounts=[FIRST], **settings).store().state
    run = sandbox.run(start_date="2026-11-15", accounts=[FIRST], state=state, **settings)
    assert (run.status, emptied(run, FIRST)) == (0, {"talent": True})


def test_a_first_load_asks_nothing_twice(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_UNREADABLE": FIRST}) as sandbox:
        run = sandbox.run(start_date="2026-11-01", environment=DEBUG)
    assert emptied(run, FIRST) == dict.fromkeys(REPORTS, False)
    assert totals_asked(run) == 0


def test_a_list_that_comes_back_empty_is_asked_for_without_its_filter(start: Any) -> None:
    with start() as sandbox:
        state = sandbox.run(tables=["creative"]).store().state
    with start(environment={"SANDBOX_LINKEDIN_HIDDEN": "creatives"}) as sandbox:
        run = sandbox.run(tables=["creative"], state=state)
        empty = sandbox.world.accounts("linkedin")[-2].id
    assert run.status == 0
    assert emptied(run, FIRST) == {"creative": False}
    assert emptied(run, empty) == {"creative": True}


def test_a_second_question_that_fails_is_the_accounts_error(start: Any) -> None:
    with start() as sandbox:
        state = sandbox.run(tables=["creative"]).store().state
    with start("server_error@5x9", environment={"SANDBOX_LINKEDIN_HIDDEN": "creatives"}) as sandbox:
        run = sandbox.run(tables=["creative"], state=state, accounts=[FIRST], retry_attempts=2)
    assert run.status == 75
    assert [error.account_id for error in run.errors] == [FIRST]
