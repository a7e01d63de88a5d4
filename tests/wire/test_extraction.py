"""A pipeline's frame, run as a real process: what it sends, what it remembers, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
import sys, datetime as dt
from wire import *
import msgspec
T = Table("daily", (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER)), ("account_id", "date"), "date")
def tables(invocation):
    return (T, *(msgspec.structs.replace(T, name=d.name, fingerprint=d.fingerprint) for d in read_definitions(invocation.settings, {"daily"})[0]))
def extract(invocation, extraction):
    print("a stray print of a library")
    for each in read_definitions(invocation.settings, {"daily"})[0]:
        if extraction.wants(each.name):
            today = today_in("UTC")
            for window in extraction.due(each.name, "1", today=today, lookback_days=2, window_days=3, by_month=each.grain is Grain.MONTH):
                extraction.replace_window(each.name, "1", window, rows("1", Window(window.first, window.first)), today=today)
    if not extraction.wants("daily"): return
    for account in invocation.settings.get("accounts", ["1", "2"]):
        with extraction.account(account):
            today = today_in("UTC")
            for window in extraction.due("daily", account, today=today, lookback_days=2, window_days=3):
                extraction.replace_window("daily", account, window, rows(account, window), today=today, confirm_empty=confirmed)
def confirmed():
    print("asked a second way")
    return True
def rows(account, window):
    if account == "idle": return
    for day in window.days():
        yield {"account_id": account, "date": day, "n": 1}
        if account == "broken": raise PipelineError(Kind.TRANSIENT, "the platform hung up")
        if account == "refused": raise PipelineError(Kind.AUTH, "the token is refused")
        if account == "bug": raise ZeroDivisionError("secret-token")
def check(invocation):
    for account in invocation.settings.get("accounts", []):
        if not account.isdigit():
            yield PipelineError(Kind.CONFIG, f"settings.accounts: {account!r} is not a number")
def probe(invocation, extraction):
    yield CheckWarning("the platform was asked")
def fields():
    return FieldsLine(["campaign"], [ListedField("clicks", "metrics", "integer", "count")], "the SDK 1.0")
api = Api(version="v9", ends=dt.date(2027, 1, 31), source="https://example.com/sunset")
def accounts(invocation, extraction):
    for account in invocation.settings.get("accounts", []):
        with extraction.account(account):
            if account == "broken": raise PipelineError(Kind.TRANSIENT, "the platform hung up")
            yield ListedAccount(account, "Müller & Co.", "EUR", "")
sys.exit(run_pipeline("pipeline-test", tables, extract, check=check, probe=probe, api=api, accounts=accounts, fields=fields))
"""


def run(
    tmp_path: Path,
    *options: str,
    settings: dict[str, Any] | None = None,
    state: Any = None,
    now: str = "2026-11-20T12:00:00Z",
    pipeline: str = PIPELINE,
    **environment: str,
) -> tuple[int, list[dict[str, Any]], str]:
    (tmp_path / "config.json").write_text(json.dumps({"start_date": "2026-11-10"} | (settings or {})))
    command = [sys.executable, "-c", pipeline, "--config", str(tmp_path / "config.json"), *options]
    if state is not None:
        (tmp_path / "state.json").write_text(json.dumps(state))
        command += ["--state", str(tmp_path / "state.json")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={"PIPELINE_NOW": now, **environment}
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def regions(lines: list[dict[str, Any]]) -> list[tuple[str, str, str, int]]:
    found = [line["replaces"] for line in lines if line["type"] == "STATE"]
    return [(r["where"]["account_id"], r["from"], r["to"], r["rows"]) for r in found]


def test_all_days_newest_first_then_only_the_recent_ones(tmp_path: Path) -> None:
    status, lines, stderr = run(tmp_path, settings={"accounts": ["1"]})
    assert (status, "stray print" in stderr) == (0, True)
    assert [line["type"] for line in lines][:2] == ["SCHEMA", "RECORD"]
    assert regions(lines) == [
        ("1", "2026-11-18", "2026-11-20", 3), ("1", "2026-11-15", "2026-11-17", 3),
        ("1", "2026-11-12", "2026-11-14", 3), ("1", "2026-11-10", "2026-11-11", 2),
    ]  # fmt: skip
    state = lines[-1]["value"]
    assert state["bookmarks"]["daily"]["accounts"]["1"]["complete"] == [["2026-11-10", "2026-11-19"]]
    assert regions(run(tmp_path, settings={"accounts": ["1"]}, state=state)[1]) == [
        ("1", "2026-11-18", "2026-11-20", 3)
    ]
    earlier = run(tmp_path, settings={"accounts": ["1"], "start_date": "2026-11-08"}, state=state)[1]
    assert regions(earlier) == [("1", "2026-11-18", "2026-11-20", 3), ("1", "2026-11-08", "2026-11-09", 2)]


def test_after_a_pause_every_day_that_was_not_settled_is_loaded_again(tmp_path: Path) -> None:
    state = run(tmp_path, settings={"accounts": ["1"]})[1][-1]["value"]
    assert state["bookmarks"]["daily"]["accounts"]["1"]["settled"] == [["2026-11-10", "2026-11-18"]]
    later = run(tmp_path, settings={"accounts": ["1"]}, state=state, now="2026-11-29T12:00:00Z")[1]
    assert [(first, last) for _, first, last, _ in regions(later)] == [
        ("2026-11-27", "2026-11-29"), ("2026-11-24", "2026-11-26"),
        ("2026-11-21", "2026-11-23"), ("2026-11-19", "2026-11-20"),
    ]  # fmt: skip


def test_an_account_that_fails_is_named_and_sends_no_row_while_the_others_go_on(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, settings={"accounts": ["broken", "2"]})
    assert status == 75
    assert lines[0] == {
        "type": "ERROR",
        "kind": "transient",
        "message": "the platform hung up",
        "retry_after": None,
        "account_id": "broken",
    }
    assert {line["record"]["account_id"] for line in lines if line["type"] == "RECORD"} == {"2"}


def test_a_state_line_says_what_changed_to_who_understands_it_and_all_to_others(tmp_path: Path) -> None:
    _, lines, _ = run(tmp_path)
    states = [line for line in lines if line["type"] == "STATE"]
    assert all("patch" not in line for line in states)
    _, lines, _ = run(tmp_path, WIRE_STATE="patch")
    patches = [line for line in lines if line["type"] == "STATE"]
    assert [line["replaces"] for line in patches] == [line["replaces"] for line in states]
    state: dict[str, Any] = {}
    for line in patches:
        assert "value" not in line
        ((account, days),) = line["patch"]["bookmarks"]["daily"]["accounts"].items()
        assert account == line["replaces"]["where"]["account_id"]
        state[account] = days
    assert {"bookmarks": {"daily": {"accounts": state}}} == states[-1]["value"]


def test_a_refused_token_ends_the_pipeline(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, settings={"accounts": ["refused", "2"]})
    assert (status, len(lines), lines[0]["kind"]) == (77, 1, "auth")


def test_a_bug_is_a_sentence_without_a_traceback(tmp_path: Path) -> None:
    status, lines, stderr = run(tmp_path, settings={"accounts": ["bug"]})
    assert (status, lines[0]["kind"], lines[0]["message"]) == (
        70,
        "internal",
        "a bug in this pipeline: ZeroDivisionError",
    )
    assert "Traceback" not in stderr and "secret-token" not in stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"start_date": "soon"}, "settings.start_date"),
        ({"tables": ["dialy"]}, "no table or group 'dialy'; did you mean 'daily'"),
    ],
)
def test_wrong_settings_end_with_78(tmp_path: Path, settings: dict[str, Any], says: str) -> None:
    status, lines, _ = run(tmp_path, settings=settings)
    assert status == 78 and says in lines[0]["message"]


def test_discover_prints_a_catalog_and_a_wrong_option_exits_with_64(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, "--discover")
    assert (status, lines[0]["streams"][0]["tap_stream_id"]) == (0, "daily")
    assert run(tmp_path, "--nonsense")[0] == 64
    assert run(tmp_path, "--since", "2026-02-02", "--until", "2026-01-01")[0] == 64


def test_accounts_are_listed_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    status, (error, listed), _ = run(tmp_path, "--discover-accounts", settings={"accounts": ["1", "broken", "2"]})
    assert (status, error["type"], error["account_id"]) == (75, "ERROR", "broken")
    assert listed["type"] == "ACCOUNTS" and [each["id"] for each in listed["accounts"]] == ["1", "2"]
    assert listed["accounts"][0] == {"id": "1", "name": "Müller & Co.", "currency": "EUR", "status": ""}
    status, (error,), _ = run(tmp_path, "--discover-accounts", pipeline=PIPELINE.replace(", accounts=accounts", ""))
    assert (status, error["message"]) == (78, "this pipeline cannot list accounts")


def test_an_empty_answer_is_confirmed_only_where_days_were_loaded_before(tmp_path: Path) -> None:
    _, lines, stderr = run(tmp_path, settings={"accounts": ["idle"]})
    assert "asked a second way" not in stderr
    assert [line["replaces"].get("confirmed") for line in lines if line["type"] == "STATE"] == [None] * 4
    state = lines[-1]["value"]
    _, lines, stderr = run(tmp_path, settings={"accounts": ["idle"], "start_date": "2026-11-08"}, state=state)
    assert stderr.count("asked a second way") == 1
    states = [line["replaces"] for line in lines if line["type"] == "STATE"]
    assert [(each["from"], each.get("confirmed")) for each in states] == [("2026-11-18", True), ("2026-11-08", None)]


def test_a_check_names_everything_at_once_and_asks_nobody(tmp_path: Path) -> None:
    wrong = {"accounts": ["a", "1", "b"], "tables": ["dialy"], "start_date": "soon"}
    status, (line,), _ = run(tmp_path, "--check", settings=wrong)
    assert (status, line["type"]) == (78, "CHECK")
    assert [error.split(":")[0] for error in line["errors"]] == [
        "settings.tables", "settings.start_date", "settings.accounts", "settings.accounts",
    ]  # fmt: skip
    status, (line,), _ = run(tmp_path, "--check")
    assert (status, line["errors"]) == (0, [])


@pytest.mark.parametrize(
    ("day", "says"),
    [("2026-11-01", None), ("2026-11-02", "ends on 2027-01-31, in 90 days"), ("2027-01-31", "ended on 2027-01-31")],
)
def test_the_end_of_an_api_version_is_told_ninety_days_before(tmp_path: Path, day: str, says: str | None) -> None:
    status, (line,), _ = run(tmp_path, "--check", now=f"{day}T12:00:00Z")
    assert status == 0 and line["api"]["version"] == "v9"
    assert (says is None) == (line["warnings"] == [])
    _, _, stderr = run(tmp_path, settings={"accounts": ["idle"]}, now=f"{day}T12:00:00Z")
    assert says is None or (says in line["warnings"][0] and says in stderr)


def test_a_setting_may_decide_the_api_version(tmp_path: Path) -> None:
    decided = PIPELINE.replace("api=api", "api=lambda given: api if given.settings.get('version') == 'v9' else None")
    for settings, version in (({"version": "v9"}, "v9"), ({"version": "v8"}, None)):
        status, (line,), _ = run(tmp_path, "--check", settings=settings, pipeline=decided)
        assert status == 0
        assert (line["api"] or {}).get("version") == version


MONTHLY = {"name": "monthly", "of": "campaign", "metrics": ["n"], "grain": "month"}


def test_a_monthly_report_replaces_whole_months_and_knows_its_definition(tmp_path: Path) -> None:
    settings = {"accounts": [], "reports": [MONTHLY], "start_date": "2026-09-20", "tables": ["daily"]}
    status, lines, _ = run(tmp_path, settings=settings, now="2026-11-02T12:00:00Z")
    assert (status, regions(lines)) == (
        0,
        [
            ("1", "2026-11-01", "2026-11-02", 1), ("1", "2026-10-01", "2026-10-31", 1),
            ("1", "2026-09-01", "2026-09-30", 1),
        ],
    )  # fmt: skip
    state = lines[-1]["value"]
    # October has a day within the lookback, so all of it is loaded again; September is settled.
    assert regions(run(tmp_path, settings=settings, now="2026-11-02T12:00:00Z", state=state)[1]) == [
        ("1", "2026-11-01", "2026-11-02", 1), ("1", "2026-10-01", "2026-10-31", 1)
    ]  # fmt: skip
    more = run(tmp_path, settings=settings | {"reports": [MONTHLY | {"metrics": ["n", "m"]}]}, state=state)
    assert more[0] == 0


def test_a_report_of_another_grain_is_refused_and_the_others_are_loaded(tmp_path: Path) -> None:
    state = run(tmp_path, settings={"accounts": ["1"], "reports": [MONTHLY]})[1][-1]["value"]
    changed = {"accounts": ["1"], "reports": [MONTHLY | {"grain": "day"}, MONTHLY | {"name": "another"}]}
    status, lines, stderr = run(tmp_path, settings=changed, state=state)
    assert status == 78
    [error] = [line for line in lines if line["type"] == "ERROR"]
    assert (error["kind"], error["account_id"]) == ("config", None)
    assert error["message"].startswith("reports.monthly: its of, by, grain or where is not the one")
    assert "`supervisor state reset --stream monthly`" in error["message"] and error["message"] in stderr
    loaded = {line["replaces"]["stream"] for line in lines if line["type"] == "STATE"}
    assert loaded == {"another", "daily"}


def test_a_probe_asks_the_platform_only_where_nothing_is_wrong_already(tmp_path: Path) -> None:
    assert run(tmp_path, "--probe")[1][0]["warnings"][-1] == "the platform was asked"
    status, [line], _ = run(tmp_path, "--probe", settings={"accounts": ["x"]})
    assert (status, line["errors"]) == (78, ["settings.accounts: 'x' is not a number"])
    assert "the platform was asked" not in line["warnings"]


def test_the_fields_that_reports_can_name_are_printed(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, "--fields")
    field = {"name": "clicks", "role": "metrics", "type": "integer", "note": "count"}
    assert (status, lines) == (
        0,
        [{"type": "FIELDS", "of": ["campaign"], "fields": [field], "source": "the SDK 1.0"}],
    )


GIVING_UP = """
import sys
from wire import *
C = (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER))
T = [Table(name, C, ("account_id", "date"), "date") for name in ("first", "second")]
def extract(invocation, extraction):
    def load(account, within):
        today = today_in("UTC")
        for table in T:
            for window in extraction.due(table.name, account, today=today, lookback_days=2, window_days=9, within_round=within):
                if (table.name, account) == ("first", "1"):
                    extraction.give_up([table.name], account, PipelineError(Kind.CONFIG, "it is refused"))
                    break
                extraction.replace_window(table.name, account, window, [{"account_id": account, "date": window.first, "n": 1}], today=today)
    load_accounts(extraction, ["1", "2"], load, account_id=str, lookback_days=2, limiter=Limiter(1))
sys.exit(run_pipeline("pipeline-test", T, extract))
"""


def test_a_table_that_is_given_up_for_an_account_is_told_once_and_keeps_nothing_else_from_being_loaded(
    tmp_path: Path,
) -> None:
    status, lines, _ = run(tmp_path, pipeline=GIVING_UP)
    assert status == 78
    assert [(line["account_id"], line["message"]) for line in lines if line["type"] == "ERROR"] == [
        ("1", "it is refused")
    ]
    regions = [line["replaces"] for line in lines if line["type"] == "STATE"]
    loaded = {(each["stream"], each["where"]["account_id"]) for each in regions}
    assert loaded == {("second", "1"), ("first", "2"), ("second", "2")}
    days = {name: [each["from"] for each in regions if each["stream"] == name] for name in ("first", "second")}
    assert len(days["second"]) == 2 * len(days["first"]) > 2, "the backfill went on"


OWN_LOOKBACKS = """
import sys
from wire import *
C = (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER))
T = [Table("daily", C, ("account_id", "date"), "date")]
def extract(invocation, extraction):
    today, days = today_in("UTC"), {"1": 3, "2": 9}
    due = {a: extraction.due("daily", a, today=today, lookback_days=days[a], window_days=99) for a in days}
    for account in days:
        for window in due[account]:
            row = {"account_id": account, "date": window.first, "n": 1}
            extraction.replace_window("daily", account, window, [row], today=today)
sys.exit(run_pipeline("pipeline-test", T, extract))
"""


def test_days_are_settled_by_the_lookback_of_their_own_account(tmp_path: Path) -> None:
    status, lines, _ = run(tmp_path, pipeline=OWN_LOOKBACKS, settings={"start_date": "2026-10-01"})
    assert status == 0
    accounts = [line for line in lines if line["type"] == "STATE"][-1]["value"]["bookmarks"]["daily"]["accounts"]
    assert {account: known["settled"] for account, known in accounts.items()} == {
        "1": [["2026-10-01", "2026-11-17"]],
        "2": [["2026-10-01", "2026-11-11"]],
    }


SHARED_LIST = """
import sys
from wire import *
C = (Column("id", Type.STRING), Column("language", Type.STRING))
T = [Table("places", C, ("id",))]
def extract(invocation, extraction):
    if extraction.has("places") and not extraction.is_loaded("places", SHARED):
        rows = [{"id": each, "language": "en"} for each in invocation.settings["ids"]]
        extraction.replace_shared("places", {"language": "en"}, rows, confirm_empty=lambda: True)
sys.exit(run_pipeline("pipeline-test", T, extract))
"""


def test_a_list_for_all_accounts_is_one_region_of_one_shard_and_its_emptiness_is_asked_for(tmp_path: Path) -> None:
    def sent(*options: str, **more: Any) -> list[dict[str, Any]]:
        status, lines, _ = run(tmp_path, *options, pipeline=SHARED_LIST, **more)
        assert status == 0
        return [line for line in lines if line["type"] in ("RECORD", "STATE")]

    *rows, state = sent(settings={"ids": ["1", "2"]})
    assert [each["record"]["id"] for each in rows] == ["1", "2"]
    assert state["replaces"] == {"stream": "places", "where": {"language": "en"}, "rows": 2}
    assert list(state["value"]["bookmarks"]["places"]["accounts"]) == ["all"]
    (empty,) = sent(settings={"ids": []}, state=state["value"])
    assert empty["replaces"]["confirmed"]
    by_shard = [sent("--shard", f"{index}/3", settings={"ids": ["1"]}) for index in range(3)]
    assert sorted(map(len, by_shard)) == [0, 0, 2]
