"""systemd's journal gets priorities; the log file gets what standard error gets, from the first error to the summary."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from starting import SUPERVISOR, Forked

BODY = "print('WARNING | odd', file=sys.stderr); print('ERROR | bad', file=sys.stderr); schema(); row(id='1', n=1); state({'a': 1})"


def journaled(house: Any, *arguments: str, stream: str | None = None) -> tuple[int, list[str]]:
    """What a unit's run writes where standard error is the journal's."""
    read, write = os.pipe()
    found = os.fstat(write)
    process = Forked(
        [SUPERVISOR, *arguments],
        cwd=house.directory, stderr=write, stdout=subprocess.DEVNULL,
        env=house.environment | {"JOURNAL_STREAM": stream or f"{found.st_dev}:{found.st_ino}"},
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as lines:
        said = lines.read().splitlines()
    return process.wait(), said


def test_the_journal_gets_priorities_and_no_second_time(house: Any) -> None:
    house.tap("one", BODY)
    house.write()
    status, said = journaled(house, "run")
    assert status == 0
    assert "<4>WARNING  | one | odd" in said and "<3>ERROR    | one | bad" in said
    assert "<6>INFO     | Starting Social Ads Orchestrator" in said
    assert "<6>SUCCESS  | Platform 'one' completed: 1 rows" in said
    assert all(line.startswith(("<6>", "<4>", "<3>")) for line in said), said
    status, said = journaled(house, "run", "--onyl", "x")
    assert status == 1 and "<3>error: there is no option --onyl; did you mean '--only'?" in said


def test_another_stream_than_the_journals_is_a_plain_one(house: Any) -> None:
    house.tap("one", BODY)
    house.write()
    status, said = journaled(house, "run", stream="1:1")
    assert status == 0 and not any(line.startswith("<") for line in said)


def test_the_log_file_holds_the_summary_and_what_kept_a_run_from_starting(house: Any) -> None:
    house.tap("one", BODY)
    house.write()
    log = house.directory / "logs" / "supervisor.log"
    assert house.run("run", LOG_TO_FILE="true", LOG_LEVEL="LOUD", REPORT_FORMAT="xml").returncode == 1
    first = log.read_text()
    assert "ERROR    | LOG_LEVEL: expected one of" in first and "REPORT_FORMAT: expected one of" in first
    assert house.run("run", LOG_TO_FILE="true").returncode == 0
    assert "Execution Summary" in log.read_text() and "Total Rows:         1" in log.read_text()
    (house.directory / "social_ads.duckdb").write_text("no database")
    assert house.run("run", LOG_TO_FILE="true").returncode == 1
    assert "cannot be opened" in log.read_text()
