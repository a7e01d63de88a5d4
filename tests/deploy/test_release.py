"""The wheel holds everything: installed where there is no checkout, it builds the environments and runs all platforms."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import duckdb

if TYPE_CHECKING:
    from conftest import Installed

PLATFORMS = ("facebook", "google", "linkedin", "microsoft")


def test_the_wheel_holds_the_pipelines_and_depends_on_nothing_of_ours(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    release = "supervisor/environments/release"
    for platform in PLATFORMS:
        assert {
            f"{release}/pipelines/{platform}/{file}" for file in ("setup.cfg", "pyproject.toml", "requirements.txt")
        } <= names
        source = f"{release}/pipelines/{platform}/src/{platform}_pipeline"
        assert {f"{source}/main.py", f"{source}/catalog.json"} <= names
    assert {
        "wire/__init__.py",
        "sandbox/world.py",
        f"{release}/wire/setup.cfg",
        f"{release}/orchestrator_config.yml",
    } <= names
    assert not {name for name in names if name.startswith(("tests/", "bench/", "pipelines/"))}
    assert "social-ads-wire" not in metadata
    assert wheel.stat().st_size < 2 * 2**20


def test_the_source_archive_holds_what_the_catalogs_are_made_of(wheel: Path) -> None:
    (source,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for platform in PLATFORMS:
        facts = "facts.json" if platform == "microsoft" else "facts.toml"
        assert {f"pipelines/{platform}/catalog/{each}" for each in ("generate.py", facts)} <= names


def test_the_demo_runs_where_there_is_no_checkout(
    installed: Installed, demonstrated: subprocess.CompletedProcess[str]
) -> None:
    assert demonstrated.returncode == 0, demonstrated.stderr + demonstrated.stdout
    with duckdb.connect(str(installed.work / "demo" / "social_ads.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT DISTINCT platform FROM ads.campaign_daily ORDER BY 1").fetchall()
    assert [platform for (platform,) in found] == list(PLATFORMS)
    assert sorted(path.name for path in installed.pipelines().iterdir() if path.is_dir()) == list(PLATFORMS)


def test_what_is_there_is_used_again(installed: Installed) -> None:
    (installed.work / "demo.yml").write_text("platforms: [{name: google}, {name: linkedin}]\n")
    done = installed.supervisor("install", "--config", "demo.yml")
    assert sorted(done.stdout.splitlines()) == [
        "google: the environment is up to date",
        "linkedin: the environment is up to date",
    ]


def test_an_upgrade_of_a_pipeline_installs_its_code_and_nothing_else(installed: Installed) -> None:
    (installed.work / "one.yml").write_text("platforms: [{name: linkedin}]\n")
    (main,) = installed.environment.glob(
        "lib/*/site-packages/supervisor/environments/release/pipelines/linkedin/src/*/main.py"
    )
    main.write_text(main.read_text() + "\nUPGRADED = True\n")
    requests = next(installed.pipelines().glob("linkedin/lib/*/site-packages/requests/__init__.py"))
    before = requests.stat().st_ctime_ns
    forgotten = installed.supervisor("check", "--config", "one.yml")
    assert forgotten.returncode == 1
    assert f"its environment at {installed.pipelines()}/linkedin is of another release" in forgotten.stderr
    assert "run `supervisor install --only linkedin`" in forgotten.stderr
    done = installed.supervisor("install", "--config", "one.yml")
    assert done.returncode == 0 and "linkedin: the environment was built in" in done.stdout, done.stderr
    (copied,) = installed.pipelines().glob("linkedin/lib/*/site-packages/linkedin_pipeline/main.py")
    assert "UPGRADED" in copied.read_text()
    assert requests.stat().st_ctime_ns == before


def test_an_environment_that_was_left_half_built_is_built_anew(installed: Installed) -> None:
    (installed.work / "one.yml").write_text("platforms: [{name: linkedin}]\n")
    environment = installed.pipelines() / "linkedin"
    (environment / ".complete").unlink()
    shutil.rmtree(next(environment.glob("lib/*/site-packages/requests")))
    assert installed.supervisor("install", "--config", "one.yml", umask=0o077).returncode == 0
    assert list(environment.glob("lib/*/site-packages/requests/__init__.py"))
    # Whoever runs it may be somebody else.
    assert environment.stat().st_mode & 0o777 == 0o755
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in environment.rglob("*"))
