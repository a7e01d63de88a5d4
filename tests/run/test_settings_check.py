"""Pipelines are asked before the start whether their settings make sense; all findings of all platforms come at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from supervisor.config.schema import load_orchestrator_config
from supervisor.run.readiness import answers_of
from supervisor.run.registry import create_default_registry
from supervisor.run.settings_check import ask_pipelines

ROOT = Path(__file__).resolve().parents[2]
GOOD = "open('started-' + sys.argv[0], 'w')\nschema(); row(id='1', n=1); state({'a': 1})"
ASKED = """
if "--check" in sys.argv:
    settings = json.load(open(given["--config"]))
    said = {"errors": settings.get("wrong", []), "warnings": settings.get("odd", []), "api": settings.get("api")}
    say(type="CHECK", **said, tables=settings.get("has", []))
    sys.exit(78 if settings.get("wrong") else 0)
"""
TABLES = [
    {"name": "campaign", "group": "core", "is_loaded": True},
    {"name": "geo_daily", "group": "geo", "is_loaded": True, "cost": "2 requests an account"},
    {"name": "city_daily", "group": "geo", "is_loaded": False},
    {
        "name": "campaign_hourly",
        "group": "hourly",
        "is_loaded": False,
        "cost": "1 request an account and day",
    },
]
API = {"version": "v24", "ends": "2030-05-12", "source": "https://example/versions"}


def started(house: Any) -> list[str]:
    return sorted(path.name.removeprefix("started-") for path in house.directory.glob("started-*"))


def test_check_names_what_is_wrong_with_every_platform(house: Any) -> None:
    house.tap("one", ASKED + GOOD, check=True, settings={"wrong": ["settings.a: is odd", "settings.b: is even"]})
    house.tap("two", ASKED + GOOD, check=True, settings={"wrong": ["\x1b[2Jthe token has no end"]})
    house.platforms.append({"name": "facebook"})
    house.write()
    done = house.run("check")
    assert done.returncode == 1
    lines = [line.removeprefix("error: ") for line in done.stderr.splitlines()]
    assert lines[:3] == [
        "platform 'one': settings.a: is odd",
        "platform 'one': settings.b: is even",
        "platform 'two': \\x1b[2Jthe token has no end",
    ]
    assert any("FACEBOOK_ACCESS_TOKEN" in line for line in lines[3:])
    assert started(house) == []


ANSWERS_AT_ONCE = """
import json, os, sys, threading
from supervisor.run.asking import Heard
from supervisor.run.settings_check import _understood

sys.setswitchinterval(1e-7)
said = {"type": "CHECK", "errors": [], "warnings": [], "api": %s, "tables": %s}
heard = Heard(ended=True, status=0, stdout=json.dumps(said).encode(), stderr=b"")

def read_by_eight():
    start = threading.Barrier(8)
    threads = [threading.Thread(target=lambda: start.wait() + 1 and _understood(heard, "--check")) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

for _ in range(40):
    child = os.fork()
    if not child:
        read_by_eight()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_answers_of_many_pipelines_are_read_at_once() -> None:
    """As they come; msgspec crashes where two threads are the first to read lines of one kind."""
    program = ANSWERS_AT_ONCE % (API, str(TABLES))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_check_and_plan_tell_the_version_of_the_api_and_warnings(house: Any) -> None:
    house.tap("one", ASKED + GOOD, check=True, settings={"api": API, "odd": ["it ends soon"]})
    house.write()
    done = house.run("check")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "one          API v24, which ends on 2030-05-12 (https://example/versions)"
    assert "warning: platform 'one': it ends soon" in done.stdout
    assert "API v24, which ends on 2030-05-12" in house.run("plan").stdout
    ran = house.run("run")
    assert ran.returncode == 0 and "Platform 'one': it ends soon" in ran.stderr
    report = json.loads((house.directory / "execution_report.json").read_text())
    assert report["platforms"][0]["api"] == API
    assert "  API v24, which ends on 2030-05-12\n" in house.run("show", report["run_id"]).stdout


def test_plan_tells_which_groups_of_tables_are_left_out_and_what_they_would_cost(house: Any) -> None:
    house.tap("one", ASKED + GOOD, check=True, settings={"has": TABLES})
    house.write()
    lines = house.run("plan").stdout.splitlines()
    at = lines.index("one:")
    assert lines[at + 1 : at + 5] == [
        "  tables: core, geo_daily",
        "  geo_daily costs 2 requests an account",
        "  not loaded: geo (city_daily)",
        "  not loaded: hourly (campaign_hourly, 1 request an account and day)",
    ]


def test_a_pipeline_that_does_not_offer_it_is_not_asked(house: Any) -> None:
    house.tap("one", "assert '--check' not in sys.argv\n" + GOOD)
    house.write()
    assert house.run("check").returncode == 0 and started(house) == []


SILENT = {
    "sys.exit(3)": "ended with exit status 3 and no answer; it wrote nothing to its log",
    "raise ImportError('no SDK')": "its last line was: ImportError: no SDK",
    "say(type='CHECK', errors=[]); sys.exit(0)": "ended with exit status 0 and no answer",
    "sys.stdout.write('x' * 3_000_000); sys.exit(0)": "ended with exit status 0 and no answer",
    "os.kill(os.getpid(), 9)": "ended with exit status -9 and no answer",
}


def test_no_answer_fails_the_check_and_not_the_run(house: Any) -> None:
    for number, body in enumerate(SILENT):
        house.tap(f"p{number}", f"if '--check' in sys.argv:\n    {body}\n" + GOOD, check=True)
    house.write()
    done = house.run("check")
    assert done.returncode == 1
    for number, (body, says) in enumerate(SILENT.items()):
        (line,) = (each for each in done.stderr.splitlines() if each.startswith(f"error: platform 'p{number}'"))
        assert says in line, body
    assert house.run("run").returncode == 0


def test_who_does_not_answer_is_not_waited_for(house: Any) -> None:
    hang = "if '--check' in sys.argv:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(60)\n"
    house.tap("one", hang + GOOD, check=True)
    house.tap("two", ASKED + GOOD, check=True, settings={"api": API})
    config = load_orchestrator_config(house.write())
    registry = create_default_registry().with_configured(config)
    pipelines = {name: registry.get_pipeline(name) for name in ("one", "two")}
    begun = time.monotonic()
    answers = ask_pipelines(config.platforms, pipelines, seconds=2)
    assert time.monotonic() - begun < 40
    assert answers["one"].unknown == "its --check did not answer within 2 s"
    assert answers["two"].api is not None


def test_secrets_are_in_no_answer(house: Any) -> None:
    body = (
        "if '--check' in sys.argv:\n    say(type='CHECK', errors=[os.environ['MY_TOKEN']], warnings=[]); sys.exit(78)\n"
    )
    house.tap("one", body + GOOD, check=True, pass_environment=["MY_TOKEN"])
    house.write()
    done = house.run("check", MY_TOKEN="abcdef123456")
    assert "abcdef123456" not in done.stderr and "platform 'one': [redacted]" in done.stderr


@pytest.mark.skipif(not (ROOT / ".venvs" / "linkedin").exists(), reason="the environment of linkedin is not installed")
def test_a_built_in_pipeline_knows_its_settings(house: Any) -> None:
    house.platforms = [{"name": "linkedin", "settings": {"lookback_dys": 3, "tables": ["campain_daily"]}}]
    house.write()
    done = house.run("check", LINKEDIN_ACCESS_TOKEN="token-of-nobody")
    assert done.returncode == 1, done
    assert "platform 'linkedin': settings.lookback_dys: there is no such setting; did you mean" in done.stderr
    assert "campain_daily" in done.stderr and "token-of-nobody" not in done.stderr
    house.platforms = [{"name": "linkedin"}]
    house.write()
    done = house.run("check", LINKEDIN_ACCESS_TOKEN="token-of-nobody")
    assert done.returncode == 0 and done.stdout.startswith("linkedin     API 20"), done


def test_days_are_refused_to_a_pipeline_that_may_not_know_them(house: Any) -> None:
    house.tap("one", GOOD)
    house.tap("two", GOOD, dates=True)
    house.write()
    for command in ("run", "plan"):
        done = house.run(command, "--since", "2026-02-01")
        assert done.returncode == 1 and started(house) == []
        assert "platform 'one': nothing says that its pipeline can be called with --since and --until" in done.stderr
    assert house.run("run", "--since", "2026-02-01", "--only", "two").returncode == 0
    assert started(house) == ["two.py"]


def test_plan_shows_the_days_of_each_account_from_the_state(house: Any) -> None:
    state = {
        "bookmarks": {
            "campaign_daily": {
                "accounts": {
                    "1": {"complete": [["2026-10-01", "2026-11-19"]], "settled": [["2026-10-01", "2026-10-31"]]},
                    "2": {"complete": [["2026-11-01", "2026-11-10"]], "settled": []},
                }
            },
            "campaigns": {"accounts": {"1": {}, "3": {}}},
        }
    }
    house.tap(
        "mine", f"schema(); row(id='1', n=1); state({state!r})", dates=True,
        settings={"start_date": "2026-10-01", "lookback_days": 7},
    )  # fmt: skip
    house.write()
    house.environment["PIPELINE_NOW"] = "2026-11-20T12:00:00Z"
    before = house.run("plan").stdout
    assert "  every account: 2026-10-01..2026-11-20 (51 days)" in before and "No state is known" in before
    assert house.run("run").returncode == 0
    lines = house.run("plan").stdout.splitlines()
    assert "  account 1: 2026-11-01..2026-11-20 (20 days)" in lines
    assert "  account 2: 2026-10-01..2026-11-20 (51 days)" in lines
    assert "  other accounts: 2026-10-01..2026-11-20 (51 days)" in lines
    lines = house.run("plan", "--since", "2026-11-18", "--until", "2026-11-19").stdout.splitlines()
    assert "  accounts 1, 2: 2026-11-18..2026-11-19 (2 days)" in lines


def test_nothing_is_asked_of_what_is_not_there(house: Any) -> None:
    house.platforms = [{"name": "mine", "command": ["no-such-program"], "check": True}]
    config = load_orchestrator_config(house.write())
    assert answers_of(config, config.platforms) == {}


REPORTED = """
given_reports = json.load(open(given["--config"]))["reports"] if "--config" in given else []
if "--probe" in sys.argv:
    say(type="CHECK", errors=[], warnings=[f"the platform was asked about {given_reports[0]['name']}"])
    sys.exit(0)
if "--check" in sys.argv:
    say(type="CHECK", errors=["reports.device_daily.by: there is no 'devise'"], warnings=[])
    sys.exit(78)
"""


def test_reports_reach_the_pipeline_and_what_is_wrong_with_them_is_told(house: Any) -> None:
    house.tap(
        "one", REPORTED + GOOD, check=True, reports=[{"name": "device_daily", "of": "campaign", "by": ["devise"]}]
    )
    house.write()
    assert "platform 'one': reports.device_daily.by: there is no 'devise'" in house.run("check").stderr
    assert "  error: reports.device_daily.by: there is no 'devise'\n" in house.run("plan").stdout
    online = house.run("check", "--online")
    assert online.returncode == 0, online.stderr
    assert "warning: platform 'one': the platform was asked about device_daily" in online.stdout
    assert started(house) == []
