"""Environments are built once, again when their inputs change, and never left half built. No network is needed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from supervisor.config.errors import ConfigError, InstallError
from supervisor.environments.fingerprint import STAMP, is_current
from supervisor.environments.install import install
from supervisor.environments.places import environment_of, known_environments

BACKEND = '''
"""A build backend of its own, so that nothing needs to be downloaded."""
import pathlib, zipfile
NAME = "@NAME@"
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = f"{NAME}-1.0-py3-none-any.whl"
    info = f"{NAME}-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as wheel:
        wheel.writestr(f"{NAME}.pth", str(pathlib.Path.cwd()))
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        if NAME != "wire":
            wheel.writestr(f"{info}/entry_points.txt", f"[console_scripts]\\npipeline-{NAME} = {NAME}_code:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
def build_wheel(*arguments):
    raise NotImplementedError
'''


def make_package(directory: Path, name: str) -> None:
    directory.mkdir(parents=True)
    (directory / "backend.py").write_text(BACKEND.replace("@NAME@", name))
    (directory / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (directory / f"{name}_code.py").write_text("def main():\n    print('hello')\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A house with two tiny pipelines."""
    make_package(tmp_path / "wire", "wire")
    for name in ("tiny", "small"):
        make_package(tmp_path / "pipelines" / name, name)
        (tmp_path / "pipelines" / name / "requirements.txt").write_text("")
    return tmp_path


def said(root: Path, *names: str) -> list[str]:
    lines: list[str] = []
    install(root, names, on_line=lines.append)
    return lines


def test_all_environments_are_built_and_then_reused(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert known_environments(root) == ["small", "tiny"]
    assert not is_current(root, "tiny")
    begun = time.monotonic()
    said(root)
    building = time.monotonic() - begun
    for name in ("tiny", "small"):
        assert is_current(root, name)
        program = environment_of(root, name) / "bin" / f"pipeline-{name}"
        assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "hello\n"
    begun = time.monotonic()
    assert sorted(said(root)) == ["small: the environment is up to date", "tiny: the environment is up to date"]
    assert time.monotonic() - begun < building / 4
    moved = root.rename(tmp_path_factory.mktemp("other") / "house")
    assert not is_current(moved, "tiny"), "the scripts of an environment hold its old path"
    moved.rename(root)


def test_a_half_built_environment_is_built_anew_and_a_change_makes_it_stale(root: Path) -> None:
    leftover = environment_of(root, "tiny") / "leftover"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("")
    (leftover.parent / STAMP).write_text("of other inputs")
    assert said(root, "tiny")[0] == f"tiny: building the environment in {environment_of(root, 'tiny')}"
    assert not leftover.exists()
    assert is_current(root, "tiny")
    assert not environment_of(root, "small").exists()
    for changed in ("pipelines/tiny/requirements.txt", "pipelines/tiny/setup.cfg", "wire/setup.cfg"):
        file = root / changed
        before = file.read_text() if file.exists() else ""
        file.write_text("# changed\n")
        assert not is_current(root, "tiny")
        file.write_text(before)
        assert is_current(root, "tiny")


def test_what_pip_said_is_told_when_it_fails_and_the_others_are_built(root: Path) -> None:
    (root / "pipelines" / "tiny" / "requirements.txt").write_text("./nowhere.whl --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(InstallError) as caught:
        install(root)
    sentence, *lines = str(caught.value).splitlines()
    assert sentence == "platform 'tiny': its environment could not be built: pip install ended with 1:"
    assert "nowhere.whl" in "\n".join(lines)
    assert not is_current(root, "tiny")
    assert is_current(root, "small")


def test_a_requirement_without_its_hash_is_refused(root: Path) -> None:
    (root / "pipelines" / "tiny" / "requirements.txt").write_text(f"{root}/pipelines/small\n")
    with pytest.raises(InstallError, match="verify hashes"):
        install(root, ["tiny"])


def test_two_installs_at_once_build_each_environment_once(root: Path) -> None:
    code = (
        "import sys, pathlib; from supervisor.environments.install import install; "
        "install(pathlib.Path(sys.argv[1]), ['tiny'], on_line=print)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    out = "".join(process.communicate(timeout=300)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert out.count("tiny: the environment was built in ") == 1
    assert is_current(root, "tiny")


def test_an_unknown_name_is_refused_before_anything_is_built(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        install(root, ["tiny", "snap", "../wire"])
    assert caught.value.findings == (
        f"platform 'snap' has no {root}/pipelines/snap/requirements.txt; known are small, tiny",
        f"platform '../wire' has no {root}/pipelines/../wire/requirements.txt; known are small, tiny",
    )
    assert not (root / ".venvs").exists()


def test_a_house_without_pipelines_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no pipelines under"):
        install(tmp_path)
