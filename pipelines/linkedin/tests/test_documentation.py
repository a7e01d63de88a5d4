"""The documentation of the tables names exactly the columns, types, keys and sources that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from linkedin_pipeline.errors import RULES, Scope
from linkedin_pipeline.settings import VERSION_ENDS, Given
from linkedin_pipeline.tables import ACCOUNT, FURTHER, LEVELS, REPORTS, TABLES
from wire import Kind, Table

PAGE = (Path(__file__).parents[3] / "docs" / "tables" / "linkedin.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\w+) \| (\w+) \| (.*?) \| (.*?) ?\|$", re.MULTILINE)


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_table_is_documented(table: Table) -> None:
    text = section(table.name)
    assert text.startswith("Key: " + ", ".join(f"`{name}`" for name in table.key) + "\n")
    documented = [(name, kind, note) for name, kind, _, note in ROW.findall(text) if name != "column"]
    assert documented == [(column.name, column.type.value, column.note) for column in table.columns]


def test_sources_are_the_ones_that_are_read() -> None:
    for name, fields in [
        *((entity.name, entity.fields) for entity in (ACCOUNT, *LEVELS, *FURTHER)),
        *((report.name, report.metrics) for report in REPORTS),
    ]:
        sources = {column: source for column, _, source, _ in ROW.findall(section(name))}
        assert {field.name: f"`{field.source}`" for field in fields}.items() <= sources.items()


def test_settings_are_documented_with_their_defaults() -> None:
    shared = {"accounts", "tables", "start_date", "lookback_days", "reports"}
    secrets = {"client_id", "client_secret", "access_token", "refresh_token"}
    defaults = {name: getattr(Given(), name) for name in Given.__struct_fields__}
    documented = dict(re.findall(r"^\| (\w+) \|(.*?)\| ", section("Settings"), re.MULTILINE))
    documented.pop("setting")
    assert {name: default.strip() for name, default in documented.items()} == {
        name: "" if value is None else str(value) for name, value in defaults.items() if name not in shared | secrets
    }


def rows_of(name: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in section(name).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_refusal_is_documented_with_its_scope_and_remedy() -> None:
    assert rows_of("Failures") == [
        [
            rule.status,
            f"`{rule.code}`" if rule.code else "",
            rule.says.strip(),
            rule.kind.value,
            rule.scope.value,
            rule.meaning,
            rule.remedy,
        ]
        for rule in RULES
    ]


def test_only_the_login_ends_a_run() -> None:
    """Refused credentials and wrong settings are everybody's; whatever else is one account's."""
    for rule in RULES:
        everybody = rule.kind is Kind.CONFIG or rule.status == "401"
        assert (rule.scope is Scope.LOGIN) == everybody, rule
    assert (RULES[-1].status, RULES[-1].code, RULES[-1].says) == ("xxx", "", ""), "the last rule fits any answer"


def test_the_announced_ends_of_versions_are_documented() -> None:
    assert rows_of("API versions") == [[version, ends.isoformat()] for version, ends in VERSION_ENDS.items()]
    assert Given().api_version in VERSION_ENDS


def test_every_variable_of_the_sandbox_is_documented() -> None:
    root = Path(__file__).parents[3]
    read = set(
        re.findall(r'told\("(\w+)"\)', (root / "sandbox" / "linkedin" / "limits.py").read_text(encoding="utf-8"))
    )
    page = (root / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `SANDBOX_LINKEDIN_(\w+)` \|", page, re.MULTILINE)) == read
