"""Every run is kept, also one that is killed; `history` and `show` read it back from either storage."""

from __future__ import annotations

import datetime as dt
import json
import re
import resource
import shutil
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
from until import until, until_told

from supervisor.config.errors import SinkError
from supervisor.record.history import PlatformRun
from supervisor.record.outcome import AttemptResult, Outcome
from supervisor.record.run_record import RunRecord
from supervisor.report.display import sparkline
from supervisor.report.history_text import history_lines
from supervisor.run.monitor import ExecutionMonitor
from supervisor.sinks.duckdb.history import DuckDBHistory, store_run
from supervisor.sinks.history_file import HistoryFile, append_run

NOW = dt.datetime(2026, 1, 22, 10, 0, tzinfo=dt.UTC)
ROWS = "schema(); n = int(open('n').read()); [row(id=str(i), n=i) for i in range(n)]; state({'a': 1})"
STORAGES = pytest.mark.parametrize("storage", ["duckdb", "none"])


def made(run_id: str, rows: int = 5, *, minutes: int = 0, platforms: tuple[str, ...] = ("google",)) -> RunRecord:
    now = NOW + dt.timedelta(minutes=minutes)
    monitor = ExecutionMonitor(platforms, run_id=run_id, now=lambda: now)
    for name in platforms:
        monitor.start_platform(name)
        monitor.record_attempt(
            AttemptResult(
                platform=name, number=1, outcome=Outcome.COMPLETED, started=now, duration_seconds=2, rows=rows,
                rows_by_table={"t": rows}, samples=((0.0, 1, 0.1),) * 100,
            )
        )  # fmt: skip
        monitor.complete_platform(name)
    monitor.finish(0)
    return monitor.record()


class Kept:
    """One storage, written and read as the sinks do."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.kind = kind
        self.path = directory / f"kept.{kind}"

    def keep(self, *records: RunRecord) -> None:
        if self.kind == "none":
            for record in records:
                append_run(self.path, record)
            return
        with duckdb.connect(str(self.path)) as connection:
            for record in records:
                store_run(connection, record)

    def open(self) -> DuckDBHistory | HistoryFile:
        return DuckDBHistory(self.path) if self.kind == "duckdb" else HistoryFile(self.path)


@pytest.fixture(params=["duckdb", "none"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return Kept(request.param, tmp_path)


def test_runs_come_back_newest_first_and_no_more_than_asked_for(kept: Kept) -> None:
    kept.keep(*(made(f"run-{n}", rows=n, minutes=n, platforms=("google", "linkedin")) for n in range(5)))
    kept.keep(made("run-5", minutes=5, platforms=("linkedin",)))
    history = kept.open()
    newest = history.platform_runs(None, 2)
    assert {(run.run_id, run.platform) for run in newest} == {
        ("run-5", "linkedin"), ("run-4", "google"), ("run-4", "linkedin"),
    }  # fmt: skip
    google = history.platform_runs("google", 3)
    assert [(run.run_id, run.rows, run.status) for run in google] == [
        ("run-4", 4, "completed"), ("run-3", 3, "completed"), ("run-2", 2, "completed"),
    ]  # fmt: skip
    assert google[0].started == NOW + dt.timedelta(minutes=4)
    assert history.platform_runs("nobody", 3) == ()
    history.close()


def test_a_run_is_kept_once_however_often_it_is_told(kept: Kept) -> None:
    begun = ExecutionMonitor(["google"], run_id="a", now=lambda: NOW).record()
    kept.keep(begun)
    history = kept.open()
    assert [run.finished for run in history.platform_runs(None, 9)] == [False]
    history.close()
    kept.keep(made("a"))
    history = kept.open()
    assert [(run.finished, run.rows) for run in history.platform_runs(None, 9)] == [(True, 5)]
    history.close()


def test_a_run_is_found_by_its_id_or_the_beginning_of_it(kept: Kept) -> None:
    kept.keep(made("20260122"), made("20260122T10"), made("20260122T11"))
    history = kept.open()
    assert [report["run_id"] for report in history.reports("20260122")] == ["20260122"]
    assert len(history.reports("20260122T")) == 2
    assert history.reports("20260122T11")[0]["platforms"][0]["attempts"][0]["rows"] == 5
    assert history.reports('x"') == ()
    assert [report["run_id"] for report in history.reports("2026", 9)].count("20260122") == 1
    assert len(history.reports("2026", 9)) == 3
    assert "samples" not in str(history.reports("20260122T11")), "memory curves are not kept"
    history.close()


def test_the_history_file_is_ours_alone_and_outlives_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append_run(path, made("one"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("a") as file:
        file.write('{"run_id": "torn", "platf')
    append_run(path, made("two"))
    assert [run.run_id for run in HistoryFile(path).platform_runs(None, 9)] == ["two", "one"]


def test_runs_side_by_side_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: append_run(path, made(f"run-{n}")), range(64)))
    assert {json.loads(line)["run_id"] for line in path.read_text().splitlines()} == {f"run-{n}" for n in range(64)}


def test_a_full_disk_leaves_the_history_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append_run(path, made("one"))
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(SinkError, match="only 100 of .* bytes went in"):
            append_run(path, made("two"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before


def test_a_history_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"the history file /nowhere/history.jsonl cannot be written: No such file"):
        append_run(Path("/nowhere/history.jsonl"), made("one"))
    with pytest.raises(SinkError, match="No space left on device"):
        append_run(Path("/dev/full"), made("one"))


def test_the_trend_goes_from_nothing_to_the_largest() -> None:
    assert sparkline([0, 50, None, 100]) == "▁▅·█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


def test_history_shows_odd_names_harmlessly() -> None:
    run = PlatformRun(
        run_id="a", platform="[red]\x1b[2J\u202e", status="running", started=NOW, duration_seconds=1, rows=1,
        retry_count=2, error_message="two\nlines", finished=False,
    )  # fmt: skip
    text = "\n".join(history_lines([run]))
    assert text.splitlines()[0] == r"[red]\x1b[2J\u202e  ·  rows of 1 run, the newest last"
    assert re.search(r"unfinished  1\.0 s  1 row  2 retries  a  two\\nlines$", text)


@STORAGES
def test_history_and_show_after_real_runs(house: Any, configured: Any, storage: str) -> None:
    house.environment["STORAGE_TYPE"] = storage
    house.tap("one", ROWS)
    house.tap("bad", "print('last words', file=sys.stderr); sys.exit(65)")
    house.tap("after", ROWS, dependencies=["bad"])
    for n in (10, 80):
        (house.directory / "n").write_text(str(n))
        assert configured().returncode == 2
    done = house.run("history", "--platform", "one")
    lines = done.stdout.splitlines()
    assert lines[0] == "one  ▂█  rows of 2 runs, the newest last"
    assert re.match(r"  20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ  completed +\d\.\d s  80 rows +\w+-\w+$", lines[1]), done
    assert " 10 rows" in lines[2]
    everything = house.run("history", "--last", "1").stdout
    assert "after  ·  rows of 1 run" in everything
    assert "skipped" in everything and "it depends on bad" in everything

    run_id = json.loads((house.directory / "execution_report.json").read_text())["run_id"]
    shown = house.run("show", run_id).stdout
    assert shown.startswith(f"Run {run_id}: exit code 2\n")
    assert "1 of 3 completed, 1 failed, 1 skipped; 80 rows in " in shown
    assert "one: completed, 80 rows into 1 table" in shown
    assert "attempt 1: failed, exit status 65" in shown
    assert "      last words" in shown
    refused = house.run("show", "1999")
    assert (refused.returncode, refused.stderr) == (
        1, "error: no run '1999' is kept; `supervisor history` lists those that are\n",
    )  # fmt: skip
    assert "the ids of several runs begin with '20'" in house.run("show", "20").stderr


def test_sql_finds_runs_and_attempts(house: Any, configured: Any) -> None:
    house.tap("bad", "sys.exit(75)", retry={"max_attempts": 2, "backoff_seconds": 0})
    assert configured().returncode == 3
    assert house.rows("SELECT exit_code, failed, finished_at > started_at FROM _supervisor.runs") == [(3, 1, True)]
    assert house.rows("SELECT number, outcome, exit_status FROM _supervisor.attempts ORDER BY 1") == [
        (1, "failed", 75), (2, "failed", 75),
    ]  # fmt: skip


def test_a_killed_run_is_in_the_history_as_unfinished(house: Any) -> None:
    house.tap("slow", "schema(); row(id='1', n=1); state({'a': 1}); print('here', file=sys.stderr); time.sleep(60)")
    house.write()
    process = house.start("run")
    until_told(process, "here")
    held = house.run("history")
    assert held.returncode == 1
    assert re.fullmatch(
        rf"error: the DuckDB file \S+ is in use by pid {process.pid}, a run that started .* UTC; "
        r"ask again when it has ended\n", held.stderr,
    ), held.stderr  # fmt: skip
    assert house.run("freshness").stderr == held.stderr
    process.kill()
    process.communicate()
    done = house.run("history")
    assert re.search(r"unfinished +0\.0 s  0 rows", done.stdout), done
    assert "never finished" in house.run("show", "20").stdout
    wait_for_the_keeper(house)


def wait_for_the_keeper(house: Any) -> None:
    """It ends what a killed supervisor left behind, a moment later, and its temporary files stay."""
    until(house.is_deserted)
    for left in (house.directory / "tmp").iterdir():
        shutil.rmtree(left)


def test_the_documentation_lists_every_column(tmp_path: Path) -> None:
    kept = Kept("duckdb", tmp_path)
    kept.keep(made("one"))
    with duckdb.connect(str(kept.path)) as connection:
        rows = connection.execute(
            "SELECT table_name, list(column_name ORDER BY ordinal_position) FROM information_schema.columns GROUP BY 1"
        ).fetchall()
    page = (Path(__file__).resolve().parents[2] / "docs" / "observing.md").read_text()
    shown = re.findall(r"^\| `_supervisor\.(\w+)` \| (.*) \|$", page, re.M)
    assert {name: re.findall(r"`(\w+)`", columns) for name, columns in shown} == dict(rows)


@STORAGES
def test_before_the_first_run_there_is_a_sentence(house: Any, storage: str) -> None:
    done = house.run("history", STORAGE_TYPE=storage)
    assert done.returncode == 1
    assert "no run has made it yet" in done.stderr
    assert not list(house.directory.glob("social_ads*")), "reading makes no file"


def test_a_history_that_cannot_be_kept_is_a_warning(house: Any, configured: Any) -> None:
    house.environment |= {"STORAGE_TYPE": "none", "HISTORY_PATH": "/nowhere/history.jsonl"}
    (house.directory / "n").write_text("3")
    house.tap("one", ROWS)
    done = configured()
    assert done.returncode == 0
    assert "WARNING  | This run is not kept in the history: the history file /nowhere/history.jsonl" in done.stderr


def test_a_table_of_that_name_by_somebody_else_costs_no_row(house: Any, configured: Any) -> None:
    with duckdb.connect(str(house.directory / "social_ads.duckdb")) as connection:
        connection.execute("CREATE SCHEMA _supervisor; CREATE TABLE _supervisor.runs (run_id VARCHAR, x INTEGER)")
    (house.directory / "n").write_text("3")
    house.tap("one", ROWS)
    done = configured()
    assert done.returncode == 0
    assert "This run is not kept in the history: DuckDB refused" in done.stderr
    assert house.rows("SELECT count(*) FROM one.t") == [(3,)]


def test_a_million_runs_are_read_and_added_to_at_once(tmp_path: Path, house: Any) -> None:
    run_id = "strftime(begun, '%Y%m%dT%H%M%SZ-') || lpad(i::VARCHAR, 8, '0')"
    with duckdb.connect(str(house.directory / "social_ads.duckdb")) as connection:
        store_run(connection, made("first"))

    def asking() -> tuple[float, str]:
        begun = time.monotonic()
        done = house.run("history", "--platform", "google", "--last", "3")
        return time.monotonic() - begun, done.stdout

    of_one, _ = asking()
    with duckdb.connect(str(house.directory / "social_ads.duckdb")) as connection:
        begun = time.monotonic()
        connection.execute(
            "CREATE TEMP VIEW n AS SELECT i, TIMESTAMP '2000-01-01' + INTERVAL (i * 10) MINUTE AS begun FROM range(1000000) t(i)"
        )
        connection.execute(
            f"INSERT INTO _supervisor.runs SELECT {run_id}, begun, begun, 0, 1, 1, 0, 0, 100, i % 9, 1, '{{}}' FROM n"
        )
        connection.execute(
            f"INSERT INTO _supervisor.platforms SELECT {run_id}, 'google', 'completed', begun, 1, i % 9, 1, 0, NULL, true FROM n"
        )
        filling, begun = time.monotonic() - begun, time.monotonic()
        store_run(connection, made("20260122T100000Z-new", rows=7))
        assert time.monotonic() - begun < filling
    of_million, told = asking()
    assert of_million < 5 * of_one
    assert len(told.splitlines()) == 4
    assert "20260122T100000Z-new" in told


def test_the_end_of_a_long_history_file_is_read_without_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    for n in range(3):
        append_run(path, made(f"run-{n}"))
    line = path.read_bytes().splitlines(keepends=True)[0]
    with path.open("wb") as file:
        for block in range(20):
            file.write(line.replace(b"run-0", b"old-%d" % block) * 5000)
    append_run(path, made("newest"))
    begun = time.monotonic()
    runs = HistoryFile(path).platform_runs(None, 2)
    asking, begun = time.monotonic() - begun, time.monotonic()
    path.read_bytes().splitlines()
    assert asking < time.monotonic() - begun
    assert [run.run_id for run in runs] == ["newest", "old-19"]


def test_a_reader_that_has_seen_enough_is_no_error(house: Any, configured: Any) -> None:
    (house.directory / "n").write_text("3")
    house.tap("one", ROWS)
    configured()
    supervisor = Path(sys.executable).with_name("supervisor")
    done = subprocess.run(
        ["bash", "-c", f"{supervisor} history | true; echo ${{PIPESTATUS[0]}}"],
        cwd=house.directory, env=house.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_wrong_number_of_runs_is_refused(house: Any, value: str) -> None:
    done = house.run("history", "--last", value)
    assert done.returncode == 1
    assert "expected a whole number of at least 1" in done.stderr
