"""A platform's name leads to a command, a directory and an environment, or to a sentence about what is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from supervisor.config.errors import ConfigError
from supervisor.config.schema import OrchestratorConfig, PlatformConfig
from supervisor.run.registry import Launch, PlatformRegistry, create_default_registry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A house with one installed pipeline and one that is not."""
    for name in ("google", "tiktok"):
        (tmp_path / "pipelines" / name).mkdir(parents=True)
        (tmp_path / "pipelines" / name / "setup.cfg").write_text("[metadata]\n")
    program = tmp_path / ".venvs" / "google" / "bin" / "pipeline-google"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


def configured(directory: Path, *platforms: PlatformConfig) -> OrchestratorConfig:
    return OrchestratorConfig(platforms=platforms, directory=directory)


def test_the_four_platforms_are_registered_from_the_start() -> None:
    assert {"google", "microsoft", "facebook", "linkedin"} <= set(create_default_registry().list_platforms())


def test_a_directory_under_pipelines_is_enough_to_be_known(root: Path) -> None:
    assert create_default_registry(root).list_platforms() == ["facebook", "google", "linkedin", "microsoft", "tiktok"]


def test_an_installed_pipeline_runs_from_its_own_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_REFRESH_TOKEN", "mine")
    monkeypatch.setenv("FACEBOOK_ACCESS_TOKEN", "not google's")
    pipeline = create_default_registry(root).get_pipeline("google")
    assert pipeline.command == (str(root / ".venvs/google/bin/pipeline-google"),)
    assert pipeline.directory == Path.cwd()
    assert pipeline.environment["GOOGLE_REFRESH_TOKEN"] == "mine"
    assert "FACEBOOK_ACCESS_TOKEN" not in pipeline.environment
    assert "mine" not in repr(pipeline)


def test_a_pipeline_without_environment_names_the_command_that_builds_it(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        create_default_registry(root).get_pipeline("tiktok")
    assert str(caught.value) == (
        f"platform 'tiktok' has no environment at {root}/.venvs/tiktok; run `supervisor install --only tiktok`"
    )


def test_an_unknown_pipeline_is_answered_with_the_known_ones(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"platform 'snap' has no pipeline: .* known are facebook, google, linked"):
        create_default_registry(root).get_pipeline("snap")


def test_a_registered_command_is_launched_as_it_is() -> None:
    registry = create_default_registry()
    registry.register("mine", [sys.executable, "tap.py"])
    assert "mine" in registry.list_platforms()
    assert registry.get_pipeline("mine").command == (sys.executable, "tap.py")


def test_a_registered_launch_brings_its_directory_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "t")
    registry = create_default_registry()
    registry.register("mine", Launch(command=("sh",), directory=tmp_path, pass_environment=("MY_TOKEN",)))
    pipeline = registry.get_pipeline("mine")
    assert pipeline.directory == tmp_path
    assert pipeline.environment["MY_TOKEN"] == "t"


def test_a_registered_command_goes_before_a_directory(root: Path) -> None:
    registry = create_default_registry(root)
    registry.register("google", ["sh"])
    assert registry.get_pipeline("google").command == ("sh",)


def test_a_configured_command_runs_beside_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "t")
    tap = tmp_path / "tap.sh"
    tap.write_text("#!/bin/sh\n")
    tap.chmod(0o755)
    mine = PlatformConfig(name="mine", command=("./tap.sh", "-v"), pass_environment=("MY_TOKEN",))
    base = create_default_registry()
    pipeline = base.with_configured(configured(tmp_path, mine)).get_pipeline("mine")
    assert (pipeline.command, pipeline.directory) == (("./tap.sh", "-v"), tmp_path)
    assert pipeline.environment["MY_TOKEN"] == "t"
    assert "mine" not in base.list_platforms()


def test_pass_environment_also_counts_for_installed_pipelines(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "t")
    config = configured(root, PlatformConfig(name="google", pass_environment=("MY_TOKEN",)))
    assert PlatformRegistry().with_configured(config).get_pipeline("google").environment["MY_TOKEN"] == "t"


def test_pipelines_beside_the_configuration_go_before_those_beside_the_supervisor(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    registry = create_default_registry(root).with_configured(configured(other))
    assert registry.root_of("google") == root
    (other / "pipelines" / "google").mkdir(parents=True)
    assert registry.root_of("google") == other


@pytest.mark.parametrize("program", ["no-such-program", "./tap.sh", "/no/such/file"])
def test_a_program_that_is_not_there_is_found_out_before_anything_starts(tmp_path: Path, program: str) -> None:
    (tmp_path / "tap.sh").write_text("not executable")
    config = configured(tmp_path, PlatformConfig(name="mine", command=(program,)))
    with pytest.raises(ConfigError) as caught:
        PlatformRegistry().with_configured(config).get_pipeline("mine")
    assert str(caught.value) == (
        f"platform 'mine': the program {program!r} of its command is not found or not executable"
    )


def test_a_token_provider_adds_variables_of_which_each_platform_sees_its_own(root: Path) -> None:
    tokens = {"GOOGLE_REFRESH_TOKEN": "fresh", "LINKEDIN_ACCESS_TOKEN": "hidden"}
    environment = create_default_registry(root).get_pipeline("google", tokens).environment
    assert environment["GOOGLE_REFRESH_TOKEN"] == "fresh"
    assert "LINKEDIN_ACCESS_TOKEN" not in environment
    assert "PATH" in environment


def test_a_token_provider_can_be_asked_for_one_platform(root: Path) -> None:
    pipeline = create_default_registry(root).get_pipeline("google", lambda name: {"TOKEN": f"for {name}"})
    assert pipeline.environment["TOKEN"] == "for google"


def test_the_sink_travels_with_the_pipeline(root: Path) -> None:
    sink = object()
    assert create_default_registry(root).get_pipeline("google", None, sink).data_sink is sink
