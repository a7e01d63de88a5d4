"""After a run its days are held against the accounts' own totals: a warning, or the platform's failure, or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOADS = """
COST = {"google": "cost", "facebook": "spend"}[NAME]
for table, key in (("account_daily", ()), ("campaign_daily", ("campaign_id",))):
    columns = {"account_id": "string", **dict.fromkeys(key, "string"), "date": "string", "impressions": "integer", "clicks": "integer", COST: "number", "is_final": "boolean"}
    schema(table, ("account_id", *key, "date"), day="date", **columns)
def load(table, account, *rows):
    for date, impressions, ids in rows:
        row(table, account_id=account, date=date, impressions=impressions, clicks=2, **{COST: 1.5}, is_final=True, **ids)
    where = {"account_id": account}
    replaces = {"stream": table, "where": where, "from": "2026-11-01", "to": "2026-11-30", "rows": len(rows)}
    say(type="STATE", patch={"bookmarks": {table: {"accounts": {account: {"n": 1}}}}}, replaces=replaces)
def both(account, *days):
    load("account_daily", account, *((f"2026-11-{day:02}", told, {}) for day, told, _ in days))
    load("campaign_daily", account, *((f"2026-11-{day:02}", summed, {"campaign_id": "a"}) for day, _, summed in days if summed is not None))
"""
WRONG = "both('1', (1, 100, 100), (2, 100, 75)); both('2', (1, 100, None))"


def tap(house: Any, name: str, work: str, **keys: Any) -> None:
    house.tap(name, f"NAME = {name!r}\n{LOADS}\n{work}", **keys)


def test_what_does_not_add_up_is_told_everywhere_and_fails_who_is_to_fail(house: Any, configured: Any) -> None:
    house.environment |= {"REPORT_HTML_PATH": "run.html"}
    tap(house, "google", WRONG)
    tap(house, "facebook", WRONG, reconciliation="fail")
    done = configured(metrics={"textfile": "run.prom"})
    assert done.returncode == 2, done.stderr
    report = json.loads((house.directory / "execution_report.json").read_text())
    google, facebook = sorted(report["platforms"], key=lambda platform: platform["platform_name"], reverse=True)
    assert (google["status"], facebook["status"]) == ("completed", "failed")
    assert google["reconciliation"] == {
        "compared_days": 3,
        "differing_days": 2,
        "worst_ratios": {"impressions": 1.0, "clicks": 1.0, "spend": 1.0},
        "differences": [
            {
                "account_id": account,
                "date": f"2026-11-0{day}",
                "account": {"impressions": "100", "clicks": "2", "spend": "1.500000000000000000"},
                "campaigns": {"impressions": impressions, "clicks": clicks, "spend": spend},
            }
            for account, day, impressions, clicks, spend in (
                ("2", 1, "0", "0", "0"),
                ("1", 2, "75", "2", "1.500000000000000000"),
            )
        ],
        "reports": {},
    }
    sentence = (
        "2 of 3 days of accounts do not add up to the account's own total, most of all: account 2 on 2026-11-01, whose "
        "campaigns have 0 of 100 impressions, 0 of 2 clicks, 0 of 1.5 spend"
    )
    assert facebook["error_message"] == sentence
    assert f"Platform 'google': {sentence}" in done.stderr
    assert "Not equal to the accounts' own totals: google (2 of 3 days), facebook (2 of 3 days)" in done.stderr
    page = (house.directory / "run.html").read_text()
    assert "What does not add up" in page and "75 of 100" in page
    metrics = (house.directory / "run.prom").read_text()
    assert 'supervisor_reconciliation_difference_ratio{metric="impressions",platform="google"} 1.0' in metrics
    assert "2 of 3 days of accounts do not add up" in house.run("show", report["run_id"]).stdout
    assert house.rows("SELECT count(*) FROM facebook.campaign_daily") == [(2,)], "its rows stay"


def test_what_cannot_be_compared_is_not(house: Any, configured: Any) -> None:
    """An account that was given up, a table that this run did not load, a platform that is told not to."""
    tap(house, "google", WRONG.replace("75", "100") + "; error('data', 'no more', account_id='2')")
    tap(house, "facebook", WRONG, reconciliation=False)
    done = configured()
    assert done.returncode == 2
    report = json.loads((house.directory / "execution_report.json").read_text())
    found = {platform["platform_name"]: platform["reconciliation"] for platform in report["platforms"]}
    assert found["google"]["compared_days"] == 2 and found["google"]["differing_days"] == 0
    assert found["facebook"] is None
    tap(house, "google", "load('account_daily', '1', ('2026-11-03', 100, {}))")
    assert configured().returncode == 0
    report = json.loads(Path(house.directory / "execution_report.json").read_text())
    assert {platform["platform_name"]: platform["reconciliation"] for platform in report["platforms"]}["google"] is None
