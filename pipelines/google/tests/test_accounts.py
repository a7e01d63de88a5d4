"""An account's failure stays its own, and silence is asked about a second time; the sandbox does what Google does."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from sandbox.world import World
from wire import Kind

AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
FEW = {"tables": ["campaign", "ad", "campaign_daily"], "start_date": "2026-11-16"}


@pytest.fixture
def with_quirks(serving, monkeypatch):
    """A server whose accounts misbehave: {0}, {1} are ids of live accounts, {ended} of one that ended."""

    def started(text, **more):
        accounts = World.at(AS_OF, "tiny").accounts("google")
        ended = next(account.id for account in accounts if account.ended_on)
        monkeypatch.setenv("SANDBOX_GOOGLE_QUIRKS", text.format(accounts[0].id, accounts[1].id, ended=ended))
        return serving(**more)

    return started


def told(result):
    return {error.account_id: error for error in result.errors}


def test_a_refusal_stops_its_account_only(with_quirks):
    """The token is refused by account as it was recorded; codes are newer than any SDK; a currency is missing."""
    quirks = "refuse {0} authorization_error.DEVELOPER_TOKEN_NOT_APPROVED; refuse {1} 888.7; lack {ended} currency_code"
    with with_quirks(quirks) as sandbox:
        result = sandbox.run(FEW)
        first, second, ended, empty, _closed = (account.id for account in sandbox.world.accounts("google"))
    errors = told(result)
    assert set(errors) == {first, second, ended}
    assert result.status == 65
    assert errors[first].kind is Kind.CONFIG
    assert "apply for Basic or Standard access" in errors[first].message
    assert errors[second].kind is Kind.DATA
    assert "error_code[888].7" in errors[second].message
    assert "Google gives no currency" in errors[ended].message
    assert result.windows("campaign_daily", empty) == [("2026-11-16", "2026-11-22")]


def test_an_unknown_code_and_a_short_or_own_quota_are_the_accounts(with_quirks):
    """A used-up quota that is back within a second is waited for; one of the account leaves the others alone."""
    quirks = "refuse {0} authorization_error.9999; exhaust {1} 1 DEVELOPER; exhaust {ended} 3600 ACCOUNT"
    with with_quirks(quirks) as sandbox:
        result = sandbox.run(FEW)
        first, second, ended, empty, _closed = (account.id for account in sandbox.world.accounts("google"))
    errors = told(result)
    assert set(errors) == {first, ended}
    assert "authorization_error.9999" in errors[first].message
    assert errors[ended].kind is Kind.QUOTA
    assert errors[ended].retry_after == 3600
    assert result.windows("campaign_daily", second) and result.windows("campaign_daily", empty)
    assert "Google limits the rate of requests" in result.log


def test_what_is_listed_twice_is_one_row_and_a_contradiction_is_the_accounts(with_quirks):
    with with_quirks("repeat {0} ad_group_ad; contradict {1} ad_group_ad; lack {ended} id") as sandbox:
        result = sandbox.run({"tables": ["ad"]})
        first, second, _ended, _empty, _closed = (account.id for account in sandbox.world.accounts("google"))
        ads = sum(
            len(group.ads) for campaign in sandbox.world.accounts("google")[0].campaigns for group in campaign.groups
        )
    errors = told(result)
    assert set(errors) == {second, "9474097201"}
    assert len([row for row in result.database.rows["ad"] if row["account_id"] == first]) == ads
    assert re.search(r"Google lists ad_group_id \d+, ad_id \d+ twice", errors[second].message)
    assert "lists accounts without an id below it: 'Ended last week'" in errors["9474097201"].message


def test_a_login_without_accounts_is_told_what_to_do(with_quirks):
    with with_quirks("alone") as sandbox:
        for environment, words in (
            ({}, "manager 9474097201 has no client accounts below it; check GOOGLE_MANAGER_CUSTOMER_ID"),
            ({"GOOGLE_MANAGER_CUSTOMER_ID": None}, "the login reaches no client account; give its user access"),
        ):
            result = sandbox.run(FEW, environment=environment)
            assert (result.status, [error.kind for error in result.errors]) == (78, [Kind.CONFIG])
            assert words in result.errors[0].message
            assert result.regions == []


def test_a_session_control_that_wants_a_sign_in_is_refused_credentials(with_quirks):
    """google-auth loses Google's answer here, and calls it something for gcloud."""
    with with_quirks("rapt") as sandbox:
        result = sandbox.run(FEW)
    assert (result.status, [error.kind for error in result.errors]) == (77, [Kind.AUTH])
    assert "invalid_rapt" in result.errors[0].message
    assert "; retry 1 in " not in result.log


def test_an_empty_answer_is_asked_about_once(with_quirks):
    """The stream of the first account is silent while it has activity; the second one's own total is silent too."""
    tables = {"tables": ["campaign", "campaign_daily", "ad_group_daily"], "start_date": "2026-11-01"}
    first, second, ended, empty, closed = (account.id for account in World.at(AS_OF, "tiny").accounts("google"))
    live = (first, second, ended, empty)
    days = {"complete": [["2026-11-01", "2026-11-21"]]}
    loaded = {
        name: {"accounts": dict.fromkeys(live, days if name.endswith("daily") else {})} for name in tables["tables"]
    }
    hidden = "; ".join(
        f"empty {{{n}}} {resource}" for n in (0, 1) for resource in ("campaign", "ad_group", "customer")[: 2 + n]
    )
    with with_quirks(hidden) as sandbox:
        after = sandbox.run(tables, state={"bookmarks": loaded})

    def confirmed(account, table):
        regions = [each for each in after.regions if each.stream == table and each.where["account_id"] == account]
        return [(region.rows, region.confirmed) for region in regions]

    windows = len(after.windows("campaign_daily", first))
    for table in ("campaign_daily", "ad_group_daily"):
        assert confirmed(first, table) == [(0, False)] * windows
        assert confirmed(second, table) == [(0, True)] * windows
        assert confirmed(empty, table) == [(0, True)] * windows
        assert not any(sure for _, sure in confirmed(ended, table)[1:])
    assert confirmed(first, "campaign") == confirmed(second, "campaign") == [(0, False)]
    assert confirmed(empty, "campaign") == [(0, True)]
    assert f"account {first}: an answer without rows for campaign, of which Google counts 3" in after.log
    assert re.search(rf"account {first}: an answer without rows for 2026-11-.*own total has \d days", after.log)
    assert closed not in {each.where["account_id"] for each in after.regions}
    # The list of accounts, each region, and the closed account's refusal; then one question for all days of an account,
    # and one count of the campaigns of the three that seem to have none.
    assert calls(after) == 1 + len(after.regions) + 1 + 4 + 3


def test_an_accounts_own_total_that_is_empty_is_held_against_its_campaigns(with_quirks):
    """The totals of two accounts are silent, and the campaigns of the second one too."""
    first, second, *_ = (account.id for account in World.at(AS_OF, "tiny").accounts("google"))
    asked = {"tables": ["account_daily"], "start_date": "2026-11-01", "accounts": [first, second]}
    days = {"complete": [["2026-11-01", "2026-11-21"]]}
    state = {"bookmarks": {"account_daily": {"accounts": {first: days, second: days}}}}
    with with_quirks(f"empty {first} customer; empty {second} customer; empty {second} campaign") as sandbox:
        after = sandbox.run(asked, state=state)
    told = {(region.where["account_id"], region.rows, region.confirmed) for region in after.regions}
    assert told == {(first, 0, False), (second, 0, True)}
    assert re.search(
        rf"account {first}: an answer without rows for .*the total of the campaigns has \d+ days", after.log
    )


def calls(result):
    """All of them: a run that takes long counts in several lines."""
    return sum(map(int, re.findall(r'"http_request_count", "value": (\d+)', result.log)))
