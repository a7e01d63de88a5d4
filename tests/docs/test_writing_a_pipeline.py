"""Who follows docs/writing-a-pipeline.md to the letter has a platform: its files, its lock, its environment, its rows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from reading import reading

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "writing-a-pipeline.md").read_text()
SDK = """
from decimal import Decimal
from types import SimpleNamespace as S
def accounts(): return [S(id="1", timezone="Europe/Berlin")]
def report(account, first, last): return [S(id="7", day=first, clicks=3, spend=Decimal("1.25"))]
"""


def block(kind: str, containing: str) -> str:
    """The page's one code block of a kind that holds these words."""
    (found,) = (text for text in re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S) if containing in text)
    return str(found)


def named_file(name: str, kind: str) -> str:
    """The code block that follows the first mention of a file."""
    after = PAGE[PAGE.index(f"`pipelines/tiktok/{name}`") :]
    return re.findall(rf"```{kind}\n(.*?)```", after, re.S)[0]


@pytest.mark.timeout(300)
def test_the_steps_of_the_guide_make_an_installed_platform(house: Any) -> None:
    pipeline = house.directory / "pipelines" / "tiktok"
    package = pipeline / "src" / "tiktok_pipeline"
    package.mkdir(parents=True)
    (pipeline / "pyproject.toml").write_text(named_file("pyproject.toml", "toml"))
    (pipeline / "setup.cfg").write_text(named_file("setup.cfg", "ini"))
    (pipeline / "requirements.in").write_text(named_file("requirements.in", "text"))
    program = block("python", "replication_key").rsplit("sys.exit(", 1)[0]
    (package / "__init__.py").write_text(program + named_file("src/tiktok_pipeline/__init__.py", "python"))
    (package.parent / "my_sdk.py").write_text(SDK)
    uv = Path(sys.executable).with_name("uv")
    command = block("bash", "uv pip compile").split()
    subprocess.run([uv, *command[1:]], cwd=house.directory, check=True, capture_output=True)
    entry = block("yaml", "TIKTOK_ACCESS_TOKEN")
    settings = "    settings: {start_date: 2026-11-01}\n"
    (house.directory / "orchestrator_config.yml").write_text(f"platforms:\n{entry}{settings}")
    house.environment["PIPELINE_NOW"] = "2026-11-20T12:00:00Z"
    installed = subprocess.run(
        [Path(sys.executable).with_name("supervisor"), "install", "--only", "tiktok"],
        cwd=house.directory, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr + installed.stdout
    done = house.run("run", "--only", "tiktok")
    assert done.returncode == 0, done.stderr
    with reading(house.directory / "social_ads.duckdb") as connection:
        found = connection.execute(
            "SELECT min(date)::VARCHAR, sum(spend)::VARCHAR FROM tiktok.campaign_daily"
        ).fetchall()
    assert found == [("2026-11-01", "3.750000000000000000")]
