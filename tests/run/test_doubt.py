"""An empty answer takes nothing away by itself: the account is named, the others are loaded, and one may lift it."""

from __future__ import annotations

import json
from typing import Any

FULL = """
schema("daily", ("account_id", "date"), day="date", account_id="string", n="integer", date="string")
def load(account, n, **more):
    if n: row("daily", account_id=account, n=n, date="2026-01-05")
    mark = {"bookmarks": {"daily": {"accounts": {account: {"n": n}}}}}
    where = {"account_id": account}
    replaces = {"stream": "daily", "where": where, "from": "2026-01-01", "to": "2026-01-31", "rows": int(bool(n)), **more}
    say(type="STATE", patch=mark, replaces=replaces)
"""


def test_an_account_that_comes_back_empty_keeps_its_rows_and_is_named(house: Any, configured: Any) -> None:
    house.tap("p", FULL + "load('1', 1)\nload('2', 1)\nload('3', 1)")
    assert configured().returncode == 0
    house.tap("p", FULL + "load('1', 2)\nload('2', 0)\nload('3', 0, confirmed=True)\nload('4', 0)")
    done = configured()
    assert done.returncode == 3
    (platform,) = json.loads((house.directory / "execution_report.json").read_text())["platforms"]
    (attempt,) = platform["attempts"]
    assert (attempt["outcome"], [each["account_id"] for each in attempt["failed_accounts"]]) == ("failed", ["2"])
    assert (
        "1 account(s) failed: 2: 'daily' of account_id 2 for 2026-01-01..2026-01-31 holds 1 rows"
        in platform["error_message"]
    )
    assert "--allow-emptying" in platform["error_message"]
    assert house.rows("SELECT account_id, n FROM p.daily ORDER BY ALL") == [("1", 2), ("2", 1)]
    (text,) = house.run("state", "show", "--json").stdout.splitlines()
    accounts = json.loads(text)["bookmarks"]["daily"]["accounts"]
    assert accounts == {"1": {"n": 2}, "2": {"n": 1}, "3": {"n": 0}, "4": {"n": 0}}
    assert house.run("run", "--allow-emptying").returncode == 0
    assert house.rows("SELECT account_id, n FROM p.daily ORDER BY ALL") == [("1", 2)]


def test_a_platform_may_always_be_emptied(house: Any, configured: Any) -> None:
    house.tap("p", FULL + "load('1', 1)", allow_emptying=True)
    assert configured().returncode == 0
    house.tap("p", FULL + "load('1', 0)", allow_emptying=True)
    assert configured().returncode == 0
    assert house.rows("SELECT count(*) FROM p.daily") == [(0,)]
