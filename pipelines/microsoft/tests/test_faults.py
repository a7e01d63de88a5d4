"""What the platform does wrong is mended, or reported by one sentence; no secret is ever repeated."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from microsoft_runs import AS_OF, Outcome, Run, Sandbox, Serve
from test_end_to_end import assert_holds, expected, last_days, ordered

from sandbox.world import World

FIRST, SECOND, EMPTY = "3001234567", "3002469134", "3000000077"
NARROW = {"tables": ["campaign", "campaign_daily"]}
ONE_BY_ONE = {"tables": ["campaign_daily"], "accounts": [FIRST, SECOND], "max_reports_in_flight": 1, "concurrency": 1}


@pytest.mark.parametrize(
    ("faults", "settings", "words"),
    [
        (["rate_limit", "rate_limit@3"], {}, "error 117 CallRateExceeded"),
        (["expired_token@4", "expired_token@11"], {}, "rows of reports"),
        (["server_error", "server_error@4", "server_error@12"], {}, "error 0 InternalError"),
        (["html", "html@3", "html@11"], {}, "HTTP status 502"),
        (["broken_connection", "broken_connection@3", "broken_connection@12"], {}, "the connection failed"),
        (["hang", "hang@9"], {"request_timeout": 0.5}, "no answer within the request_timeout"),
        (["failed_job", "failed_job@3"], {}, "Microsoft failed to make it; it is asked for again"),
        (["truncated_file"], {}, "the downloaded report is damaged (BadZipFile)"),
        (["truncated_file@0x2"], {}, "rows, but"),
        (["broken_connection@15", "hang@16", "server_error@14"], {"request_timeout": 0.5}, "report download"),
        (["empty_body@2", "empty_body@6"], {}, "the answer is not a JSON object, or is cut short"),
        (["empty_answer@1"], {}, "the answer has no"),
        (["expired_link"], {}, "HTTP status 403, the address has lapsed"),
        (["error=2100"], {}, "error 2100 ReportingServiceInvalidReportId: Microsoft has lost the report"),
        (["error=2101@2"], {}, "error 2101 ReportingServiceReportNotFound: Microsoft has lost the report"),
        (["error=105/3001234567"], {}, "rows of reports"),
    ],
)
def test_a_passing_fault_costs_nothing(
    serve: Serve, run: Run, faults: list[str], settings: dict[str, Any], words: str
) -> None:
    sandbox = serve(*faults)
    outcome = run(sandbox, settings=NARROW | {"retry_attempts": 6} | settings)
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    assert words in outcome.log
    world = World.at(AS_OF, "tiny")
    for table in NARROW["tables"]:
        assert_holds(outcome, table, expected(world, table, last_days(world, 30)))
    assert_no_secret(outcome, sandbox)


@pytest.mark.parametrize(
    ("fault", "status", "kind", "words"),
    [
        ("failed_job@0x3", 75, "transient", "campaign_daily: Microsoft failed to make it"),
        ("rate_limit@0x2", 75, "rate_limit", "SubmitGenerateReport of campaign_daily: error 117 CallRateExceeded: too"),
        ("truncated_file@0x6", 65, "data", "rows, but"),
    ],
)
def test_an_account_that_fails_leaves_the_next_alone(
    serve: Serve, run: Run, fault: str, status: int, kind: str, words: str
) -> None:
    sandbox = serve(fault)
    outcome = run(sandbox, settings=ONE_BY_ONE | {"retry_attempts": 2})
    assert outcome.status == status, outcome.log
    (failure,) = outcome.failures
    assert (failure.kind, failure.account_id) == (kind, FIRST)
    assert words in failure.message
    assert {row["account_id"] for row in outcome.tables["campaign_daily"]} == {SECOND}
    assert_no_secret(outcome, sandbox)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (105, 77, "auth"),
        (106, 77, "auth"),
        (1234567, 65, "data"),
        (2003, 65, "data"),
        (2009, 78, "config"),
        (2018, 65, "data"),
        (2041, 78, "config"),
        (2108, 65, "data"),
        (2101, 75, "transient"),
    ],
)
def test_a_code_of_one_account_leaves_the_others_alone(
    serve: Serve, run: Run, code: int, status: int, kind: str
) -> None:
    sandbox = serve(f"error={code}/{FIRST}x99")
    settings = {"tables": ["campaign_daily"], "accounts": [FIRST, SECOND]}
    outcome = run(sandbox, settings=settings)
    assert outcome.status == status, outcome.log
    (failure,) = outcome.failures
    assert (failure.kind, failure.account_id) == (kind, FIRST)
    assert f"error {code}" in failure.message
    assert "(tracking id " in failure.message
    world = World.at(AS_OF, "tiny")
    rows = [row for row in expected(world, "campaign_daily", last_days(world, 30)) if row["account_id"] == SECOND]
    assert_holds(outcome, "campaign_daily", rows)
    assert_no_secret(outcome, sandbox)


def test_a_table_of_a_group_is_lost_alone_of_the_account_that_is_refused_it(serve: Serve, run: Run) -> None:
    """Of the first account no file with asset groups is made, and their report, the second asked for, is refused."""
    sandbox = serve(f"error=3211/{FIRST}", f"error=2003/{FIRST}@1")
    outcome = run(sandbox, settings=ONE_BY_ONE | {"tables": ["campaign", "campaign_daily", "asset_groups"]})
    told = [(each.kind, each.account_id, each.message.partition(": error")[0]) for each in outcome.failures]
    assert told == [
        ("data", FIRST, "asset_group: DownloadCampaignsByAccountIds"),
        ("data", FIRST, "SubmitGenerateReport of asset_group_daily"),
    ], outcome.log
    assert outcome.status == 65
    world = World.at(AS_OF, "tiny")
    for table in ("campaign", "campaign_daily"):
        rows = [row for row in expected(world, table, last_days(world, 30)) if row["account_id"] in (FIRST, SECOND)]
        assert_holds(outcome, table, rows)
    for table in ("asset_group", "asset_group_daily"):
        assert_holds(
            outcome, table, [row for row in expected(world, table, last_days(world, 30)) if row["account_id"] == SECOND]
        )


def test_a_table_of_a_group_that_nobody_is_given_is_told_once(serve: Serve, run: Run) -> None:
    settings = ONE_BY_ONE | {"tables": ["campaign_daily", "asset_group_daily"]}
    outcome = run(serve("error=2015@1"), settings=settings)
    (failure,) = outcome.failures
    assert (failure.kind, failure.account_id, outcome.status) == ("config", None, 78)
    assert failure.message.startswith("SubmitGenerateReport of asset_group_daily: error 2015")
    assert {row["account_id"] for row in outcome.tables["campaign_daily"]} == {FIRST, SECOND}
    assert "asset_group_daily" not in outcome.tables


def test_an_account_that_is_refused_altogether_loses_more_than_its_tables_of_groups(serve: Serve, run: Run) -> None:
    settings = ONE_BY_ONE | {"tables": ["ad_group", "asset_group", "campaign_daily"]}
    outcome = run(serve(f"error=106/{FIRST}x9"), settings=settings)
    (failure,) = outcome.failures
    assert (failure.kind, failure.account_id, outcome.status) == ("auth", FIRST, 77)
    assert "asset_group" not in failure.message
    assert {row["account_id"] for row in outcome.tables["asset_group"]} == {SECOND}


@pytest.mark.parametrize(
    ("faults", "status", "words"),
    [
        (["error=108x9"], 77, "error 108 UserCompromised"),
        (["error=120x9"], 77, "error 120 UserLoginAccessDenied"),
        (["error=122x9"], 77, "error 122 PersonalIdentityNotAvailable"),
        (["error=126x9"], 77, "error 126 IdentityTypeMismatch"),
        (["error=109x9"], 77, "error 109 AuthenticationTokenExpired"),
        (["error=2015x9"], 78, "SubmitGenerateReport of campaign_daily: error 2015"),
        (["empty_list"], 78, "this login sees no account; give its user access"),
    ],
)
def test_what_is_wrong_for_all_accounts_ends_the_run(
    serve: Serve, run: Run, faults: list[str], status: int, words: str
) -> None:
    outcome = run(serve(*faults), settings={"tables": ["campaign_daily"], "max_reports_in_flight": 1, "concurrency": 1})
    assert outcome.status == status, outcome.log
    assert outcome.failures[-1].account_id is None
    assert words in outcome.failures[-1].message
    assert "Traceback" not in outcome.failures[-1].message


def test_an_account_without_its_optional_elements_is_named(serve: Serve, run: Run) -> None:
    outcome = run(serve("missing_value"), settings={"tables": ["account", "campaign_daily"]})
    assert outcome.status == 65
    (failure,) = outcome.failures
    assert f"account {failure.account_id}: its time zone ''" in failure.message
    world = World.at(AS_OF, "tiny")
    others = [row for row in expected(world, "account") if row["account_id"] != failure.account_id]
    assert_holds(outcome, "account", others)


def test_an_account_given_twice_with_different_values_is_named(serve: Serve, run: Run) -> None:
    outcome = run(serve("changed_object"), settings={"tables": ["account"]})
    assert outcome.status == 65
    (failure,) = outcome.failures
    assert "Microsoft gives the account twice, with different values" in failure.message
    assert {row["account_id"] for row in outcome.tables["account"]} == {
        row["account_id"] for row in expected(World.at(AS_OF, "tiny"), "account")
    } - {failure.account_id}


@pytest.mark.parametrize("table", ["campaign_daily", "account_daily"])
def test_a_report_without_rows_is_made_anew_before_it_is_believed(serve: Serve, run: Run, table: str) -> None:
    """A report of campaigns is held against the account's own, and that against the campaigns'."""
    settings = {"tables": [table], "accounts": [FIRST]}
    first = run(serve(), settings=settings)
    second = run(serve("empty_job"), settings=settings, state=first.state, before=first.tables)
    assert (second.status, second.failures, second.confirmed) == (0, [], [])
    assert "a report without rows, although another of the account has numbers; it is made anew" in second.log
    key = first.schemas[table].key
    assert ordered(second.tables[table], key) == ordered(first.tables[table], key)
    assert {region[4] for region in second.regions} == {len(first.tables[table])}


@pytest.mark.parametrize(
    ("fault", "words"),
    [("failed_job@1", "Microsoft failed to make it"), ("empty_job@1", "its address is gone")],
)
def test_a_report_that_is_gone_when_it_is_downloaded_again_is_not_one_without_rows(
    serve: Serve, run: Run, fault: str, words: str
) -> None:
    outcome = run(serve("truncated_file", fault), settings=ONE_BY_ONE)
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    assert f"campaign_daily: {words}; it is asked for again" in outcome.log
    world = World.at(AS_OF, "tiny")
    rows = expected(world, "campaign_daily", last_days(world, 30))
    assert_holds(outcome, "campaign_daily", [row for row in rows if row["account_id"] in (FIRST, SECOND)])


def test_rows_are_not_given_up_while_the_account_has_numbers(serve: Serve, run: Run) -> None:
    settings = {"tables": ["campaign_daily"], "accounts": [FIRST]}
    first = run(serve(), settings=settings)
    # The report comes empty, the account's own does not, the report that is made anew does.
    second = run(serve("empty_job", "empty_job@1"), settings=settings, state=first.state)
    assert [region[4] for region in second.regions] == [0], second.log
    assert second.confirmed == []


def test_days_that_are_empty_both_ways_are_confirmed_with_one_question(serve: Serve, run: Run) -> None:
    settings = {"tables": ["campaign_daily", "ad_daily", "keyword_daily"], "accounts": [EMPTY]}
    first = run(serve(), settings=settings)
    assert (first.status, first.confirmed) == (0, [])
    second = run(serve(), settings=settings, state=first.state)
    assert sorted(second.confirmed) == [(table, EMPTY) for table in sorted(settings["tables"])]
    # Sign-in, user, two pages of accounts; then three reports, and the account's own once: submitted and polled.
    assert calls(second) <= calls(first) + 3


def test_entities_that_are_gone_are_asked_about_a_second_way(serve: Serve, run: Run) -> None:
    settings = {"tables": ["campaign", "ad_group", "ad", "keyword", "asset_group"], "accounts": [EMPTY]}
    first = run(serve(), settings=settings)
    assert (first.status, first.confirmed) == (0, [])
    second = run(serve(), settings=settings, state=first.state)
    assert sorted(second.confirmed) == [(table, EMPTY) for table in sorted(settings["tables"])]


def calls(outcome: Outcome) -> int:
    found = re.findall(r'"http_request_count", "value": (\d+)', outcome.log)
    return sum(int(each) for each in found)


def test_an_account_with_several_reports_in_the_making_is_given_up_once(serve: Serve, run: Run) -> None:
    outcome = run(serve("failed_job@0x99"), settings=ONE_BY_ONE | {"max_reports_in_flight": 5, "window_days": 7})
    assert outcome.status == 75
    assert [(each.kind, each.account_id) for each in outcome.failures] == [("transient", FIRST), ("transient", SECOND)]


@pytest.mark.parametrize(
    ("fault", "status", "kind", "words"),
    [
        ("revoked_token", 77, "auth", "sign-in: the refresh token is expired or revoked"),
        ("revoked_token@5", 77, "auth", "AADSTS70000"),
        ("hang@0x99", 75, "transient", "sign-in: no answer within the request_timeout"),
        ("html@1x99", 75, "transient", "GetUser: HTTP status 502"),
        ("server_error@2x99", 75, "transient", "SearchAccounts: error 0 InternalError"),
    ],
)
def test_a_lasting_fault_ends_the_run_with_a_sentence(
    serve: Serve, run: Run, fault: str, status: int, kind: str, words: str
) -> None:
    sandbox = serve(fault)
    patience = 0.5 if fault.startswith("hang") else 10
    settings = {"tables": ["campaign_daily"], "retry_attempts": 2, "request_timeout": patience}
    outcome = run(sandbox, settings=settings, environment={"LOG_LEVEL": "INFO"})
    assert outcome.status == status, outcome.log
    assert [failure.kind for failure in outcome.failures] == [kind]
    assert words in outcome.failures[0].message
    assert "Traceback" not in outcome.log
    assert_no_secret(outcome, sandbox)


def test_a_report_that_is_never_made_has_a_deadline(serve: Serve, run: Run) -> None:
    # Every third report is pending when it is first asked for.
    outcome = run(serve(), settings=ONE_BY_ONE | {"report_timeout": 0.00001, "window_days": 10})
    assert outcome.status == 75
    assert [(each.kind, each.account_id) for each in outcome.failures] == [("transient", FIRST), ("transient", SECOND)]
    assert "not made within the report_timeout" in outcome.failures[0].message


def test_the_newest_refresh_token_is_kept_for_the_next_run(serve: Serve, run: Run, tmp_path: Path) -> None:
    sandbox = serve("expired_token@4")
    settings = {"tables": ["campaign_daily"], "accounts": [FIRST]}
    assert run(sandbox, settings=settings).status == 0
    stored = json.loads(Path(sandbox.environment["MICROSOFT_TOKEN_STORE"]).read_text())
    assert stored["refresh_token"].endswith("-2")
    elsewhere = run(sandbox, settings=settings, environment={"MICROSOFT_TOKEN_STORE": str(tmp_path / "other")})
    assert elsewhere.status == 77, "the sandbox still takes the token that was replaced twice"
    assert run(sandbox, settings=settings).status == 0


def test_no_token_is_used_up_if_the_next_cannot_be_kept(serve: Serve, run: Run, tmp_path: Path) -> None:
    sandbox = serve()
    (tmp_path / "file").write_text("")
    outcome = run(sandbox, environment={"MICROSOFT_TOKEN_STORE": str(tmp_path / "file" / "token")})
    assert (outcome.status, outcome.failures[0].kind) == (78, "config")
    assert "MICROSOFT_TOKEN_STORE" in outcome.failures[0].message
    assert run(sandbox, settings={"tables": ["account"]}).status == 0
    stored = json.loads(Path(sandbox.environment["MICROSOFT_TOKEN_STORE"]).read_text())
    assert stored["refresh_token"].endswith("-1")


def assert_no_secret(outcome: Outcome, sandbox: Sandbox) -> None:
    said = outcome.log + outcome.stdout.decode()
    for name in ("CLIENT_ID", "CLIENT_SECRET", "DEVELOPER_TOKEN", "REFRESH_TOKEN"):
        assert sandbox.environment[f"MICROSOFT_{name}"] not in said
    assert "sandbox-microsoft-access-token" not in said
    assert "sig=" not in said
