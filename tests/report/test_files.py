"""A report says everything, is there whole or not at all, and is nobody else's to read."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from supervisor.config.errors import ReportError
from supervisor.record.as_json import json_report
from supervisor.record.outcome import AccountFailure, AttemptResult, Outcome
from supervisor.record.run_record import ExecutionSummary, RunRecord
from supervisor.report.files import check_report_path, csv_report, summary_text, write_report
from supervisor.run.monitor import ExecutionMonitor

START = dt.datetime(2026, 1, 22, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def record() -> RunRecord:
    """One platform that failed and then completed, and one that was skipped."""
    monitor = ExecutionMonitor(run_id="run-1", now=lambda: START, clock=lambda: 0.0)
    first = AttemptResult(
        platform="microsoft",
        number=1,
        outcome=Outcome.FAILED,
        message='it said: "no",\nand left',
        started=START,
        duration_seconds=1.23456,
        exit_status=75,
        rows=10,
        rows_by_table={"ads": 10},
        rows_by_account={"ads": {"1": 4, "3": 6}},
        memory_limit_bytes=1073741824,
        stderr_tail=("one", "two"),
        api_calls=7,
        api_retries=2,
        throttled_seconds=1.5,
        cpu_seconds=1.5,
        samples=((0.25, 1048576, 0.1), (0.5, 2097152, 1.4)),
        failed_accounts=(AccountFailure(account_id="1", kind="auth", message="revoked"),),
        retry_after=30.0,
        retryable=True,
    )
    second = AttemptResult(
        platform="microsoft",
        number=2,
        outcome=Outcome.COMPLETED,
        started=START,
        duration_seconds=2.0,
        exit_status=0,
        rows=5,
        rows_by_table={"ads": 3, "keywords": 2},
        rows_by_account={"ads": {"2": 2, "1": 1}},
    )
    monitor.start_platform("microsoft")
    monitor.record_attempt(first)
    monitor.retry_platform("microsoft")
    monitor.record_attempt(second)
    monitor.complete_platform("microsoft")
    monitor.skip_platform("zoë", 'the run was "stopped",\nso: skipped')
    monitor.finish(exit_code=2)
    return monitor.record()


def test_the_summary_is_the_block_that_users_know() -> None:
    summary = ExecutionSummary(
        total_platforms=4,
        completed=3,
        failed=1,
        skipped=0,
        success_rate=75.0,
        total_rows_processed=45690,
        total_duration_seconds=1847.23,
    )
    assert summary_text(summary) == (
        "============================================================\n"
        "Execution Summary\n"
        "============================================================\n"
        "Total Platforms:    4\n"
        "Completed:          3\n"
        "Failed:             1\n"
        "Skipped:            0\n"
        "Success Rate:       75.0%\n"
        "Total Rows:         45,690\n"
        "Total Duration:     1847.23s\n"
        "============================================================"
    )


def test_a_sample_takes_one_line_of_the_report(record: RunRecord) -> None:
    assert "            [0.25, 1048576, 0.1],\n            [0.5, 2097152, 1.4]\n" in json_report(record)


def test_the_json_report_has_the_fields_that_users_know(record: RunRecord) -> None:
    report = json.loads(json_report(record))
    assert report["summary"] == {
        "total_platforms": 2,
        "completed": 1,
        "failed": 0,
        "skipped": 1,
        "success_rate": 50.0,
        "total_rows_processed": 15,
        "total_duration_seconds": 0.0,
    }
    known = {
        "platform_name": "microsoft",
        "status": "completed",
        "duration_seconds": 0.0,
        "rows_processed": 15,
        "tables_processed": 2,
        "retry_count": 1,
        "error_message": None,
    }
    assert known.items() <= report["platforms"][0].items()


def test_the_json_report_says_the_rest_too(record: RunRecord) -> None:
    report = json.loads(json_report(record))
    assert (report["run_id"], report["exit_code"]) == ("run-1", 2)
    assert report["started_at"] == report["finished_at"] == "2026-01-22T10:00:00.000+00:00"
    microsoft = report["platforms"][0]
    assert microsoft["rows_by_table"] == {"ads": 13, "keywords": 2}
    assert microsoft["rows_by_account"] == {"ads": {"1": 5, "2": 2, "3": 6}}
    assert microsoft["failed_accounts"] == []
    assert microsoft["attempts"][0] == {
        "number": 1,
        "outcome": "failed",
        "started_at": "2026-01-22T10:00:00.000+00:00",
        "duration_seconds": 1.235,
        "message": 'it said: "no",\nand left',
        "exit_status": 75,
        "signal": None,
        "rows": 10,
        "rows_by_table": {"ads": 10},
        "rows_by_account": {"ads": {"1": 4, "3": 6}},
        "tables": 1,
        "bytes_read": 0,
        "peak_memory_bytes": 0,
        "memory_limit_bytes": 1073741824,
        "cpu_seconds": 1.5,
        "samples": [[0.25, 1048576, 0.1], [0.5, 2097152, 1.4]],
        "blocked_on_sink_seconds": 0.0,
        "api_calls": 7,
        "api_retries": 2,
        "throttled_seconds": 1.5,
        "peak_requests_in_flight": 0,
        "accounts": None,
        "accounts_done": 0,
        "backfill_days_total": None,
        "backfill_days_left": None,
        "backfill_days_done": None,
        "stderr_tail": ["one", "two"],
        "survivors": [],
        "failed_accounts": [{"account_id": "1", "kind": "auth", "message": "revoked"}],
        "retry_after": 30.0,
        "retryable": True,
    }


def test_the_csv_report_has_one_record_per_platform(record: RunRecord) -> None:
    lines = list(csv.DictReader(io.StringIO(csv_report(record))))
    assert [line["platform_name"] for line in lines] == ["microsoft", "zoë"]
    assert lines[0] == {
        "platform_name": "microsoft",
        "status": "completed",
        "duration_seconds": "0.0",
        "rows_processed": "15",
        "tables_processed": "2",
        "retry_count": "1",
        "error_message": "",
        "run_id": "run-1",
    }
    assert lines[1]["error_message"] == 'the run was "stopped",\nso: skipped'


@pytest.mark.parametrize("name", ["json", "csv"])
def test_a_report_replaces_the_old_one_and_leaves_nothing_beside_it(
    tmp_path: Path, record: RunRecord, name: str
) -> None:
    path = tmp_path / "report"
    path.write_text("old " * 10_000)
    write_report(record, name, path)
    assert path.read_text() == (json_report(record) if name == "json" else csv_report(record))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_is_a_link_stays_one(tmp_path: Path, record: RunRecord) -> None:
    target = tmp_path / "real.json"
    link = tmp_path / "latest.json"
    link.symlink_to(target)
    write_report(record, "json", link)
    assert link.is_symlink()
    assert json.loads(target.read_text())["run_id"] == "run-1"


def test_a_pipe_gets_the_report_and_stays_a_pipe(tmp_path: Path, record: RunRecord) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(path.read_text()))
    reader.start()
    assert check_report_path(path) is None
    write_report(record, "json", path)
    reader.join(timeout=10)
    assert json.loads(got[0])["run_id"] == "run-1"
    assert path.is_fifo()


def test_an_unwritable_path_is_known_before_the_run_and_said_after_it(tmp_path: Path, record: RunRecord) -> None:
    (tmp_path / "file").write_text("")
    for path, reason in (
        (tmp_path / "nowhere" / "report.json", "No such file or directory"),
        (tmp_path / "file" / "report.json", "Not a directory"),
        (tmp_path / ("n" * 300), "File name too long"),
    ):
        sentence = f"the report cannot be written to {path}: {reason}"
        assert check_report_path(path) == sentence
        with pytest.raises(ReportError) as caught:
            write_report(record, "json", path)
        assert str(caught.value) == sentence


def test_half_a_character_in_a_message_keeps_no_report_from_being_written(tmp_path: Path) -> None:
    monitor = ExecutionMonitor(["one"])
    monitor.fail_platform("one", "half \ud83d of it")
    for name in ("json", "csv", "html"):
        monitor.export_report(name, tmp_path / f"report.{name}")
    assert json.loads((tmp_path / "report.json").read_text())["platforms"][0]["error_message"] == "half \ud83d of it"
    assert "half \\ud83d of it" in (tmp_path / "report.csv").read_text()
    assert "half ? of it" in (tmp_path / "report.html").read_text()


def test_a_bug_in_the_page_is_an_error_of_the_report(
    tmp_path: Path, record: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(record: RunRecord) -> str:
        raise ZeroDivisionError("no platforms")

    monkeypatch.setattr("supervisor.report.page.document.html_report", broken)
    with pytest.raises(ReportError, match="a bug in the page: ZeroDivisionError: no platforms"):
        write_report(record, "html", tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_report(tmp_path: Path, record: RunRecord) -> None:
    assert check_report_path(tmp_path) == f"the report cannot be written to {tmp_path}: it is a directory"
    with pytest.raises(ReportError):
        write_report(record, "json", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_report(record: RunRecord) -> None:
    with pytest.raises(ReportError, match="No space left on device"):
        write_report(record, "json", Path("/dev/full"))


def test_a_good_path_is_checked_without_a_trace(tmp_path: Path) -> None:
    assert check_report_path(tmp_path / "report.json") is None
    assert list(tmp_path.iterdir()) == []


def test_no_message_becomes_a_formula_and_no_number_is_infinite() -> None:
    from supervisor.record.as_json import rounded
    from supervisor.report.files import csv_report
    from supervisor.run.monitor import ExecutionMonitor

    monitor = ExecutionMonitor(["one"])
    monitor.fail_platform("one", '=HYPERLINK("http://example","x")')
    assert csv_report(monitor.record()).splitlines()[1].split(",", 6)[6].startswith("\"'=HYPERLINK")
    assert rounded(float("inf")) == sys.float_info.max and rounded(1.23456) == 1.235
