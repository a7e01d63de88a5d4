"""models/sources.yml: every table and view as a source of dbt, with its columns, its key and its freshness.

`python deploy/dbt/generate.py [--check]`, with the pipelines' `src` on PYTHONPATH, as `make lint` has it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from supervisor.sinks.breakdowns import BREAKDOWNS
from supervisor.sinks.breakdowns.definition import Breakdown
from supervisor.sinks.reconciliation import METRICS
from supervisor.sinks.tables import ADDED, LOADED_AT
from supervisor.sinks.unified import LEVELS, MEASURES, SOURCES
from wire import Table

PAGE = Path(__file__).with_name("models") / "sources.yml"
_OF_ACCOUNT = ("platform", "account_id", "account_name", "account_currency", "account_timezone", "date")
_HEAD = "# Made by deploy/dbt/generate.py from the definitions of the tables.\n"


def sources() -> str:
    """The file as it should be."""
    found = {"version": 2, "sources": [*map(_platform, SOURCES), _views()]}
    return _HEAD + yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=140)


def _tables(platform: str) -> tuple[Table, ...]:
    tables: tuple[Table, ...] = import_module(f"{platform}_pipeline.tables").TABLES
    return tables


def _platform(platform: str) -> dict[str, Any]:
    return {
        "name": platform,
        "description": f"What the API of {platform.capitalize()} tells; see docs/tables/{platform}.md.",
        "config": {
            "enabled": f"{{{{ '{platform}' in var('social_ads_platforms') }}}}",
            "loaded_at_field": LOADED_AT.name,
            "freshness": {"warn_after": _hours(36), "error_after": _hours(72)},
        },
        "tables": [_table(platform, table) for table in _tables(platform)],
    }


def _table(platform: str, table: Table) -> dict[str, Any]:
    columns = [(column.name, column.note) for column in (*table.columns, *ADDED)]
    described = f"One row per {', '.join(table.key)}."
    # What a table says of itself stands in place of what its source says, so it says both.
    enabled = {"config": {"enabled": f"{{{{ {_is_loaded(platform, table)} }}}}"}}
    return {"name": table.name, "description": described, **enabled, **_keyed(list(table.key), columns)}


def _is_loaded(platform: str, table: Table) -> str:
    return f"'{platform}' in var('social_ads_platforms') and '{table.group}' in var('social_ads_groups')"


def _views() -> dict[str, Any]:
    views = []
    for depth, level in enumerate(LEVELS):
        above = LEVELS[1 : depth + 1]
        names = [f"{each}_{what}" for each in above for what in ("id", "name")]
        key = ["platform", "account_id", "date", *(f"{each}_id" for each in above)]
        columns = [(name, "") for name in (*_OF_ACCOUNT, *names, *MEASURES)]
        described = f"One row per {', '.join(key)}, of all platforms."
        views.append({"name": f"{level}_daily", "description": described, **_keyed(key, columns)})
    views += [*map(_breakdown, BREAKDOWNS), _reconciliation()]
    return {"name": "ads", "description": "The views over all platforms; see docs/views.md.", "tables": views}


def _breakdown(view: Breakdown) -> dict[str, Any]:
    """A source where any of its parts is loaded."""
    loaded = {
        f"({_is_loaded(part.platform, table)})"
        for part in view.parts
        for table in _tables(part.platform)
        if table.name == part.table
    }
    notes = {each.name: each.note for each in view.dimensions}
    columns = [(name, notes.get(name, "")) for name in (*_OF_ACCOUNT, *view.texts, *view.measures)]
    described = f"{view.note}: one row per {', '.join(view.key)}, of all platforms."
    enabled = {"config": {"enabled": f"{{{{ {' or '.join(sorted(loaded))} }}}}"}}
    keyed = _keyed(list(view.key), columns)
    return {"name": view.name, "description": described[0].upper() + described[1:], **enabled, **keyed}


def _reconciliation() -> dict[str, Any]:
    key = ["platform", "account_id", "date"]
    numbers = [
        name
        for metric in METRICS
        for name in (
            *(f"{level}_{metric}" for level in LEVELS),
            *(f"{level}_{metric}_difference" for level in LEVELS[1:]),
        )
    ]
    notes = {"adds_up": "whether the campaigns are the account; null where nothing can be said", "reason": "if not"}
    columns = [(name, notes.get(name, "")) for name in (*key, "is_final", *numbers, *notes)]
    keyed = _keyed(key, columns)
    keyed["data_tests"].append({"adds_up": {"config": {"severity": "warn"}}})
    described = "An account's own numbers of a day beside the sums of each level below it."
    return {"name": "reconciliation", "description": described, **keyed}


def _keyed(key: list[str], columns: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "data_tests": [{"is_key": {"arguments": {"columns": key}}}],
        "columns": [{"name": name, **({"description": note} if note else {})} for name, note in columns],
    }


def _hours(count: int) -> dict[str, Any]:
    return {"count": count, "period": "hour"}


def main() -> None:
    """Write the file, or with --check end with 1 where it is not what the definitions say."""
    made = sources()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != made:
        sys.exit(f"{PAGE.name} is not what the tables' definitions say; run deploy/dbt/generate.py")


if __name__ == "__main__":
    main()
