"""deploy/dbt, as somebody's dbt reads it: every source is there, every key tells all rows apart, and all is fresh."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from conftest import Installed

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = ("google", "microsoft", "facebook", "linkedin")
DBT = ROOT / ".venvs" / "dbt-duckdb" / "bin" / "dbt"


@pytest.fixture
def dbt(installed: Installed, demonstrated: subprocess.CompletedProcess[str], tmp_path: Path) -> Any:
    assert demonstrated.returncode == 0, demonstrated.stderr
    project = tmp_path / "social_ads"
    shutil.copytree(ROOT / "deploy" / "dbt", project)
    database = shutil.copy(installed.work / "demo" / "social_ads.duckdb", tmp_path)
    variables = {"DUCKDB_PATH": str(database), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}

    def run(*arguments: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [DBT, *arguments, "--project-dir", project, "--profiles-dir", project],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables},
            cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert "deprecat" not in done.stdout.lower(), done.stdout
        name = "sources.json" if "freshness" in arguments else "run_results.json"
        results: list[dict[str, Any]] = json.loads((project / "target" / name).read_text())["results"]
        return results

    return run


def test_every_key_holds_and_everything_is_fresh(dbt: Any) -> None:
    project = yaml.safe_load((ROOT / "deploy/dbt/dbt_project.yml").read_text())
    named = yaml.safe_load((ROOT / "deploy/dbt/models/sources.yml").read_text())["sources"]
    groups = project["vars"]["social_ads_groups"]
    loaded = [
        source["name"]
        for source in named
        for table in source["tables"]
        if any(f"'{each}'" in table.get("config", {}).get("enabled", "'core'") for each in groups)
    ]
    results = dbt("build")
    assert {result["status"] for result in results} == {"pass"}
    assert len(results) == len(loaded) + 1  # one test of each key, and one of the reconciliation
    fresh = dbt("source", "freshness")
    assert {result["status"] for result in fresh} == {"pass"}
    assert len(fresh) == len(loaded) - loaded.count("ads")
    of_google = dbt("build", "--vars", "{social_ads_platforms: [google]}")
    assert {result["status"] for result in of_google} == {"pass"}
    assert {name for name in PLATFORMS if any(f"_{name}_" in each["unique_id"] for each in of_google)} == {"google"}
