"""The sandbox refuses what Google refuses: otherwise the pipeline's tests would prove little."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from pathlib import Path

import pytest

from sandbox.google.conditions import RefusedError
from sandbox.google.gaql import parsed
from sandbox.google.quirks import Quirks


@pytest.fixture(scope="module")
def answers(sandbox, python):
    own, other, *_, closed = (account.id for account in sandbox.world.accounts("google"))
    result = subprocess.run(
        [python, Path(__file__).with_name("stock_sdk.py"), own, other, closed],
        env={**sandbox.environment, "PATH": os.environ["PATH"], "GRPC_VERBOSITY": "NONE"},
        check=False,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_stream_has_several_batches_and_an_empty_one_in_the_middle(answers):
    assert len(answers["batches"]) >= 3
    assert answers["batches"][1] == 0
    assert answers["batches"] == answers["pages"]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("unknown field", "query_error: UNRECOGNIZED_FIELD"),
        ("unknown metric", "query_error: UNRECOGNIZED_FIELD"),
        ("not a leaf", "query_error: UNRECOGNIZED_FIELD"),
        ("no such resource", "query_error: BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("other resource", "query_error: PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("no dates", "query_error: EXPECTED_FILTERS_ON_DATE_RANGE"),
        ("half a date range", "query_error: EXPECTED_FILTERS_ON_DATE_RANGE"),
        ("metric of another report", "query_error: PROHIBITED_FIELD_COMBINATION_IN_SELECT_CLAUSE"),
        ("a segment that is not made", "query_error: PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE"),
        ("cost by conversion", "query_error: PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE"),
        ("hours of an ad", "query_error: PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE"),
        ("nonsense", "query_error: UNEXPECTED_INPUT"),
        ("metrics of a manager", "query_error: REQUESTED_METRICS_FOR_MANAGER"),
        ("page size", "request_error: PAGE_SIZE_NOT_SUPPORTED"),
        ("closed", "authorization_error: CUSTOMER_NOT_ENABLED"),
        ("not through the manager", "authorization_error: USER_PERMISSION_DENIED"),
        ("direct", "no refusal"),
    ],
)
def test_a_wrong_request_is_refused_as_google_does(answers, what, code):
    assert answers[what] == code


def test_an_account_has_metrics_of_its_own(sandbox, answers):
    """The sum over its campaigns, by day, and in one row where days are only a condition."""
    account = sandbox.world.accounts("google")[0]
    week = (dt.date(2026, 11, 16), dt.date(2026, 11, 22))
    by_day = {}
    for fact in sandbox.world.campaign_facts(account, *week):
        by_day[fact.day.isoformat()] = by_day.get(fact.day.isoformat(), 0) + fact.metrics.clicks
    assert answers["account by day"] == by_day
    assert answers["account in all"] == [sum(by_day.values())]


def test_things_that_did_nothing_have_a_row_unless_days_are_asked_for(sandbox, answers):
    campaigns = sandbox.world.accounts("google")[0].campaigns
    assert sorted(answers["campaigns in all"]) == sorted(campaign.id for campaign in campaigns)


def test_campaigns_can_be_selected_with_their_budget(sandbox, answers):
    campaigns = sandbox.world.accounts("google")[0].campaigns
    assert sorted(answers["budgets"]) == sorted([campaign.id * 10 + 1, campaign.id] for campaign in campaigns)


def test_lists_of_messages_and_resource_names_come_too(sandbox, answers):
    ad = sandbox.world.accounts("google")[0].campaigns[0].groups[0].ads[0]
    assert ad.name in answers["headlines"]
    assert answers["resource name"].startswith(f"customers/{sandbox.world.accounts('google')[0].id}/adGroupAds/")


def test_a_query_can_be_validated_counted_and_ordered(sandbox, answers):
    campaigns = sandbox.world.accounts("google")[0].campaigns
    assert answers["validated"] == 0
    assert answers["validated wrong"] == "query_error: UNRECOGNIZED_FIELD"
    assert answers["counted"] == [len(campaigns), 0]
    assert answers["ordered"] == sorted((campaign.id for campaign in campaigns), reverse=True)[:2]


def test_fields_can_be_looked_up(answers):
    assert answers["field"] == ["campaign.status", "ATTRIBUTE", "ENUM", True]
    assert "REMOVED" in answers["field values"]
    assert {"campaign.id", "campaign.name"} <= set(answers["fields"])
    assert "campaign" in answers["selectable with"]


def test_the_oldest_version_answers_too(answers):
    assert answers["v23"] > 0


def test_a_version_that_is_gone_is_unimplemented(answers):
    assert answers["v22"].startswith("501 GRPC target method can't be resolved")


def test_the_login_reaches_its_manager_and_one_account(sandbox, answers):
    own = sandbox.world.accounts("google")[0].id
    assert answers["accessible"] == ["customers/9474097201", f"customers/{own}"]


def test_conditions_hold(sandbox, answers):
    account = sandbox.world.accounts("google")[0]
    today = sandbox.world.today(account)
    paused = [campaign for campaign in account.campaigns if campaign.status(today) == "paused"]
    assert answers["filtered"] == ["PAUSED"] * len(paused)
    assert paused


def test_a_wrong_refresh_token_looks_like_an_outage_to_the_plain_sdk(answers):
    """Why the pipeline renews tokens itself."""
    assert answers["wrong token"].startswith("503 Getting metadata from plugin failed")
    assert "invalid_grant" in answers["wrong token"]


class AnyField:
    """A catalog in which every field exists."""

    def field(self, path):
        return path

    def enum_names(self, path):
        return ("ENABLED", "PAUSED") if path.endswith("status") else ()


TODAY = dt.date(2026, 11, 22)


def asked(where, select="campaign.id"):
    return parsed(f"SELECT {select} FROM campaign WHERE {where}", AnyField(), TODAY)


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("segments.date BETWEEN '2026-11-31' AND '2026-12-01'", "INVALID_DATE_FORMAT"),
        ("segments.date > '2026-11-01'", "EXPECTED_FILTERS_ON_DATE_RANGE"),
        ("segments.date DURING LAST_YEAR_OR_SO", "INVALID_VALUE_WITH_DURING_OPERATOR"),
        ("segments.device = 'MOBILE'", "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE"),
        ("campaign.id = 1 OR campaign.id = 2", "EXPECTED_AND"),
        ("campaign.id ~ 1", "BAD_OPERATOR"),
        ("campaign.id IN ()", "PROHIBITED_EMPTY_LIST_IN_CONDITION"),
        ("campaign.status = 'ASLEEP'", "BAD_ENUM_CONSTANT"),
    ],
)
def test_a_broken_condition_is_refused(where, code):
    with pytest.raises(RefusedError) as caught:
        asked(where)
    assert caught.value.code == code


def test_a_query_is_read_whole():
    query = parsed(
        "select campaign.id, segments.date from campaign where segments.date = '2026-11-01' "
        "and campaign.id not in (1, 2) order by campaign.id desc limit 3",
        AnyField(),
        TODAY,
    )
    assert (query.paths, query.resource, query.limit) == (("campaign.id", "segments.date"), "campaign", 3)
    assert query.first == query.last
    assert query.order == (("campaign.id", True),)
    assert [query.conditions[0].holds(number) for number in (1, 3)] == [False, True]


@pytest.mark.parametrize(
    ("where", "yes", "no"),
    [
        ("campaign.name LIKE '%sale_'", "Summer sales", "Summer sale"),
        ("campaign.name NOT LIKE 'A%'", "B", "apple"),
        ("campaign.name REGEXP_MATCH 'a.c'", "abc", "abcd"),
        ("campaign.name IS NULL", None, ""),
        ("campaign.labels CONTAINS ANY ('a', 'b')", ["b", "c"], ["c"]),
        ("campaign.labels CONTAINS ALL ('a', 'b')", ["b", "a", "c"], ["a"]),
        ("campaign.id BETWEEN 2 AND 4", 4, 5),
    ],
)
def test_an_operator_means_what_it_does_at_google(where, yes, no):
    (condition,) = asked(where).conditions
    assert [condition.holds(value) for value in (yes, no)] == [True, False]


def test_during_ends_yesterday():
    query = asked("segments.date DURING LAST_7_DAYS")
    assert (query.first, query.last) == (dt.date(2026, 11, 15), dt.date(2026, 11, 21))


def test_removed_ads_are_hidden_unless_the_status_is_asked_for():
    """https://github.com/googleads/google-ads-python/issues/717"""

    def hidden(where):
        query = parsed(f"SELECT ad_group_ad.ad.id FROM ad_group_ad {where}", AnyField(), TODAY)
        return not all(
            condition.holds("REMOVED") for condition in query.conditions if condition.field.endswith("status")
        )

    assert hidden("")
    assert hidden("WHERE campaign.id = 1")
    assert not hidden("WHERE ad_group_ad.ad.id = 1")
    assert hidden("WHERE ad_group_ad.status = 'ENABLED'")


@pytest.mark.parametrize("text", ["refuse 123", "sulk 123 campaign", "alone together"])
def test_a_quirk_that_there_is_not_is_told(text):
    with pytest.raises(ValueError, match="SANDBOX_GOOGLE_QUIRKS"):
        Quirks.read({"SANDBOX_GOOGLE_QUIRKS": text})
