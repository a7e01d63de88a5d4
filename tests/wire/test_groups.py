"""The setting `tables` chooses by name and by group; a catalog does where it is silent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.wire.test_extraction import PIPELINE, run
from wire import Column, PipelineError, Table, Type
from wire.groups import chosen, offered


def table(name: str, group: str = "core", **more: str) -> Table:
    return Table(name, (Column("id", Type.STRING),), ("id",), group=group, **more)


TABLES = (
    table("campaign"),
    table("conversion_action", "conversions"),
    table("campaign_hourly", "hourly", cost="1 request an account and day"),
    table("geo_daily", "geo"),
    table("own", fingerprint="f"),
)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (None, {"campaign", "conversion_action"}),
        ([], {"campaign", "conversion_action"}),
        (["geo"], {"geo_daily"}),
        (["core", "campaign_hourly"], {"campaign", "campaign_hourly"}),
        (["all"], {"campaign", "conversion_action", "campaign_hourly", "geo_daily"}),
    ],
)
def test_tables_are_chosen_by_name_and_by_group(given: list[str] | None, names: set[str]) -> None:
    assert chosen({"tables": given}, TABLES) - {"own"} == names


@pytest.mark.parametrize("given", ["campaign", 7, {"campaign": True}])
def test_tables_that_are_no_list_are_told(given: object) -> None:
    with pytest.raises(PipelineError, match=r"settings\.tables: expected a list"):
        chosen({"tables": given}, TABLES)


def test_what_is_neither_table_nor_group_is_told_with_what_is_meant() -> None:
    with pytest.raises(PipelineError, match=r"no table or group 'hourlly'; did you mean 'hourly'"):
        chosen({"tables": ["campaign", "hourlly"]}, TABLES)


def test_what_is_offered_says_what_is_loaded_and_what_it_costs() -> None:
    told = {each.name: (each.group, each.is_loaded, each.cost) for each in offered({"tables": ["geo"]}, TABLES)}
    assert told == {
        "campaign": ("core", False, ""),
        "conversion_action": ("conversions", False, ""),
        "campaign_hourly": ("hourly", False, "1 request an account and day"),
        "geo_daily": ("geo", True, ""),
    }


def test_a_pipeline_loads_its_other_groups_only_where_they_are_asked_for(tmp_path: Path) -> None:
    pipeline = PIPELINE.replace(
        '("account_id", "date"), "date")', '("account_id", "date"), "date", group="hourly", cost="much")'
    )

    def streams(*arguments: str, settings: dict[str, Any]) -> set[str]:
        status, lines, _ = run(tmp_path, *arguments, settings={"accounts": ["1"], **settings}, pipeline=pipeline)
        assert status == 0
        return {line["stream"] for line in lines if line["type"] == "SCHEMA"}

    _, (catalog,), _ = run(tmp_path, "--discover", pipeline=pipeline)
    (stream,) = catalog["streams"]
    assert stream["metadata"][0]["metadata"]["selected"] is False
    stream["metadata"][0]["metadata"]["selected"] = True
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    assert streams(settings={}) == set()
    assert streams(settings={"tables": ["hourly"]}) == {"daily"}
    assert streams("--catalog", str(tmp_path / "catalog.json"), settings={}) == {"daily"}
    _, (check,), _ = run(tmp_path, "--check", pipeline=pipeline)
    assert check["tables"] == [{"name": "daily", "group": "hourly", "is_loaded": False, "cost": "much"}]
