"""Installed by other tools, and what goes wrong meanwhile: one sentence, exit code 1, and the second try works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import duckdb
import pytest

if TYPE_CHECKING:
    from conftest import Installed

ROOT = Path(__file__).resolve().parents[2]
PIPX = ROOT / ".venvs" / "pipx" / "bin" / "pipx"
UV = Path(sys.executable).with_name("uv")


class Index(ThreadingHTTPServer):
    """A package index on 127.0.0.1 made of the files in a directory. It gives out `left` more files, then it hangs up."""

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.directory = directory
        self.left = sys.maxsize

    def variables(self) -> dict[str, str]:
        """What makes pip ask here and nowhere else."""
        nowhere = dict.fromkeys(("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"), "")
        return nowhere | {
            "PIP_INDEX_URL": f"http://127.0.0.1:{self.server_port}/simple", "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1",
        }  # fmt: skip


class Answer(BaseHTTPRequestHandler):
    protocol_version: ClassVar[str] = "HTTP/1.1"
    server: Index

    def do_GET(self) -> None:
        _, kind, name, *_ = self.path.split("/")
        if kind == "simple":
            found = [f.name for f in self.server.directory.iterdir() if _project(f.name) == name]
            self._give("text/html", "".join(f'<a href="/file/{each}">{each}</a>' for each in found).encode())
        elif self.server.left > 0:
            self.server.left -= 1
            self._give("application/octet-stream", (self.server.directory / name).read_bytes())
        else:
            self.close_connection = True

    def _give(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _project(file: str) -> str:
    return file.partition("-")[0].replace("_", "-").lower()


@pytest.fixture(scope="module")
def index(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """With what LinkedIn's pipeline is made of."""
    directory = tmp_path_factory.mktemp("index")
    subprocess.run(
        [installed.environment / "bin" / "pip", "download", "--quiet", "--require-hashes", "--dest", directory,
         "--requirement", ROOT / "pipelines" / "linkedin" / "requirements.txt"], check=True,
    )  # fmt: skip
    with Index(directory) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def config(installed: Installed) -> str:
    """A configuration with LinkedIn alone, which anybody may read."""
    path = installed.environment.parent / "linkedin.yml"
    path.write_text("platforms: [{name: linkedin}]\n")
    return str(path)


def test_an_index_that_stops_answering_is_named_and_two_second_tries_build_it_once(
    installed: Installed, demonstrated: object, index: Index, config: str
) -> None:
    environment = installed.pipelines() / "linkedin"
    shutil.rmtree(environment)
    index.left = 3
    done = installed.supervisor("install", "--config", config, **index.variables())
    assert (done.returncode, done.stderr) == (
        1,
        "error: platform 'linkedin': its environment could not be built: the package index cannot be reached, or "
        "stopped answering; install again when it can\n",
    )
    assert index.left == 0, "it died in the middle"
    assert not environment.exists()
    refused = installed.supervisor("check", "--config", config)
    assert refused.returncode == 1
    assert f"has no environment at {environment}; run `supervisor install --only linkedin`" in refused.stderr
    index.left = sys.maxsize
    program = str(installed.environment / "bin" / "supervisor")
    kept = {**os.environ, **index.variables()}
    both = [
        subprocess.Popen([program, "install", "--config", config], env=kept, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = "".join(process.communicate(timeout=300)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said.count("the environment was built in ") == 1, said


@pytest.mark.usefixtures("demonstrated")
def test_whoever_may_not_write_there_is_told_so(installed: Installed, config: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    for path in installed.pipelines().glob("linkedin/.complete"):
        stamp = path.read_text()
        path.write_text("of another\nrelease\n")
        try:
            done = subprocess.run(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                 installed.environment / "bin" / "supervisor", "install", "--config", config],
                capture_output=True, text=True, cwd="/", env={"HOME": "/nonexistent"},
            )  # fmt: skip
        finally:
            path.write_text(stamp)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: platform 'linkedin': its environment could not be built: [Errno 13] Permission denied: "
        f"'{installed.pipelines()}/.linkedin.lock'\n"
    )


FULL = """
mount -t tmpfs -o size=6m tmpfs {pipelines}
{install} || echo "exit $?" >&2
ls -d {pipelines}/* >&2
mount -o remount,size=500m {pipelines}
mount -t tmpfs -o ro tmpfs {home}
HOME={home} {install}
"""


@pytest.mark.usefixtures("demonstrated")
def test_a_disk_that_is_full_is_named_and_left_as_it_was_and_a_home_is_not_written_to(
    installed: Installed, index: Index, config: str, tmp_path: Path
) -> None:
    _needs_mounts()
    install = f"{installed.environment}/bin/supervisor install --config {config}"
    script = FULL.format(pipelines=installed.pipelines(), install=install, home=tmp_path)
    done = subprocess.run(
        ["unshare", "--mount", "/bin/sh", "-c", script], capture_output=True, text=True,
        env={**os.environ, **index.variables()},
    )  # fmt: skip
    begin, exit_code, *left = done.stderr.splitlines()
    assert begin.startswith(
        "error: platform 'linkedin': its environment could not be built: "
        f"the disk of {installed.pipelines()} is full, or that of "
    )
    assert exit_code == "exit 1"
    assert left == [f"ls: cannot access '{installed.pipelines()}/*': No such file or directory"]
    assert done.returncode == 0
    assert "linkedin: the environment was built in" in done.stdout.splitlines()[-1]


def test_a_python_that_cannot_build_environments_is_told_what_to_install(installed: Installed, tmp_path: Path) -> None:
    _needs_mounts()
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    python = (installed.environment / "bin" / "python").resolve()
    ensurepip = subprocess.run(
        [python, "-c", "import ensurepip; print(ensurepip.__path__[0])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    make = f"make PYTHON={python} .venv/bin/pip"
    script = f"mount -t tmpfs tmpfs {ensurepip}; {make}; echo exit $?; umount {ensurepip}; {make}"
    done = subprocess.run(
        ["unshare", "--mount", "/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, env=_by_hand()
    )
    first, second = done.stdout.split("exit 2\n")
    assert first.endswith("Debian and Ubuntu: apt install python3-venv, then make again\n")
    assert (done.returncode, second) == (0, f"Building .venv with {python}\n")


def test_an_old_python_is_refused(wheel: Path, installed: Installed, tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    made = subprocess.run(
        ["make", "--file", ROOT / "Makefile", f"PYTHON={old}", ".venv/bin/pip"],
        cwd=tmp_path, capture_output=True, text=True, env=_by_hand(),
    )  # fmt: skip
    assert made.returncode == 2
    assert made.stdout.startswith(f"Python 3.11 or newer is needed, and {old} is not; make PYTHON=")
    pip = subprocess.run(
        [installed.environment / "bin" / "pip", "download", "--no-deps", "--python-version=3.10", "--only-binary=:all:",
         "--dest", tmp_path, wheel], capture_output=True, text=True,
    )  # fmt: skip
    assert pip.returncode == 1
    assert "requires a different Python: 3.10.0 not in '>=3.11'" in pip.stderr


@pytest.mark.parametrize("tool", ["uv", "pipx"])
def test_other_tools_install_it_and_it_runs(
    tool: str, wheel: Path, index: Index, config: str, sandbox: dict[str, str], tmp_path: Path
) -> None:
    place = {"UV_TOOL_DIR": tmp_path / "tools", "UV_TOOL_BIN_DIR": tmp_path / "bin", "PIPX_HOME": tmp_path / "tools",
             "PIPX_BIN_DIR": tmp_path / "bin", "PIPX_DEFAULT_PYTHON": sys.executable}  # fmt: skip
    # No new version of somebody else's is to fail this test.
    locks = (ROOT / "requirements.txt", ROOT / "tests" / "third_party" / "pipx.txt")
    locked = [each for lock in locks for each in re.findall(r"(?m)^(\S+==[^\s;]+)", lock.read_text())]
    (tmp_path / "constraints.txt").write_text("\n".join(locked))
    constraints = dict.fromkeys(("UV_CONSTRAINT", "PIP_CONSTRAINT"), str(tmp_path / "constraints.txt"))
    environment = {**os.environ, **{name: str(path) for name, path in place.items()}}
    command = {"uv": [UV, "tool", "install", "--python", sys.executable], "pipx": [PIPX, "install"]}[tool]
    tool_said = subprocess.run([*command, wheel], capture_output=True, text=True, env=environment | constraints)
    assert tool_said.returncode == 0, tool_said.stderr
    supervisor = tmp_path / "bin" / "supervisor"
    built = subprocess.run(
        [supervisor, "install", "--config", config], capture_output=True, text=True, env=environment | index.variables()
    )
    assert built.returncode == 0, built.stderr
    ran = subprocess.run(
        [supervisor, "run", "--config", config], cwd=tmp_path, capture_output=True, text=True, env=environment | sandbox
    )
    assert ran.returncode == 0, ran.stderr
    with duckdb.connect(str(tmp_path / "social_ads.duckdb"), read_only=True) as connection:
        (found,) = connection.execute("SELECT count(*) FROM linkedin.campaign_daily").fetchall()
    assert found[0] > 0


def _by_hand() -> dict[str, str]:
    """The variables of somebody who types `make`; a make that runs these tests would be heard in what it prints."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def _needs_mounts() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    if subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode:
        pytest.skip("this machine gives no mount namespaces")
