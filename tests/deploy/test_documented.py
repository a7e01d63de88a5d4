"""Every command of docs/deploying.md is run by a test, or is named here with the reason why none can run it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CLUSTER = "needs a cluster"
AZURE = "needs an Azure subscription"

RUN_BY = {
    "A VM": {
        r"python3 -m venv .*": "conftest.py::installed",
        r"/opt/social-ads/bin/pip install .*": "conftest.py::installed",
        r"install -D .*|systemd-.*|systemctl daemon-reload|cd /etc/social-ads": "test_systemd.py::booted",
        r"/opt/social-ads/bin/supervisor (init|install)\b.*": "test_systemd.py::booted",
        r"\(umask 077; .*|echo .*": "test_systemd.py::booted",
        r"systemctl start social-ads": "test_systemd.py::test_a_missing_secret_names_itself_among_the_errors_of_the_journal",
        r"systemctl start social-ads@google": "test_systemd.py::test_one_platform_by_hand",
        r"journalctl -u social-ads -p warning": "test_systemd.py::test_a_missing_secret_names_itself_among_the_errors_of_the_journal",
        r"systemctl enable --now social-ads.timer": "test_systemd.py::test_the_timer_runs_all_platforms_and_readers_read_what_is_published",
    },
    "A laptop": {
        r"(pipx|uv tool) install .*|supervisor (install|run).*": "test_install.py::test_other_tools_install_it_and_it_runs",
        r"supervisor demo": "test_release.py::test_the_demo_runs_where_there_is_no_checkout",
    },
    "A container": {
        r"podman build .*": "test_container.py::podman",
        r"podman run .*": "test_container.py::test_the_documented_command_loads_four_platforms_without_any_privilege",
    },
    "Kubernetes": {
        r"kubectl create namespace .*": CLUSTER,
        r"kubectl -n social-ads create secret .*": "test_container.py::test_the_pod_loads_four_platforms",
        r"kubectl -n social-ads apply .*": CLUSTER,
        r"kubectl -n social-ads create job .*": CLUSTER,
        r"kubectl -n social-ads logs .*": CLUSTER,
    },
    "Azure Container Apps": {r"az .*": AZURE},
    "Several machines": {
        r"kubectl -n social-ads apply .*": CLUSTER,
        r"sbatch .*": "test_slurm.py::submit",
        r"install -D .*|systemctl daemon-reload": "test_systemd.py::booted",
        r"systemctl start social-ads-shard@1-of-2": "test_systemd.py::test_a_shard_by_hand_belongs_to_the_group_of_its_date",
        r"systemctl enable --now social-ads-shard@1-of-2.timer": "test_systemd.py::test_a_shard_by_hand_belongs_to_the_group_of_its_date",
    },
    "Backing up and restoring": {
        r"cp .*": "test_systemd.py::test_the_timer_runs_all_platforms_and_readers_read_what_is_published"
    },
}


@pytest.mark.parametrize("heading", RUN_BY)
def test_every_command_is_run_by_a_test_or_named(heading: str, on_the_page: Callable[[str], list[str]]) -> None:
    known = RUN_BY[heading]
    for command in on_the_page(heading):
        assert [pattern for pattern in known if re.fullmatch(pattern, command)], f"nothing runs {command!r}"
    for pattern, place in known.items():
        assert any(re.fullmatch(pattern, command) for command in on_the_page(heading)), f"{pattern} is not on the page"
        if place not in (CLUSTER, AZURE):
            file, name = place.split("::")
            assert f"\ndef {name}(" in (HERE / file).read_text(), f"there is no {place}"


def test_no_part_of_the_page_is_left_out() -> None:
    page = (HERE.parents[1] / "docs" / "deploying.md").read_text()
    with_commands = {section.splitlines()[0] for section in re.split(r"(?m)^## ", page)[1:] if "\n```bash\n" in section}
    assert with_commands == RUN_BY.keys()
