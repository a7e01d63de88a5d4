"""The examples of docs/python.md run as they stand, and so do those that users were promised first."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import supervisor
from supervisor import ConfigError, SocialAdsOrchestrator, create_default_registry, load_orchestrator_config, open_sink

ROOT = Path(__file__).resolve().parents[1]
GOOD = "open('seen', 'a').write(os.environ.get('MY_TOKEN', '-')); schema(); row(id='1', n=1); state({'a': 1})"
NAMES = ("microsoft", "google", "linkedin", "facebook")

PROMISED = """
from pathlib import Path
from supervisor import (
    load_orchestrator_config,
    create_default_registry,
    SocialAdsOrchestrator
)

# Load config
config = load_orchestrator_config(Path("orchestrator_config.yml"))
microsoft_config = config.get_platform("microsoft")
print(f"Timeout: {microsoft_config.timeout}s")

# Setup token provider and data sink
token_provider = setup_token_provider()
data_sink = setup_data_sink()

# Create orchestrator
registry = create_default_registry()
platforms = registry.list_platforms()
print(f"Registered: {platforms}")
pipeline = registry.with_configured(config).get_pipeline("linkedin", token_provider, data_sink)
orchestrator = SocialAdsOrchestrator(
    config=config,
    registry=registry,
    token_provider=token_provider,
    data_sink=data_sink
)

# Run all platforms
result = orchestrator.run_all_platforms()

if result.success:
    print(f"Processed {result.total_rows_processed:,} rows")
else:
    print(f"Failed platforms: {result.failed_platforms}")

# Export report
orchestrator.export_report("json", Path("report.json"))
success = orchestrator.run_platform("linkedin")
"""


@pytest.fixture
def four(house: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in NAMES:
        house.tap(name, GOOD, pass_environment=["MY_TOKEN"])
    house.write()
    monkeypatch.chdir(house.directory)
    monkeypatch.setenv("TMPDIR", str(house.directory / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(house.directory / "tmp"))
    return house


def test_the_examples_that_were_promised(four: Any, capsys: pytest.CaptureFixture[str]) -> None:
    sinks = []

    def setup_data_sink() -> Any:
        sinks.append(open_sink({"STORAGE_TYPE": "duckdb", "DUCKDB_PATH": "x.duckdb", "DUCKDB_SNAPSHOT": "false"}))
        return sinks[0]

    names: dict[str, Any] = {"setup_token_provider": lambda: {"MY_TOKEN": "abc"}, "setup_data_sink": setup_data_sink}
    exec(compile(PROMISED, "SEED.md", "exec"), names)
    sinks[0].close()
    assert names["success"] is True and names["pipeline"].environment["MY_TOKEN"] == "abc"
    assert "Timeout: 30s" in (said := capsys.readouterr().out) and "Processed 4 rows" in said
    assert (four.directory / "seen").read_text() == "abc" * 5


def test_the_examples_of_the_page(four: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.run.orchestrate.stop_on_signals", lambda *_: None)  # they are pytest's
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.S)
    assert len(blocks) == 7
    names: dict[str, Any] = {"vault": SimpleNamespace(read=lambda path: {"MY_TOKEN": path})}
    with pytest.raises(SystemExit) as end:
        exec(compile(blocks[0], "docs/python.md", "exec"), names)
    assert end.value.code == 0 and (four.directory / "execution_report.json").exists()
    for block in blocks[1:]:
        exec(compile(block, "docs/python.md", "exec"), names)
    assert names["can_run"] is True and names["record"].summary.total_platforms == 4
    names["orchestrator"].run_platform("google")
    assert (four.directory / "seen").read_text().endswith("ads/google")


def test_what_does_not_fit_is_refused_with_a_sentence(four: Any) -> None:
    config = load_orchestrator_config(four.directory / "orchestrator_config.yml")
    with pytest.raises(ConfigError, match=r"data_sink is a object and lacks session, put_state.*supervisor.open_sink"):
        SocialAdsOrchestrator(config=config, data_sink=object())  # type: ignore[arg-type]
    registry = create_default_registry().with_configured(config)
    for tokens, says in (
        (7, "token_provider is a int; it must be a mapping"),
        (lambda name: None, "platform 'google': token_provider gave a NoneType and not a mapping"),
        ({"MY_TOKEN": 7}, "platform 'google': token_provider gave no text for the variable 'MY_TOKEN'"),
    ):
        with pytest.raises(ConfigError, match=says):
            registry.get_pipeline("google", tokens)  # type: ignore[arg-type]


def test_the_page_names_everything_that_is_exported() -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    named = {name for name in supervisor.__all__ if name in page}
    assert set(supervisor.__all__) - named <= {
        "InstallError", "OrchestratorConfig", "PlatformConfig", "PlatformRegistry", "ReportError", "RetryConfig",
        "SupervisorError",
    }  # fmt: skip
