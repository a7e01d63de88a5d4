"""A platform that cannot run fails alone with its sentence, and the others run, unless all are required."""

from __future__ import annotations

import json
from typing import Any

import pytest

GOOD = "open('started', 'w')\nschema(); row(id='1', n=1); state({'a': 1})"
WRONG = "if '--check' in sys.argv:\n    say(type='CHECK', errors=['settings.a: is odd', 'settings.b: is even'], warnings=[]); sys.exit(78)\n"


@pytest.fixture
def mixed(house: Any) -> Any:
    """One platform that can run, one without credentials, one with wrong settings, and one without its program."""
    house.tap("good", GOOD)
    house.tap("wrong", WRONG + "open('wrong-started', 'w')", check=True)
    house.platforms += [{"name": "facebook"}, {"name": "gone", "command": ["no-such-program"]}]
    house.write()
    return house


def test_the_others_run_and_the_exit_code_is_2(mixed: Any) -> None:
    done = mixed.run("run")
    assert done.returncode == 2, done.stderr
    report = json.loads((mixed.directory / "execution_report.json").read_text())
    found = {each["platform_name"]: each for each in report["platforms"]}
    assert {name: each["status"] for name, each in found.items()} == {
        "good": "completed", "wrong": "failed", "facebook": "failed", "gone": "failed",
    }  # fmt: skip
    assert "settings.a: is odd" in found["wrong"]["error_message"] and "settings.b" in found["wrong"]["error_message"]
    assert "FACEBOOK_ACCESS_TOKEN" in found["facebook"]["error_message"]
    assert "no-such-program" in found["gone"]["error_message"]
    assert found["wrong"]["attempts"] == [] and not (mixed.directory / "wrong-started").exists()
    assert mixed.rows("SELECT id FROM good.t") == [("1",)]


@pytest.mark.parametrize("how", ["--strict", "require_all", "check"])
def test_where_all_are_required_nothing_is_started(mixed: Any, how: str) -> None:
    if how == "require_all":
        mixed.orchestrator["require_all"] = True
        mixed.write()
    done = mixed.run(*{"check": ["check"], "--strict": ["run", "--strict"], "require_all": ["run"]}[how])
    assert done.returncode == 1
    for says in ("settings.a: is odd", "settings.b: is even", "FACEBOOK_ACCESS_TOKEN", "no-such-program"):
        assert says in done.stderr
    assert not (mixed.directory / "started").exists()


def test_where_none_can_run_nothing_is_started(mixed: Any) -> None:
    done = mixed.run("run", "--only", "wrong", "facebook")
    assert done.returncode == 1 and "settings.a: is odd" in done.stderr
    assert not (mixed.directory / "execution_report.json").exists()
