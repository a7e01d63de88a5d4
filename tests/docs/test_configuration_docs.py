"""docs/configuration.md names every key and every variable, with its default, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from supervisor.config.credentials import ALWAYS_VISIBLE, BUILT_IN
from supervisor.config.environment import RunEnvironment, all_variables, read_environment
from supervisor.config.schema import (
    MetricsConfig,
    OrchestratorSettings,
    PlatformConfig,
    RetryConfig,
    load_orchestrator_config,
)
from supervisor.config.variable_table import with_table

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "configuration.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """The lines of the table under a heading: what the first column names in code, to the other columns."""
    section = re.split(rf"^### {heading}$", TEXT, flags=re.M)[1].split("\n### ")[0].split("\n## ")[0]
    found = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            first, *rest = (cell.strip() for cell in line.strip("|").split("|"))
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", first), rest))
    return found


def shown(default: Any) -> str:
    match default:
        case attrs.NOTHING:
            return "required"
        case RetryConfig():
            return "see below"
        case bool():
            return f"`{str(default).lower()}`"
        case None:
            return "`null`"
        case ():
            return "`[]`"
        case str():
            return f"`{default}`"
        case attrs.Factory():  # type: ignore[misc]  # the stubs say a function; it is a class
            return "`{}`"
        case _:
            return f"`{default:g}`"


@pytest.mark.parametrize(
    ("heading", "cls"),
    [
        ("orchestrator", OrchestratorSettings),
        ("platforms", PlatformConfig),
        ("retry", RetryConfig),
        ("metrics", MetricsConfig),
    ],
)
def test_every_key_is_documented_with_its_default(heading: str, cls: type[attrs.AttrsInstance]) -> None:
    documented = {name: cells[1] for name, cells in rows(heading).items()}
    assert documented == {field.name: shown(field.default) for field in attrs.fields(cls)}


def test_every_variable_of_a_run_is_documented_with_its_default() -> None:
    table = rows("The run")
    assert list(table) == [variable.name for variable in all_variables()]
    assert with_table(TEXT) == TEXT
    defaults = read_environment({})
    for field in attrs.fields(RunEnvironment):
        if field.name.upper() in table:
            value = getattr(defaults, field.name)
            assert table[field.name.upper()][1] == (
                "unset" if value is None else shown(value) if isinstance(value, bool) else f"`{value}`"
            )


@pytest.mark.parametrize("platform", BUILT_IN)
def test_every_variable_of_a_platform_is_documented(platform: str) -> None:
    heading = {"linkedin": "LinkedIn"}.get(platform, platform.title())
    assert sorted(rows(heading)) == sorted(BUILT_IN[platform].names)
    section = TEXT.split(f"### {heading}\n")[1].split("\n|")[0]
    assert set(re.findall(r"`([A-Z_]+)`", section)) == {name for names in BUILT_IN[platform].required for name in names}


def test_every_variable_that_all_pipelines_see_is_documented() -> None:
    assert sorted([*rows("What every pipeline sees"), "LOG_LEVEL"]) == sorted(ALWAYS_VISIBLE)


@pytest.mark.parametrize("platform", BUILT_IN)
def test_settings_that_all_pipelines_are_said_to_know_are_known_to_each(platform: str) -> None:
    source = (ROOT / "pipelines" / platform / "src" / f"{platform}_pipeline" / "settings.py").read_text()
    for setting in rows("settings"):
        assert re.search(rf"\b{setting}\b", source), setting


def test_the_example_is_a_valid_configuration(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.S)
    path = tmp_path / "orchestrator_config.yml"
    path.write_text(example)
    assert [platform.name for platform in load_orchestrator_config(path).platforms] == ["google", "mine"]
