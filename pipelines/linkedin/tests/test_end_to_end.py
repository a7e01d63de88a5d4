"""What arrives is what the platform shows, value by value."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest

from linkedin_pipeline.metrics import FURTHER
from linkedin_pipeline.tables import TABLES
from sandbox.linkedin import truth as truth_module
from wire import Kind
from wire.groups import LOADED

NAMES = [table.name for table in TABLES]
DEFAULT = [table.name for table in TABLES if table.group in LOADED]
LATER = "2026-11-30T15:30:00+00:00"
FIRST = "5001234567"
REFUSED = {
    "conversion": "conversions",
    "campaign_device_daily": "IMPRESSION_DEVICE_TYPE",
    "member_company_monthly": "MEMBER_COMPANY",
    "campaign_member_company_monthly": "MEMBER_COMPANY",
}
"""Tables, and what is refused of the first account for them."""


@pytest.fixture(scope="module")
def everything(sandbox: Any) -> Any:
    """One run over the whole story of the tiny world."""
    run = sandbox.run(start_date=sandbox.world.first_day.isoformat(), tables=["all"])
    assert (run.status, run.errors) == (0, [])
    return run


def same(found: dict[Any, dict[str, Any]], expected: dict[Any, dict[str, Any]]) -> None:
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        assert found[key] == row
        assert {name: type(value) for name, value in found[key].items()} == {n: type(v) for n, v in row.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_table_holds_the_truth(sandbox: Any, everything: Any, name: str) -> None:
    store = everything.store()
    expected = sandbox.truth(store.tables[name], sandbox.world.first_day)
    assert expected
    same(store.keyed(name), expected)


def test_the_truth_knows_every_table_and_column(sandbox: Any) -> None:
    assert [*truth_module.TABLES, *truth_module.FURTHER] == NAMES
    for table in TABLES:
        row = next(iter(sandbox.truth(table, sandbox.world.first_day).values()))
        assert set(row) == {column.name for column in table.columns}


def test_a_small_world_with_archived_groups_arrives_too(start: Any) -> None:
    with start(size="small") as sandbox:
        run = sandbox.run(start_date="2026-10-25")
        assert (run.status, run.errors) == (0, [])
        store = run.store()
        assert sorted(store.tables) == sorted(DEFAULT) == sorted(truth_module.TABLES), (
            "what is loaded where the setting names no tables"
        )
        for name in DEFAULT:
            same(store.keyed(name), sandbox.truth(store.tables[name], dt.date(2026, 10, 25)))
    assert {"ACTIVE", "PAUSED", "ARCHIVED"} == {row["status"] for row in store.rows["campaign_group"]}


def test_amounts_keep_their_eighteenth_digit(everything: Any) -> None:
    costs = [row["cost_in_local_currency"] for row in everything.store().rows["creative_daily"]]
    assert any(str(cost).endswith("000000000001") and cost.as_tuple().exponent == -18 for cost in costs)


def test_missing_is_null_and_zero_is_zero(everything: Any) -> None:
    rows = everything.store().rows["creative_daily"]
    assert any(row["video_views"] is None for row in rows)
    assert any(row["video_views"] for row in rows)
    assert any(row["one_click_leads"] == 0 for row in rows)
    assert any(row["creative_name"] is None for row in rows)


def test_days_are_utc_days_for_accounts_of_every_country(start: Any) -> None:
    """At 23:30 UTC it is tomorrow in Tokyo, but not for LinkedIn."""
    with start(size="small", now="2026-11-20T23:30:00+00:00") as sandbox:
        run = sandbox.run(start_date="2026-11-18", tables=["campaign_group_daily"])
        store = run.store()
        rows = store.rows["campaign_group_daily"]
        same(
            store.keyed("campaign_group_daily"),
            sandbox.truth(store.tables["campaign_group_daily"], dt.date(2026, 11, 18)),
        )
    assert {"JPY", "USD", "EUR"} == {row["currency"] for row in rows}
    assert {row["date"]: row["is_final"] for row in rows} == {
        dt.date(2026, 11, 18): True,
        dt.date(2026, 11, 19): True,
        dt.date(2026, 11, 20): False,
    }


def test_a_closed_account_has_its_row_and_nothing_else(sandbox: Any, everything: Any) -> None:
    closed = next(account.id for account in sandbox.world.accounts("linkedin") if account.closed)
    assert {region.stream for region in everything.regions if region.where["account_id"] == closed} == {"account"}
    assert f"account {closed} is CANCELED" in everything.log


def test_an_empty_account_replaces_its_regions_with_nothing(sandbox: Any, everything: Any) -> None:
    empty = sandbox.world.accounts("linkedin")[-2]
    assert not empty.campaigns
    regions = [region for region in everything.regions if region.where["account_id"] == empty.id]
    assert {region.stream: region.rows for region in regions} == {**dict.fromkeys(NAMES, 0), "account": 1}


def test_windows_come_newest_first(sandbox: Any, everything: Any) -> None:
    days = everything.days("creative_daily", sandbox.world.accounts("linkedin")[0].id)
    assert days == [("2026-10-21", "2026-11-20"), ("2026-10-11", "2026-10-20")]


def test_reports_have_their_names_without_the_entity_tables(sandbox: Any) -> None:
    run = sandbox.run(start_date="2026-11-19", tables=["creative_daily"])
    assert {region.stream for region in run.regions} == {"creative_daily"}
    store = run.store()
    same(store.keyed("creative_daily"), sandbox.truth(store.tables["creative_daily"], dt.date(2026, 11, 19)))


def test_ten_days_later_and_through_faults_every_table_holds_the_truth_again(start: Any, everything: Any) -> None:
    store = everything.store()
    faults = ("rate_limit@7", "server_error@19", "expired_token@31", "broken_connection@43")
    with start(*faults, now=LATER, first_day=dt.date(2026, 10, 11)) as sandbox:
        run = sandbox.run(start_date="2026-10-11", tables=["all"], state=store.state)
        assert (run.status, run.errors) == (0, [])
        store.load(run)
        for name in NAMES:
            same(store.keyed(name), sandbox.truth(store.tables[name], sandbox.world.first_day))


def test_tables_that_are_split_add_up_to_the_campaigns(everything: Any) -> None:
    rows = everything.store().rows

    def totals(name: str, *columns: str) -> tuple[Decimal, ...]:
        return tuple(sum((Decimal(row[column] or 0) for row in rows[name]), Decimal()) for column in columns)

    split = ("impressions", "clicks", "cost_in_local_currency", "total_engagements", "video_views")
    whole = totals("campaign_daily", *split)
    assert all(whole)
    assert totals("campaign_device_daily", *split) == totals("campaign_placement_daily", *split) == whole
    rules = ("external_website_conversions", "conversion_value_in_local_currency")
    assert totals("campaign_conversion_daily", *rules) == totals("campaign_daily", *rules)
    further = ("document_completions", "valid_work_email_leads", "job_apply_clicks", "video_watch_time")
    assert all(totals("campaign_metrics_daily", *further))
    assert totals("creative_metrics_daily", *further) == totals("campaign_metrics_daily", *further)


def test_further_metrics_cost_what_their_tables_say(sandbox: Any) -> None:
    """Two requests of a table; a row that nothing of it was counted in is none."""
    tables = ["campaign_metrics_daily", "creative_metrics_daily"]
    run = sandbox.run(start_date="2026-10-21", tables=tables, accounts=[FIRST], environment={"LOG_LEVEL": "DEBUG"})
    assert len(re.findall(r"/adAnalytics\?", run.log)) == 2 * len(tables)
    store = run.store()
    assert all(any(row[metric.name] for metric in FURTHER) for row in store.rows["creative_metrics_daily"])


def test_a_table_that_linkedin_refuses_of_an_account_is_lost_alone(start: Any) -> None:
    named = ",".join(f"{what}@{FIRST}" for what in REFUSED.values())
    tables = [*REFUSED, "creative", "campaign_daily", "campaign_conversion_daily", "campaign_member_region_monthly"]
    with start(environment={"SANDBOX_LINKEDIN_REFUSED": named}) as sandbox:
        run = sandbox.run(start_date="2026-10-11", tables=tables)
        store = run.store()
        for name in tables:
            expected = sandbox.truth(store.tables[name], sandbox.world.first_day)
            lost = {key for key, row in expected.items() if name in REFUSED and row["account_id"] == FIRST}
            assert lost or name not in REFUSED
            same(store.keyed(name), {key: row for key, row in expected.items() if key not in lost})
    assert run.status == 77
    told = [(error.kind, error.account_id, error.message.partition(":")[0]) for error in run.errors]
    assert sorted(told) == sorted((Kind.AUTH, FIRST, name) for name in REFUSED)


def test_members_names_are_asked_for_in_batches_and_once(sandbox: Any) -> None:
    tables = ["audience", "geo", "audience_by_campaign"]
    run = sandbox.run(start_date="2026-10-11", tables=tables, environment={"LOG_LEVEL": "DEBUG"})
    asked = [
        urn for urns in re.findall(r"/adTargetingEntities\?\S*urns=List\((\S*?)\)", run.log) for urn in urns.split(",")
    ]
    assert sorted(asked) == sorted({*asked}) and len(asked) > 10
    rows = run.store().rows["member_job_title_monthly"]
    assert {row["member_job_title_name"] for row in rows} == {"Software Engineer", None}


def test_names_that_linkedin_refuses_cost_no_row(start: Any) -> None:
    with start(environment={"SANDBOX_LINKEDIN_REFUSED": "adTargetingEntities@"}) as sandbox:
        run = sandbox.run(start_date="2026-10-11", tables=["member_seniority_monthly", "member_country_monthly"])
        assert (run.status, run.errors) == (0, [])
        store = run.store()
        for name, column in (
            ("member_seniority_monthly", "member_seniority_name"),
            ("member_country_monthly", "member_country_name"),
        ):
            expected = sandbox.truth(store.tables[name], sandbox.world.first_day)
            same(store.keyed(name), {key: row | {column: None} for key, row in expected.items()})
    assert run.log.count("names of members' companies, titles and places are missing") == 1
