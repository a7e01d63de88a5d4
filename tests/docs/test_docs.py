"""What the documents say is what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import KINDS
from supervisor.config.environment import StorageType
from supervisor.sinks.azure_table import entities, keys, partitions, transactions
from supervisor.sinks.breakdowns import BREAKDOWNS
from supervisor.sinks.breakdowns.conversion import CONVERSION
from supervisor.sinks.breakdowns.definition import ALL_MEASURES
from supervisor.sinks.breakdowns.device import DEVICE
from supervisor.sinks.reconciliation import PROMISES
from supervisor.sinks.staging import TYPES
from supervisor.sinks.unified import LEVELS, MEASURES, SOURCES
from supervisor.sinks.vertica.bookkeeping import LONGEST_TEXT
from supervisor.sinks.vertica.columns import SIZES
from supervisor.sinks.vertica.columns import TYPES as VERTICA_TYPES
from supervisor.sinks.vertica.literals import LONGEST_NAME
from wire import exits
from wire.schema import Type

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def table(page: str, first_cell: str) -> list[list[str]]:
    """The rows of the Markdown table whose header begins with `first_cell`."""
    lines = (ROOT / page).read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first_cell} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")])
    return rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_views_page_lists_the_measures_of_the_code() -> None:
    shown = {row[0]: row[1:] for row in table("docs/views.md", "column")}
    for name, kind in MEASURES.items():
        cells = []
        for source in SOURCES.values():
            measure = source.measures.get(name)
            cells.append(f"`{measure.expression.replace('d.', '')}`" if measure else "–")
        assert shown[name] == [kind, *cells]
    assert set(shown) == set(MEASURES)
    levels = {row[0]: row[1:] for row in table("docs/views.md", "level")}
    assert levels == {level: [source.levels[level] for source in SOURCES.values()] for level in LEVELS}


def test_the_views_page_lists_the_breakdowns_of_the_code() -> None:
    shown = {row[0]: row[1:] for row in table("docs/views.md", "view")}
    assert set(shown) == {view.name for view in BREAKDOWNS}
    for view in BREAKDOWNS:
        tables = [[part.table for part in view.parts if part.platform == platform] for platform in SOURCES]
        cells = [", ".join(dict.fromkeys(each)) or "–" for each in tables]
        assert shown[view.name] == [", ".join(view.key[4:]), *cells]
    dimensions = [[each.name, view.name, each.note] for view in BREAKDOWNS for each in view.dimensions]
    assert table("docs/views.md", "dimension") == dimensions


def test_the_views_page_lists_what_conversions_are_made_of() -> None:
    shown = {row[0]: row[1:] for row in table("docs/views.md", "measure")}
    for name in (each for each in CONVERSION.measures if each != "is_final"):
        cells = []
        for platform, source in SOURCES.items():
            parts = [part for part in CONVERSION.parts if part.platform == platform]
            measures = [part.measures.get(name, source.measures.get(name)) for part in parts]
            told = [f"`{each.expression.replace('d.', '')}`" if each and each.needs else "–" for each in measures]
            cells.append(", ".join(told))
        assert shown.pop(name) == [ALL_MEASURES[name], *cells]
    assert not shown


def test_the_views_page_lists_the_words_for_devices() -> None:
    shown = table("docs/views.md", "`device`")
    for row in shown:
        for part, cell in zip(DEVICE.parts, row[1:], strict=True):
            expression = part.dimensions["device"][0].expression
            words = re.findall(rf"WHEN '(\w+)' THEN '{row[0]}'", expression)
            assert cell == (", ".join(words) or "–"), (row[0], part.platform)
    assert {row[0] for row in shown} == set(re.findall(r"THEN '(\w+)'", str(DEVICE.parts)))


def test_the_views_page_says_what_the_levels_of_each_platform_keep() -> None:
    promises = {
        platform: [each.spend_per_row, *(each.lacks.get(level, "–") for level in ("ad_group", "ad"))]
        for platform, each in PROMISES.items()
    }
    assert {row[0]: row[1:] for row in table("docs/views.md", "platform")} == promises


def test_the_wire_page_lists_statuses_and_types_of_the_code() -> None:
    statuses = {row[0]: row[2] for row in table("docs/wire.md", "status")}
    named = [value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)]
    assert {str(value) for value in named} | {"other"} == set(statuses)
    assert {status for status, again in statuses.items() if again == "no"} == {str(s) for s in exits.NO_RETRY}
    columns = [row[1] for row in table("docs/wire.md", "JSON Schema")]
    assert columns == [TYPES[kind] for kind in Type]


def test_the_sinks_page_lists_the_sinks_and_types_of_the_code() -> None:
    kinds = [re.findall(r"`(\w+)`", row[0])[0] for row in table("docs/sinks.md", "`STORAGE_TYPE`")]
    assert sorted(kinds) == sorted(StorageType)
    assert [row[0] for row in table("docs/sinks.md", "wire")] == [*map(str, Type), "null"]
    types = {row[0]: row[1:3] for row in table("docs/sinks.md", "wire")}
    for kind in Type:
        assert [re.findall(r"`([^`]+)`", cell)[0] for cell in types[kind]] == [TYPES[kind], VERTICA_TYPES[kind]]
    sizes = {kind: f"{steps[0]:,} to {steps[-1]:,} octets" for kind, steps in SIZES.items()}
    assert all(sizes[kind] in types[kind][1] for kind in SIZES)


def test_the_sinks_page_tells_the_limits_of_the_code() -> None:
    text = " ".join((ROOT / "docs" / "sinks.md").read_text().split())
    for told in (
        f"{entities.MOST_COLUMNS} columns, a text over {entities.LONGEST_TEXT:,} UTF-16 units",
        f"a PartitionKey or RowKey over {keys.LONGEST_KEY} units, a column's name over {keys.LONGEST_NAME}, "
        f"a table's over {keys.LONGEST_TABLE}, times before {entities.FIRST_YEAR}",
        f"a name over {LONGEST_NAME}",
        f"a state or a report over {LONGEST_TEXT:,} octets",
        f"RowKey eq '{partitions.MARKER}' and {partitions.COMPLETE} eq true",
        f"{transactions.MOST_OPERATIONS - 1} at most",
    ):
        assert told in text, told


def test_the_sandbox_page_lists_the_faults_of_the_code() -> None:
    assert [row[0].strip("`") for row in table("docs/sandbox.md", "kind")] == list(KINDS)


def test_the_readmes_exit_codes_are_those_of_the_help() -> None:
    from supervisor.cli.exit_codes import RUN

    shown = dict(table("README.md", "code"))
    for code in "01234":
        assert shown[code] == RUN[code].replace("continue_on_failure: false", "`continue_on_failure: false`")


def test_the_readmes_commands_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    make = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", readme, re.M):
        assert f"\n{target}:" in make
    for command in set(
        re.findall(
            r"supervisor (run|plan|check|install|history|freshness|state show|export|sandbox|demo)((?: --[\w-]+(?: [\w:-]+)?)*)",
            readme,
        )
    ):
        done = subprocess.run(
            [sys.executable, "-m", "supervisor", *command[0].split(), "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        for option in re.findall(r"--[\w-]+", command[1]):
            assert option in done.stdout, command


def test_the_pipeline_of_the_guide_works(house: Any, configured: Any) -> None:
    text = (ROOT / "docs" / "writing-a-pipeline.md").read_text()
    program = next(block for block in re.findall(r"```python\n(.*?)```", text, re.S) if "run_pipeline" in block)
    sdk = """
from decimal import Decimal
from types import SimpleNamespace as S
def accounts(): return [S(id="1", timezone="Europe/Berlin")]
def report(account, first, last): return [S(id="7", day=first, clicks=3, spend=Decimal("1E-18"))]
"""
    (house.directory / "my_sdk.py").write_text(sdk)
    (house.directory / "tap.py").write_text(program)
    house.platforms = [
        {"name": "mine", "command": [sys.executable, "tap.py"], "settings": {"start_date": "2026-11-01"}, "retry": {"max_attempts": 1}}
    ]  # fmt: skip
    house.environment["PIPELINE_NOW"] = "2026-11-20T12:00:00Z"
    done = configured()
    assert done.returncode == 0, done.stderr
    found = house.rows("SELECT min(date), max(date), sum(spend), count(*) FROM mine.campaign_daily")[0]
    assert [str(value) for value in found] == ["2026-11-01", "2026-11-14", "3E-18", "3"]


def test_the_readmes_python_example_is_up_to_date() -> None:
    text = (ROOT / "README.md").read_text()
    program = next(iter(re.findall(r"```python\n(.*?)```", text, re.S)))
    imports, rest = program.split("\n\n", 1)
    module = types.ModuleType("readme")
    exec(compile(imports, "README.md", "exec"), vars(module))
    assert all(
        name in vars(module)
        for name in re.findall(r"\b(SocialAdsOrchestrator|create_default_registry|load_orchestrator_config)\b", rest)
    )
