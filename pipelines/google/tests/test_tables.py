"""The declared tables are complete and say the same as their documentation."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from google_pipeline.queries import As
from google_pipeline.settings import VERSIONS, Settings
from google_pipeline.tables import QUERIES, REPORTS, TABLES
from wire import Type, Window

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/tables/google.md"


def test_a_query_selects_what_its_columns_declare():
    campaign = next(query for query in REPORTS if query.name == "campaign_daily")
    text = campaign.gaql(Window(dt.date(2026, 1, 1), dt.date(2026, 1, 7)))
    assert text.startswith("SELECT segments.date, campaign.id, campaign.name, metrics.impressions,")
    assert text.endswith("FROM campaign WHERE segments.date BETWEEN '2026-01-01' AND '2026-01-07'")


def test_conditions_are_joined():
    keyword = next(query for query in QUERIES if query.name == "keyword")
    assert keyword.gaql().endswith(
        "FROM ad_group_criterion WHERE ad_group_criterion.type = 'KEYWORD' "
        "AND ad_group_criterion.status IN ('ENABLED', 'PAUSED', 'REMOVED')"
    )


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_selected_id_and_segment_is_in_the_key(query):
    """A key that lacks one loses rows: criterion ids repeat in every ad group."""
    assert (query.table.key[0] == "account_id") is not query.shared
    assert not any(column.endswith("_name") for column in query.key)
    if query.daily:
        needed = {field.column for field in query.fields if field.kind is As.ID or field.path.startswith("segments.")}
        # They belong to the action, which is in the key.
        assert needed - {"conversion_action_name", "conversion_action_category"} <= set(query.key)
        assert query.table.columns[-1].name == "is_final"
        assert query.table.replication_key == "date"


def test_micros_are_never_numbers():
    for query in QUERIES:
        types = {column.name: column.type for column in query.table.columns}
        for field in query.fields:
            assert field.path.endswith("_micros") == (types[field.column] is Type.DECIMAL)


def test_the_columns_of_the_common_views_exist():
    columns = {table.name: {column.name for column in table.columns} for table in TABLES}
    assert {"account_id", "descriptive_name", "currency_code", "time_zone"} <= columns["customer"]
    common = {"account_id", "date", "campaign_id", "campaign_name", "impressions", "clicks", "cost", "conversions"}
    common |= {"conversions_value", "view_through_conversions", "video_trueview_views", "currency_code", "is_final"}
    for name in ("campaign_daily", "ad_group_daily", "ad_daily"):
        assert common <= columns[name]
    assert {"ad_group_id", "ad_group_name"} <= columns["ad_group_daily"] & columns["ad_daily"]
    assert {"ad_id", "ad_name"} <= columns["ad_daily"]


def documented():
    """Table name -> rows of (column, type, source) in the document."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    name = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## `google\.(\w+)`", line):
            name = heading[1]
            found[name] = []
        elif line.startswith("## "):
            name = ""
        elif name and (row := re.match(r"\| `(\w+)`( \(key\))? \| (\w+) \| (.*?) \|", line)):
            found[name].append((row[1], row[3], row[4].strip("`")))
    return found


def test_the_document_lists_exactly_the_tables_and_columns():
    document = documented()
    assert list(document) == [table.name for table in TABLES]
    for query in QUERIES:
        sources = {field.column: field.path for field in query.fields}
        expected = [(column.name, column.type.value, sources.get(column.name, "")) for column in query.table.columns]
        assert document[query.name] == expected


def test_the_document_marks_exactly_the_keys():
    text = DOCUMENT.read_text(encoding="utf-8")
    for table, part in zip(TABLES, text.split("\n## `google.")[1:], strict=True):
        assert set(re.findall(r"\| `(\w+)` \(key\) \|", part)) == set(table.key)


def test_the_document_names_every_version_and_its_end():
    text = DOCUMENT.read_text(encoding="utf-8")
    for version in VERSIONS.values():
        assert f"| {version.version} | {version.ends:%B %Y} | <{version.source}> |" in text
    assert f"{Settings().api_version} unless it is set" in text


def test_the_document_says_where_rows_come_from():
    text = DOCUMENT.read_text(encoding="utf-8")
    for query, part in zip(QUERIES, text.split("\n## `google.")[1:], strict=True):
        where = f" where `{query.where}`" if query.where else ""
        assert f"Source: `{query.resource}`{where}." in part
