"""docs/report.schema.json describes every report there is, and nothing that no report shows."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from until import until_told

from supervisor.record.as_json import json_report
from supervisor.record.outcome import Outcome
from supervisor.record.run_record import Status
from supervisor.run.monitor import ExecutionMonitor
from wire.exits import Kind

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)

GOOD = """
if "--check" in sys.argv:
    say(type="CHECK", errors=[], warnings=[], api={"version": "v1", "ends": "2030-01-31", "source": "https://example"}); sys.exit()
schema("d", key=("account_id", "day"), day="day", account_id="string")
row("d", account_id="7", day="2026-01-01"); row("d", account_id="7", day="2026-01-02")
state({"a": 1}, stream="d", where={"account_id": "7"}, **{"from": "2026-01-01", "to": "2026-01-02"})
state({"a": 2}, stream="d", where={"account_id": "8"}, **{"from": "2026-01-01", "to": "2026-01-02"})
print('INFO | METRIC: {"type": "counter", "metric": "http_request_count", "value": 12}', file=sys.stderr)
time.sleep(0.6)
"""
BAD = """
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
error("auth", "no access any more", account_id="9"); error("rate_limit", "come back", account_id="10", retry_after=9999)
"""
SECOND_TIME = """
schema(); row(id="1", n=1)
if "--state" in given: state({"b": 2})
else: state({"b": 1}); os.kill(os.getpid(), signal.SIGTERM)
"""

UNEQUAL = """
for table, key, n in (("account_daily", (), 9), ("campaign_daily", ("campaign_id",), 8)):
    columns = dict.fromkeys(("impressions", "clicks"), "integer")
    schema(table, ("account_id", *key, "date"), day="date", account_id="string", **dict.fromkeys(key, "string"), cost="number", **columns)
    row(table, account_id="7", date="2026-01-01", impressions=n, clicks=n, cost=n, **dict.fromkeys(key, "c"))
    state({table: 1}, stream=table, where={"account_id": "7"}, **{"from": "2026-01-01", "to": "2026-01-02"})
"""


def fields(value: Any, schema: Any = SCHEMA, path: str = "") -> Iterator[str]:
    """The paths of a report's named fields; an item of a list or a map has the path of its list or map."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    for name, inner in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            yield f"{path}.{name}"
            yield from fields(value[name], inner, f"{path}.{name}")
    for item in value if isinstance(value, list) else []:
        yield from fields(item, schema.get("items") or {}, path)


def described(schema: Any = SCHEMA, path: str = "") -> Iterator[tuple[str, Any]]:
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from described(inner, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from described(schema["items"], path)


@pytest.fixture
def night(house: Any) -> dict[str, Any]:
    """The report of a run in which one platform completed, one failed, one was retried and one skipped."""
    house.tap("good", GOOD, memory_limit="1GiB", check=True)
    house.tap("bad", BAD)
    house.tap("second", SECOND_TIME, retry={"max_attempts": 2, "backoff_seconds": 0.05})
    house.tap("after", GOOD, dependencies=["bad"])
    house.tap("google", UNEQUAL)
    house.write()
    done = house.run("run")
    assert done.returncode == 2, done.stderr
    return json.loads((house.directory / "execution_report.json").read_text())


def test_reports_of_success_failure_retry_and_skip_are_what_the_schema_says(night: dict[str, Any]) -> None:
    VALIDATOR.validate(night)
    platforms = {platform["platform_name"]: platform for platform in night["platforms"]}
    assert [platforms[name]["status"] for name in ("good", "bad", "second", "after")] == [
        "completed", "failed", "completed", "skipped",
    ]  # fmt: skip
    assert platforms["good"]["rows_by_account"] == {"d": {"7": 2, "8": 0}}
    assert platforms["good"]["attempts"][0]["api_calls"] == 12
    assert platforms["good"]["attempts"][0]["memory_limit_bytes"] == 2**30
    assert platforms["good"]["attempts"][0]["samples"]
    assert platforms["bad"]["attempts"][0]["survivors"]
    assert [account["account_id"] for account in platforms["bad"]["failed_accounts"]] == ["9", "10"]
    assert [attempt["signal"] for attempt in platforms["second"]["attempts"]] == [signal.SIGTERM, None]


def test_the_schema_has_no_field_that_a_report_never_shows_and_allows_no_other(night: dict[str, Any]) -> None:
    assert set(fields(night)) == {path for path, _ in described()}
    for place in (night, night["summary"], night["platforms"][0], night["platforms"][1]["attempts"][0]):
        assert VALIDATOR.is_valid(night)
        place["other"] = 1
        assert not VALIDATOR.is_valid(night)
        del place["other"]
    del night["platforms"][0]["attempts"]
    assert not VALIDATOR.is_valid(night)


def test_the_report_of_an_interrupted_run_is_what_the_schema_says(house: Any) -> None:
    house.tap("slow", "schema(); row(id='1', n=1); state({'a': 1}); print('here', file=sys.stderr); time.sleep(60)")
    house.tap("next", GOOD, dependencies=["slow"])
    house.write()
    process = house.start("run")
    until_told(process, "here")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    report = json.loads((house.directory / "execution_report.json").read_text())
    VALIDATOR.validate(report)
    assert report["platforms"][0]["attempts"][0]["outcome"] == "interrupted"


def test_the_report_of_a_run_under_way_is_what_the_schema_says() -> None:
    monitor = ExecutionMonitor(["google", "facebook"])
    monitor.start_platform("google")
    VALIDATOR.validate(json.loads(json_report(monitor.record())))


def test_every_field_is_described_and_every_quantity_has_a_unit() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    units = {"_seconds": "in seconds", "_bytes": "in bytes", "_rate": "in percent", "bytes_read": "in bytes"}
    for path, schema in described():
        assert schema["description"].endswith("."), path
        for ending, unit in units.items():
            assert not path.endswith(ending) or unit in schema["description"], path


def test_the_words_of_the_schema_are_those_of_the_code() -> None:
    found = dict(described())
    assert found[".platforms.status"]["enum"] == list(Status)
    assert found[".platforms.attempts.outcome"]["enum"] == list(Outcome)
    assert found[".platforms.failed_accounts.kind"]["enum"] == list(Kind)
