"""`supervisor run` with small real pipelines: outcomes, exit codes, retries, signals, isolation."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from until import until, until_told

GOOD = """
schema()
for n in range(3): row(id=str(n), n=n)
state({"seen": 3})
"""
SENT = """
schema(); row(id='1', n=1); state({'a': 1}); row(id='2', n=2)
print("all is sent", file=sys.stderr, flush=True)
"""


def report(house: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((house.directory / "execution_report.json").read_text())
    return loaded


def platform(house: Any, name: str) -> dict[str, Any]:
    return next(p for p in report(house)["platforms"] if p["platform_name"] == name)


def test_all_complete_is_0_and_the_log_and_summary_are_the_promised_ones(house: Any, configured: Any) -> None:
    house.tap("one", GOOD)
    house.tap("two", GOOD)
    done = configured(parallel_groups=[["one", "two"]])
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| INFO     \| Executing Group 1/1: one, two$", done.stderr, re.M
    )
    assert re.search(r"\| SUCCESS  \| Platform 'one' completed: 3 rows$", done.stderr, re.M)
    assert "Execution Summary\n" + "=" * 60 + "\nTotal Platforms:    2\nCompleted:          2\n" in done.stderr
    assert house.rows("SELECT id, n FROM one.t ORDER BY id") == [("0", 0), ("1", 1), ("2", 2)]
    assert house.rows("SELECT platform, value FROM _supervisor.state ORDER BY 1") == [
        ("one", '{"seen": 3}'), ("two", '{"seen": 3}'),
    ]  # fmt: skip
    assert report(house)["summary"]["success_rate"] == 100


def test_some_failed_is_2_and_all_failed_is_3(house: Any, configured: Any) -> None:
    house.tap("good", GOOD)
    house.tap("bad", "sys.exit('no such thing')")
    assert configured().returncode == 2
    assert platform(house, "bad")["error_message"] == "ended with exit status 1; its last line was: no such thing"
    assert house.run("run", "--only", "bad").returncode == 3


def test_stop_at_the_first_failure_is_4_and_skips_the_rest(house: Any, configured: Any) -> None:
    house.orchestrator = {"continue_on_failure": False, "parallel_execution": False}
    house.tap("bad", "sys.exit(1)", priority=1)
    house.tap("later", GOOD, priority=2)
    assert configured().returncode == 4
    assert platform(house, "later")["status"] == "skipped"
    assert "continue_on_failure is false" in platform(house, "later")["error_message"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_everything_keeps_what_is_committed_and_reports(house: Any, number: int, code: int) -> None:
    house.tap("slow", SENT + "time.sleep(60)")
    house.tap("next", GOOD)
    house.write(parallel_groups=[["slow"], ["next"]])
    process = house.start("run")
    until_told(process, "all is sent")
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert house.rows("SELECT id FROM slow.t") == [("1",)]
    assert platform(house, "slow")["attempts"][0]["outcome"] == "interrupted"
    assert platform(house, "next")["status"] == "skipped"
    assert report(house)["exit_code"] == code


def test_a_second_interrupt_does_not_wait_for_the_grace(house: Any) -> None:
    told = "print('told to stop', file=sys.stderr, flush=True)"
    house.tap("stubborn", f"""
        signal.signal(signal.SIGTERM, lambda *_: {told})
        print("up", file=sys.stderr, flush=True)
        while True: time.sleep(60)
    """, kill_grace=50)  # fmt: skip
    house.write()
    process = house.start("run")
    until_told(process, "stubborn | up")
    process.send_signal(signal.SIGINT)
    until_told(process, "told to stop")
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - begun < 40


def test_only_what_a_retry_can_mend_is_tried_again(house: Any, configured: Any) -> None:
    retry = {"max_attempts": 3, "backoff_seconds": 0.05, "max_backoff_seconds": 1}
    once = "p = 'tries-{0}'; open(p, 'a').write('x'); n = len(open(p).read())\n"
    house.tap("mends", once.format("a") + "if n < 3: error('transient', 'not yet'); sys.exit(75)" + GOOD, retry=retry)
    house.tap("refused", once.format("b") + "error('auth', 'the token is revoked'); sys.exit(77)", retry=retry)
    house.tap("misconfigured", once.format("c") + "sys.exit(78)", retry=retry)
    assert configured().returncode == 2
    assert [len((house.directory / f"tries-{x}").read_text()) for x in "abc"] == [3, 1, 1]
    assert platform(house, "mends")["retry_count"] == 2
    assert platform(house, "refused")["error_message"] == "the token is revoked"


def test_retry_after_is_honoured(house: Any, configured: Any) -> None:
    body = "import os\nif not os.path.exists('x'): open('x', 'w'); error('rate_limit', 'slow', retry_after=0.7); sys.exit(75)\n"
    house.tap("limited", body + GOOD, retry={"max_attempts": 2, "backoff_seconds": 0.01, "max_backoff_seconds": 1})
    done = configured()
    assert done.returncode == 0 and "retrying in 0.7 s" in done.stderr


def test_a_wait_of_hours_is_left_to_the_next_run(house: Any, configured: Any) -> None:
    body = "error('quota', 'the daily quota is used up', retry_after=20000); sys.exit(75)"
    house.tap("spent", body, retry={"max_attempts": 3, "backoff_seconds": 0.01, "max_backoff_seconds": 1})
    assert configured().returncode == 3
    assert platform(house, "spent")["error_message"] == (
        "the daily quota is used up; it asks to wait 20000 s, longer than max_backoff_seconds, so not in this run"
    )
    assert len(platform(house, "spent")["attempts"]) == 1


def test_committed_windows_stay_and_the_next_run_resumes_after_them(house: Any, configured: Any) -> None:
    house.tap("flaky", """
        done = json.load(open(given["--state"]))["done"] if "--state" in given else 0
        schema(day="date", id="string", n="integer")
        for n in range(done + 1, 5):
            day = f"2026-01-0{n}"
            row(id="a", n=n, date=day)
            if n == 3 and not done: sys.exit(75)
            state({"done": n}, stream="t", where={"id": "a"}, **{"from": day, "to": day}, rows=1)
    """)  # fmt: skip
    assert configured().returncode == 3
    assert house.rows("SELECT n FROM flaky.t ORDER BY n") == [(1,), (2,)]
    assert house.run("run").returncode == 0
    assert house.rows("SELECT n FROM flaky.t ORDER BY n") == [(1,), (2,), (3,), (4,)]


def test_a_region_is_replaced_whole_also_by_nothing(house: Any, configured: Any) -> None:
    first = "row(id='a', n=1, date='2026-01-01'); row(id='a', n=2, date='2026-01-02'); row(id='b', n=3, date='2026-01-01')\n"
    head = "schema(day='date', key=('id', 'date'), id='string', n='integer')\n"
    region = (
        "state({{'x': 1}}, stream='t', where={{'id': 'a'}}, confirmed=True, **{{'from': '2026-01-01', 'to': '{0}'}})\n"
    )
    house.tap("p", head + first + "state({'x': 0})")
    assert configured().returncode == 0
    house.tap("p", head + region.format("2026-01-01"))
    assert configured().returncode == 0
    assert house.rows("SELECT id, n FROM p.t ORDER BY n") == [("a", 2), ("b", 3)]
    house.tap("p", head + "row(id='a', n=9, date='2026-01-02')\n" + region.format("2026-01-02"))
    assert configured().returncode == 0
    assert house.rows("SELECT id, n FROM p.t ORDER BY n") == [("b", 3), ("a", 9)]


BROKEN = [
    ("row(id='1')", "before the SCHEMA"),
    ("schema(); row(id='1', n=1.5)", "line 2, stream 't': column 'n': expected `int | null`, got `float`"),
    ("schema(); row(id='1', n='1')", "column 'n'"),
    ("schema(); row(id='1', m=1)", "unknown field `m`"),
    ("schema(); row(n=1)", "missing required field `id`"),
    ("print('Loading...')", "line 1: not a message"),
    ("schema(); sys.stdout.write('{\"type\": \"RECORD\", \"stream\": \"t\"'); sys.exit(0)", "in the middle of a line"),
    ("schema(); state({}, stream='t', where={'id': '1'}, rows=2)", "announces 2 rows of its region, but 0 arrived"),
    ("schema(); row(id='2'); state({}, stream='t', where={'id': '1'})", "outside the region"),
    ("schema(); row(id='1', n=1); row(id='1', n=2); state({}, stream='t', where={'id': '1'})", "two rows with the key id=1"),
    ("schema(); state({}, stream='t', where={'nope': '1'})", "names the column 'nope'"),
    ("schema(); state({}, stream='t', where={'id': '1'}, **{'from': '2026-01-01'})", "no bookmark_properties"),
    ("schema(); row(id='1', n=1); error('data', 'account 7 is odd', account_id='7'); sys.exit(0)", "1 account(s) failed: 7: account 7 is odd"),
]  # fmt: skip


def test_a_broken_line_fails_its_platform_and_no_other(house: Any, configured: Any) -> None:
    house.orchestrator = {"max_parallel": 4}
    for number, (body, _) in enumerate(BROKEN):
        house.tap(f"broken{number}", body)
    house.tap("good", GOOD)
    done = configured(parallel_groups=[[each["name"] for each in house.platforms]])
    assert done.returncode == 2
    for number, (body, says) in enumerate(BROKEN):
        assert says in platform(house, f"broken{number}")["error_message"], body
    assert "Traceback" not in done.stderr
    assert house.rows("SELECT count(*) FROM good.t") == [(3,)]
    made = house.rows("SELECT table_schema FROM information_schema.tables WHERE table_schema LIKE 'broken%'")
    for (name,) in made:
        assert house.rows(f"SELECT count(*) FROM {name}.t") == [(0,)], BROKEN[int(name.removeprefix("broken"))]


def test_timeout_and_the_whole_tree_goes(house: Any, configured: Any) -> None:
    house.tap("slow", "subprocess.Popen(['sleep', '61']); time.sleep(60)", timeout=1)
    assert configured().returncode == 3
    attempt = platform(house, "slow")["attempts"][0]
    assert attempt["outcome"] == "timed_out"
    assert attempt["message"].startswith("stopped after 1 s, its timeout")


def test_memory_limit_counts_the_tree(house: Any, configured: Any) -> None:
    hog = "b = bytearray(200_000_000); import time; time.sleep(60)"
    house.tap("hog", f"subprocess.Popen([sys.executable, '-c', {hog!r}]); time.sleep(60)", memory_limit="120MiB")
    assert configured().returncode == 3
    attempt = platform(house, "hog")["attempts"][0]
    assert attempt["outcome"] == "memory_exceeded"
    assert attempt["peak_memory_bytes"] > 120 * 2**20


def test_a_daemon_left_behind_is_killed_and_named(house: Any, configured: Any) -> None:
    house.tap("leaver", GOOD + "subprocess.Popen(['setsid', 'sleep', '62'])")
    done = configured()
    assert done.returncode == 0
    assert "left processes behind" in done.stderr
    assert any("sleep" in name or "setsid" in name for name in platform(house, "leaver")["attempts"][0]["survivors"])


def test_killed_from_outside_says_so(house: Any, configured: Any) -> None:
    house.tap("victim", "os.kill(os.getpid(), signal.SIGKILL)")
    configured()
    assert platform(house, "victim")["error_message"] == "killed by the kernel (SIGKILL), probably out of memory"


def test_stall_timeout_counts_silence(house: Any, configured: Any) -> None:
    house.tap("silent", "schema(); time.sleep(60)", stall_timeout=3)
    house.tap(
        "chatty", "for n in range(35): print('working', file=sys.stderr, flush=True); time.sleep(0.1)", stall_timeout=3
    )
    assert configured(parallel_groups=[["silent", "chatty"]]).returncode == 2
    assert platform(house, "silent")["attempts"][0]["outcome"] == "stalled"


def test_global_timeout_stops_and_skips(house: Any, configured: Any) -> None:
    house.orchestrator = {"global_timeout": 4}
    house.tap("slow", "time.sleep(60)")
    house.tap("next", GOOD)
    assert configured(parallel_groups=[["slow"], ["next"]]).returncode == 3
    assert "global_timeout of 4 s" in platform(house, "slow")["error_message"]
    assert platform(house, "next")["status"] == "skipped"


def test_a_dependency_that_failed_skips_its_dependants(house: Any, configured: Any) -> None:
    house.tap("bad", "sys.exit(1)")
    house.tap("after", GOOD, dependencies=["bad"])
    assert configured().returncode == 3
    assert platform(house, "after")["error_message"] == "it depends on bad, which did not complete"


def test_only_runs_one_and_says_what_it_left_out(house: Any, configured: Any) -> None:
    house.tap("one", GOOD)
    house.tap("two", GOOD, dependencies=["one"])
    done = configured("--only", "two")
    assert done.returncode == 0
    assert "Left out by --only: one" in done.stderr
    assert "depends on 'one', which --only leaves out" in done.stderr
    assert [p["platform_name"] for p in report(house)["platforms"]] == ["two"]


def test_a_pipeline_sees_its_own_variables_only(house: Any, configured: Any) -> None:
    house.environment |= {"MY_TOKEN": "tok-123456", "OTHER_TOKEN": "tok-654321", "FACEBOOK_ACCESS_TOKEN": "fb-123456"}
    house.tap("mine", "json.dump(dict(os.environ), open('seen.json', 'w'))\n" + GOOD, pass_environment=["MY_TOKEN"])
    assert configured().returncode == 0
    seen = json.loads((house.directory / "seen.json").read_text())
    assert seen["MY_TOKEN"] == "tok-123456"
    assert not {"OTHER_TOKEN", "FACEBOOK_ACCESS_TOKEN", "STORAGE_TYPE", "DUCKDB_PATH"} & set(seen)


def test_a_secret_in_a_pipelines_log_is_redacted_everywhere(house: Any, configured: Any) -> None:
    house.environment["MY_TOKEN"] = "very-secret-token"
    body = "print('calling with', os.environ['MY_TOKEN'], file=sys.stderr); error('auth', 'bad ' + os.environ['MY_TOKEN']); sys.exit(77)"
    house.tap("leaky", body, pass_environment=["MY_TOKEN"])
    done = configured()
    assert "very-secret-token" not in done.stderr + (house.directory / "execution_report.json").read_text()
    assert "calling with [redacted]" in done.stderr


def test_settings_become_the_config_file_and_days_become_options(house: Any) -> None:
    house.tap(
        "p",
        "json.dump([json.load(open(given['--config'])), given], open('given.json', 'w'))",
        settings={"start_date": "2026-01-01"},
        dates=True,
    )
    house.write()
    assert house.run("run", "--since", "2026-02-01", "--until", "2026-02-03").returncode == 0
    settings, given = json.loads((house.directory / "given.json").read_text())
    assert settings == {"start_date": "2026-01-01"}
    assert (given["--since"], given["--until"]) == ("2026-02-01", "2026-02-03")


def test_full_refresh_gives_no_state(house: Any, configured: Any) -> None:
    house.tap("p", "open('states', 'a').write('S' if '--state' in given else '-')\n" + GOOD)
    for arguments in ((), (), ("--full-refresh",)):
        assert configured(*arguments).returncode == 0
    assert (house.directory / "states").read_text() == "-S-"


def test_an_empty_state_never_overwrites_a_stored_one(house: Any, configured: Any) -> None:
    house.tap("p", GOOD)
    configured()
    house.tap("p", "schema(); state({}); say(type='STATE', value=None)")
    assert configured().returncode == 0
    assert house.rows("SELECT value FROM _supervisor.state") == [('{"seen": 3}',)]


def test_two_runs_at_once_and_the_second_names_the_first(house: Any) -> None:
    house.tap("slow", "while not os.path.exists('go'): time.sleep(0.02)")
    house.write()
    first = house.start("run")
    until_told(first, "started")
    second = house.run("run")
    (house.directory / "go").touch()
    assert second.returncode == 1
    assert re.search(rf"error: the DuckDB file .* is in use by pid {first.pid}, a run that started 20", second.stderr)
    first.communicate(timeout=60)
    assert first.returncode == 0


def test_a_killed_supervisor_locks_nobody_out(house: Any) -> None:
    house.tap("p", SENT + "time.sleep(60)")
    house.write()
    process = house.start("run")
    until_told(process, "all is sent")
    process.kill()
    process.communicate()
    assert list((house.directory / "tmp").iterdir())
    until(house.is_deserted)
    house.tap("p", GOOD)
    house.write()
    assert house.run("run").returncode == 0
    assert house.rows("SELECT count(*) FROM p.t") == [(3,)]


def test_storage_none_counts_and_keeps_nothing(house: Any, configured: Any) -> None:
    house.environment["STORAGE_TYPE"] = "none"
    house.tap("p", GOOD)
    assert configured().returncode == 0
    assert platform(house, "p")["rows_processed"] == 3
    assert not list(Path(house.directory).glob("*.duckdb"))


def test_the_report_as_csv(house: Any, configured: Any) -> None:
    house.environment |= {"REPORT_FORMAT": "csv", "REPORT_PATH": "out.csv"}
    house.tap("p", GOOD)
    assert configured().returncode == 0
    header, line = (house.directory / "out.csv").read_text().splitlines()
    assert header.startswith(
        "platform_name,status,duration_seconds,rows_processed,tables_processed,retry_count,error_message"
    )
    assert line.startswith("p,completed,")
