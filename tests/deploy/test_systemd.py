"""The units under a real systemd, which is process 1 of namespaces over a throw-away copy of this machine's root."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from supervisor.config.shards import PLACE

if TYPE_CHECKING:
    from conftest import Installed

HERE = Path(__file__).resolve().parent
UNITS = HERE.parents[1] / "deploy" / "systemd"
STATE = "/var/lib/social-ads"
READERS_COPY = "/var/lib/social-ads-published/social_ads.duckdb"
PROBE = """
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mount -t proc proc /mnt/root/proc
for group in /sys/fs/cgroup/systemd /sys/fs/cgroup; do
  [ -e $group/cgroup.procs ] || continue
  mkdir $group/social-ads-probe-$$; rmdir $group/social-ads-probe-$$; exit 0
done
echo there are no cgroups >&2; exit 1
"""
"""What boot-systemd needs of a machine."""

HOG = "import time\ntaken = []\nwhile True:\n    taken.append(bytearray(50_000_000))\n    time.sleep(0.05)\n"
WAITS = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
time.sleep(300)
"""


def _cannot_boot() -> str | None:
    if os.geteuid() != 0:
        return "only root can boot a systemd"
    if not Path("/lib/systemd/systemd").exists():
        return "there is no systemd to boot"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--cgroup", "/bin/sh", "-euc", PROBE],
                           capture_output=True, text=True)  # fmt: skip
    return f"no systemd can be booted here: {tried.stderr.strip()}" if tried.returncode else None


boots = pytest.mark.skipif(_cannot_boot() is not None, reason=str(_cannot_boot()))


class Machine:
    """A booted systemd, and what somebody types at its root shell."""

    def __init__(self, pid: int) -> None:
        self._enter = ("nsenter", "-t", str(pid), "-a")

    def shell(self, script: str, *, check: bool = True, typed: str = "") -> str:
        done = subprocess.run(
            [*self._enter, "/bin/sh", "-euc", script], input=typed, capture_output=True, text=True, timeout=600
        )  # fmt: skip
        assert done.returncode == 0 or not check, done.stderr + done.stdout
        return done.stdout

    def write(self, path: str, content: str, mode: str = "0644") -> None:
        script = f"mkdir -p {Path(path).parent}; cat >{path}; chmod {mode} {path}"
        subprocess.run([*self._enter, "/bin/sh", "-euc", script], input=content, text=True, check=True)

    def starts(self, unit: str = "social-ads.service") -> dict[str, str]:
        """Start it and wait for its end; what systemd makes of that."""
        self.shell(f"systemctl reset-failed; systemctl start {unit.removesuffix('.service')}", check=False)
        return self.made_of(unit)

    def made_of(self, unit: str = "social-ads.service") -> dict[str, str]:
        shown = self.shell(f"systemctl show {unit} -p ActiveState,Result,ExecMainStatus,MainPID,InvocationID")
        return dict(line.split("=", 1) for line in shown.splitlines())

    def journal(self, *options: str) -> str:
        return self.shell(f"journalctl --sync; journalctl -u 'social-ads*' -o cat {' '.join(options)}")

    def configured(self, *platforms: dict[str, object]) -> None:
        self.write("/etc/social-ads/orchestrator_config.yml", yaml.safe_dump({"platforms": list(platforms)}))

    def drop_in(self, text: str, unit: str = "social-ads.service") -> None:
        self.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.shell("systemctl daemon-reload")


@pytest.fixture(scope="module")
def booted(
    installed: Installed,
    secrets: dict[str, str],
    plain: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    on_the_page: Callable[[str], list[str]],
) -> Iterator[Machine]:
    """With the units installed as the documentation says, line by line, and the sandbox's credentials."""
    top = tmp_path_factory.mktemp("boot")
    started = subprocess.run([HERE / "boot-systemd", top], stderr=subprocess.PIPE, text=True, timeout=300)
    if started.returncode:
        pytest.skip(f"systemd does not boot here: {started.stderr.strip()[-500:]}")
    machine = Machine(int((top / "pid").read_text()))
    try:
        machine.shell(f"ln -s {installed.environment} /opt/social-ads")
        shutil.copytree(UNITS.parent, installed.environment.parent / "deploy")  # where the machine sees it
        page = on_the_page("A VM")
        to_begin_with = page[3 : next(at for at, line in enumerate(page) if line.startswith("systemctl start"))]
        shards = [line for line in on_the_page("Several machines") if line.startswith("install")]
        machine.shell("\n".join((f"cd {installed.environment.parent}", *shards, *to_begin_with)), typed="a token\n")
        assert machine.shell("cat /etc/social-ads/secrets/LINKEDIN_REFRESH_TOKEN") == "a token\n"
        assert machine.shell("stat -c %a /etc/social-ads/secrets/LINKEDIN_REFRESH_TOKEN") == "600\n"
        for name, content in secrets.items():
            machine.write(f"/etc/social-ads/secrets/{name}", content, "0600")
        machine.write("/etc/social-ads/environment", "".join(f"{name}={value}\n" for name, value in plain.items()))
        yield machine
    finally:
        os.kill(int((top / "outer").read_text()), signal.SIGKILL)


@pytest.fixture
def machine(booted: Machine) -> Iterator[Machine]:
    """The machine with the four platforms configured, and without what a test before this one changed."""
    booted.configured(*({"name": name} for name in ("google", "microsoft", "facebook", "linkedin")))
    yield booted
    booted.shell(
        "systemctl stop 'social-ads*'; systemctl disable -q social-ads.timer social-ads-shard@1-of-2.timer;"
        "rm -rf /etc/systemd/system/social-ads*.d /etc/social-ads/taken;"
        "systemctl daemon-reload; systemctl reset-failed"
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze to rate the units")
@pytest.mark.parametrize("unit", ["social-ads.service", "social-ads@google.service", "social-ads-shard@0-of-4.service"])
def test_the_service_is_hardened(unit: str, tmp_path: Path) -> None:
    template, at, _ = unit.partition("@")
    (tmp_path / unit).write_text((UNITS / f"{template}@.service" if at else UNITS / unit).read_text())
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=12", "--no-pager", tmp_path / unit],
        capture_output=True, text=True,
    )  # fmt: skip
    assert rated.returncode == 0, rated.stdout[-400:] + rated.stderr


def test_the_two_services_differ_in_the_platform_alone() -> None:
    every, one = ((UNITS / name).read_text().splitlines() for name in ("social-ads.service", "social-ads@.service"))
    different = [line.split("=")[0] for line in set(one) - set(every) if not line.startswith("#")]
    assert sorted(different) == ["Description", "ExecStart"]


def test_the_service_of_a_shard_differs_in_the_shard_its_files_and_its_tries() -> None:
    every, one = (
        (UNITS / name).read_text().splitlines() for name in ("social-ads.service", "social-ads-shard@.service")
    )
    different = {line.split("=")[0] for line in set(one) - set(every) if not line.startswith("#")}
    assert different == {
        "Description", "Environment", "ExecStart", "Restart", "RestartPreventExitStatus", "RestartSec",
        "StartLimitBurst", "StartLimitIntervalSec",
    }  # fmt: skip
    files = [line for line in set(one) - set(every) if line.startswith("Environment=")]
    assert files and all("%i" in line or PLACE in line for line in files)


@boots
def test_systemd_has_nothing_to_say_about_the_units(machine: Machine) -> None:
    verified = machine.shell(
        "systemd-analyze verify social-ads.service social-ads.timer social-ads@google.service "
        "social-ads-shard@0-of-4.service social-ads-shard@0-of-4.timer 2>&1 | grep social || true"
    )
    assert verified == ""


@boots
def test_the_timer_runs_all_platforms_and_readers_read_what_is_published(
    machine: Machine, on_the_page: Callable[[str], list[str]]
) -> None:
    machine.drop_in(
        "[Timer]\nOnCalendar=\nOnActiveSec=1\nAccuracySec=100ms\nRandomizedDelaySec=0\n", "social-ads.timer"
    )
    before = machine.made_of()["InvocationID"]
    machine.shell("systemctl enable --now social-ads.timer")
    _wait(lambda: machine.made_of()["InvocationID"] != before)
    _wait(lambda: machine.made_of()["ActiveState"] != "activating")
    assert machine.made_of()["Result"] == "success", machine.journal()
    count = (
        "import duckdb; print(duckdb.connect('%s', read_only=True).execute("
        "'SELECT count(DISTINCT platform) FROM ads.campaign_daily').fetchone()[0])"
    )
    reader = "setpriv --reuid=nobody --regid=nogroup --groups=social-ads-readers /opt/social-ads/bin/python -c"
    assert machine.shell(f'{reader} "{count % READERS_COPY}"').strip() == "4"
    for path in (f"{STATE}/social_ads.duckdb", "/etc/social-ads/secrets"):
        assert "refused" in machine.shell(f"{reader} \"open('{path}')\" 2>/dev/null || echo refused")
    machine.shell("mkdir -p /backup\n" + "\n".join(on_the_page("Backing up and restoring")))
    assert machine.shell(f"cmp /backup/social_ads-*.duckdb {READERS_COPY}") == ""
    nobody = reader.replace("--groups=social-ads-readers", "--clear-groups")
    assert "refused" in machine.shell(f"{nobody} \"open('{READERS_COPY}')\" 2>/dev/null || echo refused")


@boots
def test_one_platform_by_hand(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    machine.shell("systemctl start social-ads@google")
    with capsys.disabled():
        print(f"\n`systemctl start` until one platform is loaded: {time.monotonic() - begun:.1f} s")
    made = machine.made_of("social-ads@google.service")
    assert (made["Result"], made["ExecMainStatus"]) == ("success", "0"), machine.journal()


@boots
def test_a_shard_by_hand_belongs_to_the_group_of_its_date(machine: Machine) -> None:
    machine.shell("systemctl enable --now social-ads-shard@1-of-2.timer; systemctl start social-ads-shard@1-of-2")
    assert "social-ads-shard@1-of-2.timer" in machine.shell("systemctl list-timers")
    made = machine.made_of("social-ads-shard@1-of-2.service")
    assert (made["Result"], made["ExecMainStatus"]) == ("success", "0"), machine.journal()
    report = json.loads(machine.shell(f"cat {STATE}/execution_report.1-of-2.json"))
    assert (report["shard"], report["run_group"]) == ("1/2", machine.shell("date +nightly-%F").strip())
    assert machine.shell(f"ls {STATE}/social_ads.1-of-2.duckdb") != ""


@boots
def test_a_shard_that_fails_is_tried_three_times_and_one_with_a_mistake_once(machine: Machine) -> None:
    unit = "social-ads-shard@0-of-4.service"
    machine.drop_in("[Service]\nRestartSec=100ms\n", unit)
    machine.configured({"name": "fails", "retry": {"max_attempts": 1}, "command": ["/bin/false"]})
    machine.starts(unit)
    _wait(lambda: machine.made_of(unit)["ActiveState"] == "failed")
    told = machine.shell(f"journalctl --sync; journalctl -u {unit} -o cat")
    assert told.count("Starting Social Ads Orchestrator") == 3, told
    assert machine.made_of(unit)["ExecMainStatus"] == "3"
    machine.configured({"name": "fails", "command": ["/bin/false"], "timeout": "soon"})
    machine.starts(unit)
    made = machine.made_of(unit)
    assert (made["ActiveState"], made["Result"], made["ExecMainStatus"]) == ("failed", "exit-code", "1")
    assert machine.shell(f"systemctl show {unit} -p NRestarts") == "NRestarts=0\n"


@boots
def test_a_stop_in_mid_run_is_no_failure_and_leaves_nobody_behind(machine: Machine) -> None:
    _run_forever(machine)
    machine.shell("systemctl stop social-ads.service")
    made = machine.made_of()
    assert (made["ActiveState"], made["Result"]) == ("inactive", "success")
    assert "the run was stopped by SIGTERM" in machine.journal("-p err", "-n 5")
    assert machine.shell("pgrep -u social-ads || true") == ""


@boots
def test_a_supervisor_that_is_killed_is_a_failure_and_leaves_nobody_behind(machine: Machine) -> None:
    _run_forever(machine)
    machine.shell(f"kill -9 {machine.made_of()['MainPID']}")
    _wait(lambda: machine.made_of()["ActiveState"] == "failed")
    assert machine.made_of()["Result"] == "signal"
    assert machine.shell("pgrep -u social-ads || true") == ""


@boots
def test_memory_that_runs_out_costs_one_platform(machine: Machine) -> None:
    machine.write("/etc/social-ads/taken/hog.py", HOG)
    machine.configured(
        {"name": "hog", "retry": {"max_attempts": 1}, "command": ["/usr/bin/python3", "/etc/social-ads/taken/hog.py"]},
        {"name": "linkedin"},
    )
    machine.drop_in("[Service]\nMemoryMax=600M\n")
    ended = machine.starts()
    assert (ended["ActiveState"], ended["Result"], ended["ExecMainStatus"]) == ("failed", "exit-code", "2"), (
        machine.journal()
    )


@boots
def test_a_mistyped_option_is_a_failure(machine: Machine) -> None:
    machine.drop_in("[Service]\nExecStart=\nExecStart=/opt/social-ads/bin/supervisor run --onyl google\n")
    ended = machine.starts()
    assert (ended["Result"], ended["ExecMainStatus"]) == ("exit-code", "1")


@boots
def test_a_missing_secret_names_itself_among_the_errors_of_the_journal(machine: Machine) -> None:
    machine.shell("mkdir /run/kept; mv /etc/social-ads/secrets/LINKEDIN_* /run/kept/")
    try:
        ended = machine.starts()
    finally:
        machine.shell("mv /run/kept/* /etc/social-ads/secrets/; rmdir /run/kept")
    assert (ended["Result"], ended["ExecMainStatus"]) == ("exit-code", "2"), "the other platforms ran"
    assert "LINKEDIN_REFRESH_TOKEN" in machine.journal("-p err", "-n 5")
    assert "LINKEDIN_REFRESH_TOKEN" in machine.shell("journalctl -u social-ads -p warning")


def _run_forever(machine: Machine) -> None:
    machine.write("/etc/social-ads/taken/waits.py", WAITS)
    machine.configured(
        {"name": "waits", "command": ["/usr/bin/python3", "/etc/social-ads/taken/waits.py"], "kill_grace": 1}
    )
    machine.shell("systemctl start --no-block social-ads.service")
    _wait(lambda: machine.shell("pgrep -u social-ads -f 'sleep.300' || true").strip() != "")


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)
