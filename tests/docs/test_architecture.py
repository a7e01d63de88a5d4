"""The map is right: every file that it names is there, the rooms are those of the code, and pipelines have the same doors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from supervisor.config.schema import PlatformConfig
from supervisor.run.plan import lookback_days

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PLATFORMS = ("google", "microsoft", "facebook", "linkedin")
ROLES = ("main", "settings", "client", "accounts", "entities", "reports", "tables", "errors", "catalog", "definitions")
PATH = re.compile(r"`((?:supervisor|wire|pipelines|sandbox|tests|docs)/[\w./*-]*)`")


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_path_that_is_named_exists(page: str) -> None:
    named = PATH.findall((ROOT / page).read_text())
    assert len(named) >= 8
    missing = [
        path
        for name in named
        for path in ([name.replace("PLATFORM", each) for each in PLATFORMS] if "PLATFORM" in name else [name])
        if not list(ROOT.glob(path.rstrip("/")))
    ]
    assert not missing


def test_every_room_is_in_the_picture() -> None:
    picture = PAGE.split("```")[1]
    rooms = {path.parent.name for path in (ROOT / "supervisor").glob("*/__init__.py")}
    assert len(rooms) <= 10
    assert {room for room in rooms if room not in picture} == set()
    beside = {path.name for path in (ROOT / "supervisor").iterdir() if path.is_file()}
    assert beside == {"__init__.py", "__main__.py", "py.typed"}


def test_every_room_opens_with_what_is_in_who_uses_it_and_what_it_may_import() -> None:
    for path in (ROOT / "supervisor").glob("*/__init__.py"):
        lines = path.read_text().splitlines()[:3]
        assert lines[0].startswith('"""In here: ') and lines[1].startswith("Used by: "), path
        assert lines[2].startswith("May import: "), path


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_pipelines_have_the_same_doors(platform: str) -> None:
    package = ROOT / "pipelines" / platform / "src" / f"{platform}_pipeline"
    assert {role for role in ROLES if not (package / f"{role}.py").is_file()} == set()
    named = set(re.findall(r"`(\w+\.py)`", PAGE.split("## The four pipelines")[1].split("##")[0]))
    everywhere = {path.name for each in PLATFORMS for path in (ROOT / "pipelines" / each / "src").rglob("*.py")}
    assert named <= everywhere


def test_the_plan_knows_each_pipelines_own_lookback() -> None:
    for name in PLATFORMS:
        text = (ROOT / "pipelines" / name / "src" / f"{name}_pipeline" / "settings.py").read_text()
        (default,) = set(re.findall(r"^    lookback_days: .* = (\d+)$", text, re.MULTILINE))
        assert lookback_days(PlatformConfig(name=name)) == int(default), name
