"""Account totals held against the levels below them, in both databases that can: what differs, why, and what may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from duckdb_file import DuckDBFile
from storage import GOOGLE_CUSTOMER, load
from vertica_double import VerticaDatabase, access_to

from supervisor.config.environment import RunEnvironment, StorageType
from supervisor.report.reconciliation_text import reconciliation_lines
from supervisor.sinks import Sink
from supervisor.sinks.reading import opened_for_reading
from supervisor.sinks.reconciling import KnowsTotals, of_last_days
from wire.schema import Column, Table, Type

METRICS = (
    Column("impressions", Type.INTEGER), Column("clicks", Type.INTEGER), Column("cost", Type.DECIMAL),
    Column("is_final", Type.BOOLEAN),
)  # fmt: skip
PLACE = (Column("account_id", Type.STRING), Column("date", Type.DATE))
ACCOUNTS = Table("account_daily", (*PLACE, *METRICS), ("account_id", "date"), "date")
CAMPAIGNS = Table(
    "campaign_daily",
    (*PLACE, Column("campaign_id", Type.STRING), *METRICS),
    ("account_id", "campaign_id", "date"),
    "date",
)
GROUPS = Table(
    "ad_group_daily",
    (*PLACE, Column("ad_group_id", Type.STRING), *METRICS),
    ("account_id", "ad_group_id", "date"),
    "date",
)
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(params=["duckdb", "vertica"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Sink, Query]]:
    """An empty database, and how a reader asks it."""
    (tmp_path / "storage").mkdir()
    if request.param == "vertica":
        database = VerticaDatabase(tmp_path / "storage")
        sink: Any = database.open()
        yield sink, lambda query: [tuple(row) for row in database.query(query)]
        sink.close()
        return
    file = DuckDBFile(tmp_path / "storage")
    sink = file.open()
    yield sink, lambda query: file._connection().execute(query).fetchall()
    sink.close()


def day(
    date: int, impressions: int, *, clicks: int = 1, cost: str = "1.00", final: bool = True, **ids: str
) -> dict[str, Any]:
    return {
        "account_id": "1", "date": f"2026-11-0{date}", "impressions": impressions, "clicks": clicks, "cost": cost,
        "is_final": final, **ids,
    }  # fmt: skip


def campaign(date: int, impressions: int, *, campaign_id: str = "a", **more: Any) -> dict[str, Any]:
    return day(date, impressions, campaign_id=campaign_id, **more)


def fill(sink: Sink, directory: Path, table: Table, *rows: dict[str, Any], run: str = "run-1") -> None:
    load(sink, directory, table, *rows, platform="google", run=run)


def test_what_differs_and_why(held: tuple[Sink, Query], tmp_path: Path) -> None:
    sink, query = held
    customer = {"account_id": "1", "descriptive_name": "A", "currency_code": "EUR", "time_zone": "Europe/Berlin"}
    fill(sink, tmp_path, GOOGLE_CUSTOMER, customer)
    sink.publish()
    fill(sink, tmp_path, ACCOUNTS, *(day(date, 100, clicks=2, cost="2.00", final=date < 5) for date in range(1, 6)))
    fill(
        sink, tmp_path, CAMPAIGNS,
        campaign(1, 60), campaign(1, 40, campaign_id="b", cost="1.03"),
        campaign(2, 60), campaign(2, 40, campaign_id="b", cost="1.04"),
        campaign(3, 100), campaign(3, 100, campaign_id="b"),
        campaign(5, 9, final=False),
        campaign(6, 9),
    )  # fmt: skip
    fill(sink, tmp_path, GROUPS, day(1, 60, ad_group_id="g"))
    sink.publish()
    found = query(
        "SELECT CAST(date AS VARCHAR), account_impressions, campaign_impressions_difference, campaign_spend_difference, "
        "ad_group_impressions_difference, ad_impressions, adds_up, reason FROM ads.reconciliation ORDER BY 1"
    )
    must = "the campaigns must add up to the account: an answer was cut, came twice, or lacks some"
    assert found == [
        ("2026-11-01", 100, 0, Decimal("0.03"), -40, None, True, "Performance Max campaigns have no ad groups"),
        ("2026-11-02", 100, 0, Decimal("0.04"), -100, None, False, must),
        ("2026-11-03", 100, 100, 0, -100, None, False, must),
        ("2026-11-04", 100, -100, -2, -100, None, False, must),
        ("2026-11-05", 100, -91, -1, -100, None, None, "the day was not over when it was loaded"),
        ("2026-11-06", None, 9, 1, 0, None, None, "account_daily has no row of this day"),
    ]
    ((spent, clicks),) = query("SELECT sum(spend), sum(clicks) FROM ads.account_daily WHERE account_name = 'A'")
    assert (spent, clicks) == (10, 10)


def test_only_what_a_run_has_loaded_of_both_levels_is_compared(held: tuple[Sink, Query], tmp_path: Path) -> None:
    sink, _ = held
    assert isinstance(sink, KnowsTotals)
    assert sink.reconcile_run("google", "run-1", ()) is None, "there are no tables"
    fill(sink, tmp_path, ACCOUNTS, day(1, 100), run="run-0")
    fill(sink, tmp_path, CAMPAIGNS, campaign(1, 7), campaign(2, 7), run="run-0")
    assert sink.reconcile_run("google", "run-1", ()) is None, "it has loaded nothing"
    fill(sink, tmp_path, ACCOUNTS, *(day(date, 100) for date in (2, 3, 4)), {**day(3, 100), "account_id": "2"})
    fill(sink, tmp_path, CAMPAIGNS, campaign(3, 60), campaign(5, 8), run="run-1")
    found = sink.reconcile_run("google", "run-1", ())
    assert found is not None
    told = [(each.account_id, each.day.day, each.campaigns["impressions"]) for each in found.differences]
    assert (found.compared, told) == (4, [("1", 4, 0), ("2", 3, 0), ("1", 3, 60), ("1", 5, 8)])
    assert [found.worst_ratio(metric) for metric in ("impressions", "clicks", "spend")] == [1.0, 1.0, 1.0]
    without = sink.reconcile_run("google", "run-1", ("2", "it's"))
    assert without is not None
    assert (without.compared, without.differing) == (3, 3)


def test_the_last_days_of_vertica_are_read_beside_a_run(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    database = VerticaDatabase(tmp_path / "storage")
    sink = database.open()
    try:
        fill(sink, tmp_path, ACCOUNTS, *(day(date, 100) for date in (1, 2, 3)))
        fill(sink, tmp_path, CAMPAIGNS, campaign(1, 7), campaign(2, 100), campaign(3, 99))
        fill(sink, tmp_path, GROUPS, day(2, 60, ad_group_id="g"), day(3, 30, ad_group_id="g"))
        environment = RunEnvironment(storage_type=StorageType.VERTICA, vertica=access_to(database.server))
        with opened_for_reading(environment) as (ask, columns):
            found = of_last_days(ask, columns, "google", 2)
            assert of_last_days(ask, columns, "facebook", 2) is None
    finally:
        sink.close()
    assert found is not None
    days, (groups,) = found
    assert (days.compared, [each.day.day for each in days.differences]) == (2, [3])
    assert (groups.name, groups.ratio, groups.differing, groups.is_wrong) == ("ad_group", 0.45, 2, False)
    assert list(reconciliation_lines({"google": found})) == [
        "google: 1 of 2 days of accounts do not add up to the account's own total",
        "  account  date        impressions  clicks  spend",
        "  1        2026-11-03    99 of 100       1      1",
        "  ad_group: 45.0 % of the impressions, 2 days differ: Performance Max campaigns have no ad groups",
    ]
