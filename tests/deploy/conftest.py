"""One installation of the wheel, where there is no checkout, for all tests of deployment."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3.11" if Path("/usr/bin/python3.11").exists() else sys.executable
"""The system's own, which services can see, before one in somebody's home."""


def documented(heading: str, page: str = "deploying.md") -> list[str]:
    """The commands under a heading of a page of docs/, one a line, without their comments."""
    sections = re.split(r"(?m)^## ", (ROOT / "docs" / page).read_text())
    (section,) = (section for section in sections if section.startswith(f"{heading}\n"))
    blocks = "\n".join(re.findall(r"(?ms)^```bash\n(.*?)^```", section)).replace("\\\n", " ")
    lines = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in blocks.splitlines())
    return [re.sub(r"\s+", " ", line) for line in lines if line]


@pytest.fixture(scope="session")
def on_the_page() -> Callable[..., list[str]]:
    """`documented`, for the tests."""
    return documented


class Installed:
    """An environment with the wheel in it, and an empty directory to work in."""

    def __init__(self, environment: Path, work: Path, dist: Path) -> None:
        self.environment = environment
        self.work = work
        for line in documented("A VM")[:3]:
            here = line.replace("/opt/social-ads", str(environment)).replace("dist/", f"{dist}/")
            here = re.sub("^python3 ", f"{PYTHON} ", here)
            subprocess.run(f"{here} >/dev/null", shell=True, check=True, cwd=work)

    def supervisor(
        self, *arguments: str, timeout: float = 540, umask: int = -1, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.environment / "bin" / "supervisor", *arguments],
            cwd=self.work, env=clean(**variables), capture_output=True, text=True, timeout=timeout, umask=umask,
        )  # fmt: skip

    def pipelines(self) -> Path:
        return self.environment / "pipelines"


def clean(**variables: str) -> dict[str, str]:
    """This process's variables without those of its Python, and some more."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))} | variables


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
    shutil.copyfile(ROOT / "requirements.txt", directory / "dist" / "requirements.txt")
    (found,) = (directory / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """As docs/deploying.md installs it. Root installs outside of /tmp and of homes, which services do not see."""
    work = tmp_path_factory.mktemp("work")
    place = Path(tempfile.mkdtemp(prefix="social-ads-test-", dir="/srv")) if os.geteuid() == 0 else work
    place.chmod(0o755)
    yield Installed(place / "environment", work, wheel.parent)
    if place != work:
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def demonstrated(installed: Installed) -> subprocess.CompletedProcess[str]:
    """The demo has built all four environments and run; what it said."""
    return installed.supervisor("demo", "--size", "tiny")


@pytest.fixture(scope="session")
def sandbox(installed: Installed, demonstrated: subprocess.CompletedProcess[str]) -> Iterator[dict[str, str]]:
    """The four platforms on 127.0.0.1, as somebody in another terminal serves them; the variables it prints."""
    printed = installed.work / "sandbox.env"
    with printed.open("w") as file:
        process = subprocess.Popen(
            [installed.environment / "bin" / "supervisor", "sandbox", "--size", "tiny"], cwd=installed.work, stdout=file
        )
    deadline, before = time.monotonic() + 300, ""
    while "_API_URL" not in before or printed.read_text() != before:
        assert process.poll() is None and time.monotonic() < deadline, demonstrated.stderr + printed.read_text()
        before = printed.read_text()
        time.sleep(0.5)
    variables = dict(word.split("=", 1) for word in shlex.split(before))
    yield variables
    process.terminate()
    assert process.wait(60) == 0


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
