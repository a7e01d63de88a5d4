"""One installation of the wheel, where there is no checkout, for all tests of deployment."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3.11" if Path("/usr/bin/python3.11").exists() else sys.executable
"""The system's own, which services can see, before one in somebody's home."""


class Installed:
    """An environment with the wheel in it, and an empty directory to work in."""

    def __init__(self, environment: Path, work: Path, wheel: Path) -> None:
        self.environment = environment
        self.work = work
        subprocess.run([PYTHON, "-m", "venv", self.environment], check=True)
        self.pip("install", "--require-hashes", "-r", str(ROOT / "requirements.txt"))
        self.pip("install", "--no-deps", str(wheel))

    def pip(self, *arguments: str) -> None:
        subprocess.run([self.environment / "bin" / "pip", "-q", *arguments], check=True, cwd=self.work)

    def supervisor(self, *arguments: str, timeout: float = 540, umask: int = -1) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        return subprocess.run(
            [self.environment / "bin" / "supervisor", *arguments],
            cwd=self.work, env=kept, capture_output=True, text=True, timeout=timeout, umask=umask,
        )  # fmt: skip

    def pipelines(self) -> Path:
        return self.environment / "pipelines"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source archive, as `python -m build` does, from the files that git knows."""
    directory = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (directory / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, directory / "tree" / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", directory / "dist", directory / "tree"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    (found,) = (directory / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """As docs/deploying.md installs it. Root installs outside of /tmp and of homes, which services do not see."""
    work = tmp_path_factory.mktemp("work")
    place = Path(tempfile.mkdtemp(prefix="social-ads-test-", dir="/srv")) if os.geteuid() == 0 else work
    place.chmod(0o755)
    yield Installed(place / "environment", work, wheel)
    if place != work:
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def sandbox(installed: Installed) -> Iterator[dict[str, str]]:
    """The four platforms on 127.0.0.1, as somebody in another terminal serves them; the variables it prints."""
    printed = installed.work / "sandbox.env"
    with printed.open("w") as file:
        process = subprocess.Popen(
            [installed.environment / "bin" / "supervisor", "sandbox", "--size", "tiny"], cwd=installed.work, stdout=file
        )
    deadline, before = time.monotonic() + 60, ""
    while "_API_URL" not in before or printed.read_text() != before:
        assert process.poll() is None and time.monotonic() < deadline, "the sandbox serves"
        before = printed.read_text()
        time.sleep(0.5)
    variables = dict(word.split("=", 1) for word in shlex.split(before))
    yield variables
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture(scope="session")
def secrets(sandbox: dict[str, str]) -> dict[str, str]:
    """Which of them are kept as files, by name, with what is in each; files that they name are such secrets whole."""
    kept = {name: value for name, value in sandbox.items() if name.endswith(("_SECRET", "_TOKEN"))}
    for name in ("GOOGLE_CONFIG_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"):
        kept[name] = Path(sandbox[name]).read_text()
    return kept


@pytest.fixture(scope="session")
def plain(sandbox: dict[str, str], secrets: dict[str, str]) -> dict[str, str]:
    """The others."""
    return {name: value for name, value in sandbox.items() if name not in secrets and name != "MICROSOFT_TOKEN_STORE"}
