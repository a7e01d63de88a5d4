"""The sandbox refuses what Google refuses: otherwise the pipeline's tests would prove little."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sandbox.google.gaql import RefusedError, parsed


@pytest.fixture(scope="module")
def answers(sandbox, python):
    own, other, *_, closed = (account.id for account in sandbox.world.accounts("google"))
    result = subprocess.run(
        [python, Path(__file__).with_name("stock_sdk.py"), own, other, closed],
        env={**sandbox.environment, "PATH": os.environ["PATH"], "GRPC_VERBOSITY": "NONE"},
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
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


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("segments.date BETWEEN '2026-11-31' AND '2026-12-01'", "INVALID_DATE_FORMAT"),
        ("campaign.id = 1 OR campaign.id = 2", "EXPECTED_AND"),
        ("campaign.id ~ 1", "BAD_OPERATOR"),
    ],
)
def test_a_broken_condition_is_refused(where, code):
    with pytest.raises(RefusedError) as caught:
        parsed(f"SELECT campaign.id FROM campaign WHERE {where}", lambda path: True)
    assert caught.value.code == code


def test_a_query_is_read_whole():
    query = parsed(
        "select campaign.id, segments.date from campaign where segments.date = '2026-11-01' "
        "and campaign.id not in (1, 2) order by campaign.id desc limit 3",
        lambda path: True,
    )
    assert (query.paths, query.resource, query.limit) == (("campaign.id", "segments.date"), "campaign", 3)
    assert query.first == query.last
    assert [query.conditions[0].holds(number) for number in (1, 3)] == [False, True]
