"""Every Python example that users were promised works with `from supervisor import ...`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import supervisor
from supervisor.sinks.duckdb.sink import DuckDBSink

ROOT = Path(__file__).resolve().parents[1]
GOOD = "schema(); row(id='1', n=1); state({'a': 1})"


def test_all_names_are_there() -> None:
    assert all(getattr(supervisor, name) for name in supervisor.__all__)


def test_importing_the_package_is_cheap() -> None:
    probe = "import sys, supervisor; print(sorted({'duckdb', 'yaml', 'cattrs', 'psutil'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_configuration_example(tmp_path: Path) -> None:
    from supervisor import load_orchestrator_config

    (tmp_path / "orchestrator_config.yml").write_text("platforms: [{name: microsoft, timeout: 1800}]")
    config = load_orchestrator_config(tmp_path / "orchestrator_config.yml")
    assert config.get_platform("microsoft").timeout == 1800


def test_registry_example() -> None:
    from supervisor import create_default_registry

    registry = create_default_registry()
    assert {"google", "microsoft", "facebook", "linkedin"} <= set(registry.list_platforms())
    token_provider, data_sink = {"LINKEDIN_ACCESS_TOKEN": "token"}, object()
    pipeline = registry.get_pipeline("linkedin", token_provider, data_sink)
    assert pipeline.environment["LINKEDIN_ACCESS_TOKEN"] == "token"


def test_scheduler_example(tmp_path: Path) -> None:
    from supervisor import PlatformConfig, PlatformScheduler

    platforms = [PlatformConfig(name="linkedin", dependencies=("microsoft",)), PlatformConfig(name="microsoft")]
    scheduler = PlatformScheduler()
    groups = scheduler.schedule_platforms(platforms)
    assert [[platform.name for platform in group] for group in groups] == [["microsoft"], ["linkedin"]]
    assert not scheduler.can_execute("linkedin", set())
    assert scheduler.can_execute("linkedin", {"microsoft"})


def test_monitor_example(tmp_path: Path) -> None:
    from supervisor import ExecutionMonitor

    monitor = ExecutionMonitor()
    monitor.start_platform("linkedin")
    monitor.complete_platform("linkedin", rows_processed=5000)
    summary = monitor.get_summary()
    assert summary.success_rate == 100
    monitor.export_report("json", tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["total_rows_processed"] == 5000


def test_orchestrator_example(house: Any, tmp_path: Path) -> None:
    from supervisor import SocialAdsOrchestrator, create_default_registry, load_orchestrator_config

    house.tap("mine", "open('token', 'w').write(os.environ['MY_TOKEN'])\n" + GOOD, pass_environment=["MY_TOKEN"])
    house.tap("broken", "sys.exit(1)")
    sink = DuckDBSink(tmp_path / "social_ads.duckdb")
    orchestrator = SocialAdsOrchestrator(
        config=load_orchestrator_config(house.write()),
        registry=create_default_registry(),
        token_provider={"MY_TOKEN": "abc"},
        data_sink=sink,
    )
    result = orchestrator.run_all_platforms()
    assert not result.success
    assert result.total_rows_processed == 1
    assert list(result.failed_platforms) == ["broken"]
    assert (tmp_path / "token").read_text() == "abc"
    orchestrator.export_report("json", Path(tmp_path / "report.json"))
    assert orchestrator.run_platform("mine")
    sink.close()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'supervisor' has no attribute 'Orchestra'"):
        supervisor.Orchestra  # noqa: B018 - reading it is the test


def test_a_checkout_on_the_path_is_enough(tmp_path: Path) -> None:
    """As in a container: `COPY . /app`, `pip install -r requirements.txt`, `PYTHONPATH=/app`."""
    libraries = Path(duckdb.__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "supervisor", "plan", "--config", ROOT / "orchestrator_config.yml"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{libraries}"},
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, "linkedin" in done.stdout) == (0, True), done.stderr
