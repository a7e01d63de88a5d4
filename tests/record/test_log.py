"""The log as JSON and in a file; the trace that a pipeline is handed."""

from __future__ import annotations

import json
import re
from typing import Any

from supervisor.record.trace import trace_id, traceparent

SAYS = """
print("WARNING | slow \\"quoted\\" down", file=sys.stderr)
print(os.environ["TRACEPARENT"], file=sys.stderr)
"""


def test_every_line_of_a_json_log_is_an_object_with_the_runs_id(house: Any, configured: Any) -> None:
    house.tap("one", "import os\n" + SAYS + "schema(); row(id='1', n=1); state({'a': 1})")
    house.tap("bad", "sys.exit(1)")
    house.environment["LOG_FORMAT"] = "json"
    done = configured()
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    run_id = json.loads((house.directory / "execution_report.json").read_text())["run_id"]
    assert {line["run_id"] for line in lines} == {run_id}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line["time"]) for line in lines)
    said = {line["message"]: line for line in lines if line.get("platform") == "one"}
    assert said['slow "quoted" down']["level"] == "WARNING"
    assert f"00-{trace_id(run_id)}-" in "".join(said)
    assert {line["trace_id"] for line in lines} == {trace_id(run_id)}
    summary = next(line["summary"] for line in lines if line["message"] == "Execution Summary")
    assert (summary["completed"], summary["failed"], summary["total_rows_processed"]) == (1, 1, 1)


def test_a_secret_with_a_quote_in_it_does_not_reach_a_json_log(house: Any, configured: Any) -> None:
    house.tap("one", "import os; print(os.environ['MY_SECRET'], file=sys.stderr)", pass_environment=["MY_SECRET"])
    house.environment |= {"LOG_FORMAT": "json", "MY_SECRET": 'say"nothing\\ever'}
    done = configured()
    assert "nothing" not in done.stderr
    assert "[redacted]" in done.stderr


def test_what_keeps_a_run_from_starting_is_json_too(house: Any) -> None:
    done = house.run("run", LOG_FORMAT="json")
    assert done.returncode == 1
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["level"], line["run_id"]) == ("ERROR", None)
    assert line["message"] == "orchestrator_config.yml does not exist"


def test_an_unknown_format_is_refused(house: Any) -> None:
    house.tap("one", "")
    house.write()
    done = house.run("run", LOG_FORMAT="xml")
    assert done.returncode == 1
    assert 'LOG_FORMAT: expected one of text, json, got "xml"' in done.stderr


def test_the_log_file_is_rotated_and_holds_what_standard_error_holds(house: Any, configured: Any) -> None:
    house.tap("wordy", "line = 'x' * 8000\nfor n in range(1500): print(n, line, file=sys.stderr)")
    house.environment["LOG_TO_FILE"] = "true"
    done = configured()
    files = sorted((house.directory / "logs").iterdir())
    assert [file.name for file in files] == ["supervisor.log", "supervisor.log.1"]
    assert all(file.stat().st_size <= 10 * 2**20 for file in files)
    logged = "".join(file.read_text() for file in reversed(files))
    assert logged.count("x" * 8000) == done.stderr.count("x" * 8000) == 1500


def test_a_log_file_that_can_no_longer_be_written_is_a_warning(house: Any, configured: Any) -> None:
    (house.directory / "logs").mkdir()
    (house.directory / "logs" / "supervisor.log").symlink_to("/dev/full")
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    house.environment["LOG_TO_FILE"] = "true"
    done = configured()
    assert done.returncode == 0
    assert done.stderr.count("LOG_TO_FILE: logs/supervisor.log is no longer written: [Errno 28]") == 1
    assert "Traceback" not in done.stderr


def test_each_attempt_is_a_span_of_the_runs_trace() -> None:
    first, second = (traceparent("20260122T100000Z-abcd1234", "google", number) for number in (1, 2))
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", first)
    assert first[:36] == second[:36]
    assert first != second
    assert first == traceparent("20260122T100000Z-abcd1234", "google", 1)
    assert trace_id("20260122T100000Z-abcd1235") != trace_id("20260122T100000Z-abcd1234")


def test_nothing_that_is_quoted_passes_for_a_line_of_its_own(house: Any, configured: Any) -> None:
    forged = "2026-11-24 06:00:00 | SUCCESS  | Platform 'p' completed: 9 rows"
    house.environment["LOG_TO_FILE"] = "true"
    house.tap("p", f"""
        print("harmless\\r{forged}\\x1b[2J\\x9b1A", file=sys.stderr)
        error("data", "refused\\n{forged}\\x1b[31m\\x85")
        sys.exit(65)
    """)  # fmt: skip
    done = configured()
    (path,) = (house.directory / "logs").iterdir()
    for text in (done.stderr, path.read_text()):
        lines = text.replace("\r", "\n").replace("\x85", "\n").split("\n")
        assert not [line for line in lines if line.startswith(forged)], text
        assert "\x1b" not in text and "\x9b" not in text and "\x85" not in text
    assert "\x1b" not in (house.directory / "execution_report.json").read_text()
