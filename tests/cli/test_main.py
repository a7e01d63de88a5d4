"""Bad input is one clear sentence and exit 1 before anything is started; each command does what its help says."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

GOOD = "open('started', 'w')\nschema(); row(id='1', n=1); state({'a': 1})"


@pytest.fixture
def one(house: Any) -> Any:
    house.tap("one", GOOD)
    house.write()
    return house


def assert_refused(done: Any, *says: str) -> None:
    assert done.returncode == 1, done.stderr
    for each in says:
        assert each in done.stderr
    assert "Traceback" not in done.stderr
    assert all(line.startswith("error: ") for line in done.stderr.splitlines()), done.stderr


def assert_nothing_happened(house: Any) -> None:
    assert not (house.directory / "started").exists()
    assert not (house.directory / "execution_report.json").exists()
    assert not (house.directory / "social_ads.duckdb").exists()


def test_help_needs_no_configuration(house: Any) -> None:
    done = house.run("--help")
    assert done.returncode == 0
    assert all(
        name in done.stdout
        for name in ("run", "plan", "check", "install", "history", "show", "freshness", "sandbox", "demo", "exit codes")
    )
    for command in ("run", "plan", "check", "install", "history", "show", "freshness", "sandbox", "demo"):
        assert house.run(command, "--help").returncode == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("platforms: [", "orchestrator_config.yml"),
        ("platforms:\n  - name: one\n    timout: 3\n", "platforms[0].timout"),
        (
            "platforms:\n  - name: one\n    memory_limit: lots\n",
            'platforms[0].memory_limit: expected a size like "512MiB"',
        ),
        ("platforms: []", "names no platform"),
        ("", "orchestrator_config.yml"),
    ],
)
def test_a_wrong_configuration(one: Any, text: str, says: str) -> None:
    (one.directory / "orchestrator_config.yml").write_text(text)
    assert_refused(one.run("run"), says)
    assert_nothing_happened(one)


def test_a_missing_configuration(one: Any) -> None:
    assert_refused(one.run("run", "--config", "nowhere.yml"), "nowhere.yml")


def test_all_findings_at_once(one: Any) -> None:
    one.platforms[0]["timeout"] = "soon"
    one.write()
    done = one.run("run", STORAGE_TYPE="paper", LOG_LEVEL="LOUD", REPORT_PATH="/nowhere/report.json")
    assert_refused(done, "platforms[0].timeout", "STORAGE_TYPE", "LOG_LEVEL", "REPORT_PATH")
    assert_nothing_happened(one)


def test_an_unknown_platform_in_only(one: Any) -> None:
    assert_refused(one.run("run", "--only", "gogle"), "platform 'gogle' is not in the configuration; known are one")
    assert_nothing_happened(one)


def test_a_missing_credential_and_a_missing_environment(house: Any) -> None:
    house.platforms = [{"name": "facebook"}]
    house.write()
    done = house.run("run")
    assert_refused(done, "FACEBOOK_ACCESS_TOKEN")
    (house.directory / "pipelines" / "mine").mkdir(parents=True)
    house.platforms = [{"name": "mine"}]
    house.write()
    assert_refused(house.run("run"), "platform 'mine' has no environment at", "supervisor install --only mine")


def test_a_program_that_does_not_exist(house: Any) -> None:
    house.platforms = [{"name": "mine", "command": ["no-such-program"]}]
    house.write()
    assert_refused(house.run("run"), "platform 'mine': the program 'no-such-program'")


def test_a_sink_that_cannot_be_opened(one: Any) -> None:
    assert_refused(one.run("run", DUCKDB_PATH="/nowhere/x.duckdb"), "/nowhere/x.duckdb")
    (one.directory / "broken.duckdb").write_text("this is no database")
    assert_refused(one.run("run", DUCKDB_PATH="broken.duckdb"), "broken.duckdb cannot be opened")
    assert_nothing_happened(one)


def test_an_unwritable_report(one: Any) -> None:
    assert_refused(one.run("run", REPORT_PATH="/nowhere/report.json"), "REPORT_PATH: the report cannot be written")
    assert_nothing_happened(one)


def test_a_full_disk_under_the_spool_fails_the_attempt_and_not_the_database(one: Any) -> None:
    one.tap("big", "schema()\nfor n in range(200000): row(id=str(n), n=n)\nstate({'a': 1})")
    one.write()
    # A file-size limit of the process is met by the spool exactly as a full disk is, and needs no file system of its own.
    limited = one.directory / "limited.py"
    limited.write_text(
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "sys.argv = ['supervisor', 'run', '--only', 'big']\n"
        "runpy.run_module('supervisor', run_name='__main__')\n"
    )
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "limited.py"], cwd=one.directory, env=one.environment, capture_output=True, text=True, timeout=180, check=False)  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "rows cannot be spooled" in done.stderr and "File too large" in done.stderr
    assert one.run("run", "--only", "big").returncode == 0
    assert one.rows("SELECT count(*) FROM big.t") == [(200000,)]


@pytest.mark.parametrize("arguments", [["run", "--since", "soon"], ["run", "--nonsense"], ["walk"], []])
def test_a_wrong_command_line_is_a_usage_error(one: Any, arguments: list[str]) -> None:
    done = one.start(*arguments)
    _, stderr = done.communicate(timeout=60)
    assert done.returncode == 1 and "usage: supervisor" in stderr
    assert_nothing_happened(one)


def test_since_after_until(one: Any) -> None:
    assert_refused(
        one.run("run", "--since", "2026-02-02", "--until", "2026-01-01"),
        "--since 2026-02-02 is after --until 2026-01-01",
    )


def test_plan_shows_groups_days_and_what_is_left_out(one: Any) -> None:
    one.tap(
        "two",
        GOOD,
        dependencies=["one"],
        settings={"start_date": "2026-01-01", "lookback_days": 7},
        dates=True,
        memory_limit="300MiB",
    )
    one.write()
    done = one.run("plan")
    assert done.returncode == 0
    assert "Group 2/2, 1 at once:" in done.stdout
    assert (
        "two          days since 2026-01-01 that are not settled, and the last 7; timeout 30 s, 300 MiB" in done.stdout
    )
    assert "exactly 2026-02-01 to today" in one.run("plan", "--since", "2026-02-01", "--only", "two").stdout
    assert "Not run: one" in one.run("plan", "--only", "two").stdout
    assert_nothing_happened(one)


def test_check_changes_nothing_and_names_everything(one: Any) -> None:
    done = one.run("check")
    assert (done.returncode, done.stdout) == (
        0,
        "ready: configuration, environments, credentials, report path and storage are in order\n",
    )
    one.platforms.append({"name": "facebook"})
    one.write()
    assert_refused(
        one.run("check", REPORT_PATH="/nowhere/r", DUCKDB_PATH="/nowhere/x"),
        "FACEBOOK_ACCESS_TOKEN",
        "REPORT_PATH",
        "DUCKDB_PATH",
    )
    assert_nothing_happened(one)


def test_install_names_a_pipeline_without_a_lock_file(house: Any) -> None:
    (house.directory / "pipelines" / "mine").mkdir(parents=True)
    (house.directory / "pipelines" / "mine" / "setup.cfg").write_text("[metadata]\nname = pipeline-mine\n")
    house.platforms = [{"name": "mine"}]
    house.write()
    assert_refused(house.run("install"), "requirements.txt")


def test_sandbox_serves_until_it_is_interrupted(house: Any) -> None:
    import signal

    process = house.start("sandbox", "--only", "linkedin", "--size", "tiny")
    lines = [process.stdout.readline() for _ in range(3)]
    assert all(line.startswith("LINKEDIN_") for line in lines), lines
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")
    assert_refused(house.run("sandbox", "--only", "tiktok"), "there is no platform 'tiktok' in the sandbox")
    assert_refused(house.run("sandbox", "--only", "linkedin", "--fault", "linkedin:gremlins"), "gremlins")


def test_the_report_and_the_pipelines_files_are_for_their_owner_only(house: Any) -> None:
    body = "json.dump([oct(os.stat(given['--config']).st_mode & 0o777), oct(os.stat(os.path.dirname(given['--config'])).st_mode & 0o777)], open('modes', 'w'))\n"
    house.tap("one", body + GOOD, settings={"a": 1})
    house.write()
    assert house.run("run").returncode == 0
    assert json.loads((house.directory / "modes").read_text()) == ["0o600", "0o700"]
    assert stat.S_IMODE((house.directory / "execution_report.json").stat().st_mode) == 0o600


def test_log_to_file_and_log_level(one: Any) -> None:
    assert one.run("run", LOG_TO_FILE="true", LOG_LEVEL="ERROR").returncode == 0
    assert (one.directory / "logs" / "supervisor.log").read_text() == ""
    done = one.run("run", LOG_TO_FILE="true")
    assert "Platform 'one' completed: 1 rows" in (one.directory / "logs" / "supervisor.log").read_text()
    assert "Platform 'one' completed: 1 rows" in done.stderr


def test_export_report_false_writes_none(one: Any) -> None:
    assert one.run("run", EXPORT_REPORT="false").returncode == 0
    assert not (one.directory / "execution_report.json").exists()


def test_a_pipeline_of_a_friday_afternoon_needs_a_directory_and_two_lines(house: Any) -> None:
    program = house.directory / ".venvs" / "tiktok" / "bin" / "pipeline-tiktok"
    program.parent.mkdir(parents=True)
    (house.directory / "pipelines" / "tiktok").mkdir(parents=True)
    house.tap("unused", GOOD)
    program.write_text("#!/usr/bin/env python3\n" + (house.directory / "unused.py").read_text())
    program.chmod(0o755)
    house.platforms = [{"name": "tiktok"}]
    house.write()
    done = house.run("run")
    assert done.returncode == 0, done.stderr
    assert house.rows("SELECT id FROM tiktok.t") == [("1",)]
