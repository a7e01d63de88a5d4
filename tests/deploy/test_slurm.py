"""The batch script on a Slurm of two hosts: an array of four shards, one of them killed, queued again and completed."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import duckdb
import psutil
import pytest
import yaml
from until import until

from sandbox.linkedin.truth import TABLES, truth
from sandbox.world import World
from wire.shards import Shard

sys.path.insert(0, str(Path(__file__).resolve().parent))

import slurm_hosts
from slurm_hosts import ADDRESSES, RELAY, Host

if TYPE_CHECKING:
    from conftest import Installed

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 11, 6)
WORLD = World.at(AS_OF, "tiny", first_day=FIRST_DAY, accounts=8)
SHARDS = 4
KILLED = Shard(2, SHARDS)
HANGING, LOADED, *_ = (account.id for account in WORLD.accounts("linkedin") if KILLED.has(account.id))
"""The accounts that the killed shard begins with: with one of them it is in the middle until it is killed."""
FILE_OF_EACH = "social_ads.{shard}.duckdb"
PASSWORD = "a-password-of-the-night"
PYTHON = "/opt/social-ads/bin/python"
VERTICA = {"STORAGE_TYPE": "vertica", "VERTICA_DATABASE": "night", "VERTICA_USER": "etl", "VERTICA_TLSMODE": "disable"}
STORED = """
import pickle, sys, vertica_python
port, password, query = sys.argv[1:]
given = dict(host="127.0.0.1", port=int(port), user="etl", password=password, database="night", tlsmode="disable")
with vertica_python.connect(**given) as connection:
    cursor = connection.cursor()
    cursor.execute(query)
    sys.stdout.buffer.write(pickle.dumps([tuple(row) for row in cursor.fetchall()]))
"""
"""`python -c STORED PORT PASSWORD QUERY` on the host of the Vertica."""

pytestmark = pytest.mark.skipif(slurm_hosts.why_not() is not None, reason=str(slurm_hosts.why_not()))


class Array:
    """A submitted array: what Slurm knows of it, and what its shards wrote."""

    def __init__(self, hosts: dict[str, Host], state: Path, job: str) -> None:
        self.controller = hosts["n1"]
        self.hosts = hosts
        self.state = state
        self.job = job
        self.vertica_port = 0

    def log(self, index: int) -> str:
        path = self.state / f"social-ads-{self.job}_{index}.log"
        return path.read_text() if path.exists() else ""

    def logs(self) -> str:
        return "\n".join(self.log(index) for index in range(SHARDS))

    def tasks(self) -> dict[int, dict[str, str]]:
        """Each shard's words in `scontrol show job`."""
        shown = self.controller.shell(f"scontrol --oneliner show job {self.job}")
        each = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in shown.splitlines()]
        return {int(task["ArrayTaskId"]): task for task in each if task["ArrayTaskId"].isdigit()}

    def wait(self) -> None:
        """Until no shard of it runs or is queued; what ended long ago is unknown to squeue."""
        queued = f"squeue --noheader --job {self.job} 2>/dev/null"
        self.controller.shell(f'while [ -n "$({queued})" ]; do sleep 0.3; done')

    def supervisor_of(self, index: int) -> psutil.Process:
        """The process that the shard's step began with, on whichever host it is."""
        here = {process.pid for host in self.hosts.values() for process in host.processes()}
        (found,) = (
            process
            for process in psutil.process_iter(["cmdline", "environ"])
            if process.pid in here
            and (process.info["cmdline"] or [])[1:3] == ["/opt/social-ads/bin/supervisor", "run"]
            and (process.info["environ"] or {}).get("SLURM_ARRAY_TASK_ID") == str(index)
            and process.parent().name() == "slurmstepd"
        )
        return found

    def rows_told(self, index: int, account: str) -> list[int]:
        """How many rows of an account the shard's tries have loaded, in their order."""
        return [int(found) for found in re.findall(rf"account {account}: (\d+) rows", self.log(index))]

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """What the Vertica answers, asked on its host."""
        words = self.controller.command(PYTHON, "-c", STORED, str(self.vertica_port), PASSWORD, query)
        found: list[tuple[Any, ...]] = pickle.loads(
            subprocess.run(words, capture_output=True, check=True, timeout=120).stdout
        )
        return found

    def typed(self, line: str) -> subprocess.CompletedProcess[str]:
        """What the user who submitted it types in the shards' directory."""
        before = "cd /var/lib/social-ads; PATH=/opt/social-ads/bin:$PATH; set -a; . /etc/social-ads/environment; set +a"
        return subprocess.run(
            self.controller.command("runuser", "-u", "loader", "--", "/bin/sh", "-euc", f"{before}; {line}"),
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip


@pytest.fixture(scope="module")
def hosts(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Host], Path]]:
    """Two hosts with LinkedIn's environment in the installed wheel, and the directory that has what they share."""
    (installed.work / "linkedin.yml").write_text("platforms: [{name: linkedin}]\n")
    built = installed.supervisor("install", "--config", "linkedin.yml")
    assert built.returncode == 0, built.stderr
    top = tmp_path_factory.mktemp("slurm")
    with slurm_hosts.hosts(top, installed.environment) as made:
        (top / "shared/etc/social-ads/secrets").mkdir()
        yield made, top / "shared"
        every = [process for host in made.values() for process in host.processes()]
    until(lambda: not [process for process in every if process.is_running()])


@pytest.fixture
def submit(hosts: tuple[dict[str, Host], Path], on_the_page: Callable[..., list[str]]) -> Callable[..., Array]:
    """The page's `sbatch`, with options before the script, typed by a user without privileges where deploy/ is."""
    made, shared = hosts
    (line,) = [line for line in on_the_page("Several machines") if line.startswith("sbatch")]
    shutil.copytree(DEPLOY, shared / "home/loader/deploy", dirs_exist_ok=True)
    (shared / "etc/social-ads/environment").write_text(f"DUCKDB_PATH={FILE_OF_EACH}\n")

    def submitted(*options: str) -> Array:
        typed = " ".join(("sbatch", *options, *line.split()[1:]))
        said = made["n1"].shell(f"cd /home/loader; runuser -u loader -- {typed}")
        return Array(made, shared / "var/lib/social-ads", said.split()[-1])

    return submitted


@pytest.fixture(params=["duckdb", "vertica"])
def array(
    request: pytest.FixtureRequest, hosts: tuple[dict[str, Host], Path], submit: Callable[..., Array]
) -> Iterator[Array]:
    """Four shards of a night, into a file of each or a Vertica on the first host.

    LinkedIn is served there, too, and does not answer the first request for HANGING.
    """
    made, shared = hosts
    sandbox = (
        *(PYTHON, "-m", "sandbox.serve", "linkedin", "--size", "tiny", "--accounts", "8"),
        *("--as-of", AS_OF.isoformat(), "--first-day", FIRST_DAY.isoformat(), "--fault", f"hang/{HANGING}"),
    )
    with ExitStack() as serving:
        served: dict[str, str] = json.loads(serving.enter_context(made["n1"].serving(*sandbox)))["environment"]
        ports = [str(urlsplit(served["LINKEDIN_API_URL"]).port)]
        storage, vertica_port = {"DUCKDB_PATH": FILE_OF_EACH}, 0
        if request.param == "vertica":
            (shared / "etc/social-ads/secrets/VERTICA_PASSWORD").write_text(PASSWORD)
            password = "/etc/social-ads/secrets/VERTICA_PASSWORD"
            double = (
                *(PYTHON, "-m", "sandbox.vertica", "--database", "night", "--user", "etl"),
                *("--password-file", password),
            )
            vertica_port = json.loads(serving.enter_context(made["n1"].serving(*double)))["port"]
            ports.append(str(vertica_port))
            storage = VERTICA | {"VERTICA_HOST": ADDRESSES["n1"], "VERTICA_PORT": str(vertica_port)}
        serving.enter_context(made["n1"].serving("/usr/bin/python3", "-c", RELAY, ADDRESSES["n1"], *ports))
        _configure(shared / "etc/social-ads", served, storage)
        submitted = submit()
        submitted.vertica_port = vertica_port
        yield submitted


def test_a_shard_that_is_killed_is_queued_again_and_every_row_is_there(
    array: Array, on_the_page: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    until(lambda: array.rows_told(KILLED.index, LOADED), 240)
    array.supervisor_of(KILLED.index).kill()
    array.wait()
    with capsys.disabled():
        print(f"\n`sbatch` until four shards on two hosts are loaded, one twice: {time.monotonic() - begun:.1f} s")
    tasks = array.tasks()
    ended = {index: (task["JobState"], task["ExitCode"], int(task["Restarts"])) for index, task in tasks.items()}
    assert ended == {
        index: ("COMPLETED", "0:0", 1 if index == KILLED.index else 0) for index in range(SHARDS)
    }, array.logs()  # fmt: skip
    assert {task["NodeList"] for task in tasks.values()} == set(ADDRESSES), "both hosts had shards"
    for index in range(SHARDS):
        assert f"Shard {index}/{SHARDS}, as a Slurm job array (SLURM_ARRAY_TASK_ID) tells" in array.log(index)
    whole, rest = array.rows_told(KILLED.index, LOADED)
    # Into a Vertica the account's rows may still be on their way when the pipeline tells of them.
    assert rest < whole or array.vertica_port, "the second try goes on after what the first has committed"

    if not array.vertica_port:
        (merge,) = on_the_page("One DuckDB file of many", "scaling.md")
        merged = array.typed(merge)
        assert merged.returncode == 0, merged.stderr
    for table in TABLES:
        wanted = truth(WORLD, table, FIRST_DAY, AS_OF.date())
        found = (
            _shared_rows(array, table, wanted)
            if array.vertica_port
            else _rows(array.state / "social_ads.duckdb", table)
        )
        assert found == sorted(map(_as_text, wanted)), table
    where = "SECRETS_DIRECTORY=/etc/social-ads/secrets" if array.vertica_port else "DUCKDB_PATH=social_ads.duckdb"
    shown = array.typed(f"{where} supervisor show --group slurm-{array.job}")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert f"{SHARDS} of {SHARDS} shards complete" in shown.stdout


def test_what_must_be_mended_is_not_tried_again(
    hosts: tuple[dict[str, Host], Path], submit: Callable[..., Array]
) -> None:
    _, shared = hosts
    (shared / "etc/social-ads/orchestrator_config.yml").write_text("platforms: [{name: linkedin, timeout: soon}]\n")
    array = submit("--array=0")
    array.wait()
    (task,) = array.tasks().values()
    assert (task["JobState"], task["ExitCode"], task["Restarts"]) == ("FAILED", "1:0", "0"), array.log(0)
    assert "timeout" in array.log(0)


def test_a_shard_that_is_cancelled_ends_in_order_and_stays_cancelled(
    hosts: tuple[dict[str, Host], Path], submit: Callable[..., Array]
) -> None:
    _, shared = hosts
    waits = {"name": "waits", "command": ["/usr/bin/python3", "-c", "import time; time.sleep(300)"], "kill_grace": 1}
    (shared / "etc/social-ads/orchestrator_config.yml").write_text(yaml.safe_dump({"platforms": [waits]}))
    array = submit("--array=0")
    until(lambda: "Platform 'waits' started" in array.log(0))
    array.controller.shell(f"scancel {array.job}")
    array.wait()
    (task,) = array.tasks().values()
    assert (task["JobState"], task["Restarts"]) == ("CANCELLED", "0"), array.log(0)
    shown = array.typed(f"DUCKDB_PATH=social_ads.0-of-1.duckdb supervisor show --group slurm-{array.job}")
    assert "exit code 143" in shown.stdout, "the supervisor was asked to end, and wrote down that it did"


def _configure(directory: Path, served: dict[str, str], storage: dict[str, str]) -> None:
    """The files that are the same on every node, as the page says."""
    linkedin = {"name": "linkedin", "settings": {"start_date": FIRST_DAY.isoformat()}}
    (directory / "orchestrator_config.yml").write_text(yaml.safe_dump({"platforms": [linkedin]}))
    plain = {
        **storage,
        "PIPELINE_NOW": AS_OF.isoformat(),
        "ALLOW_INSECURE_ENDPOINTS": "true",  # the sandbox has no certificate
    }
    for name, value in served.items():
        if name.endswith(("_SECRET", "_TOKEN")):
            (directory / "secrets" / name).write_text(value)
        else:
            plain[name] = value.replace("127.0.0.1", ADDRESSES["n1"])
    (directory / "environment").write_text("".join(f"{name}={value}\n" for name, value in plain.items()))


def _rows(database: Path, table: str) -> list[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(f'SELECT * EXCLUDE (_loaded_at, _run_id) FROM linkedin."{table}"')
        described = [(column[0], str(column[1]) == "JSON") for column in found.description]
        return sorted(
            _as_text({
                name: json.loads(value) if is_json and value is not None else value
                for (name, is_json), value in zip(described, row, strict=True)
            })
            for row in found.fetchall()
        )  # fmt: skip


def _shared_rows(array: Array, table: str, wanted: list[dict[str, Any]]) -> list[str]:
    """The same of the Vertica."""
    names = list(wanted[0])
    lists = {name for row in wanted for name, value in row.items() if isinstance(value, (dict, list))}
    query = f'SELECT {", ".join(map(_quoted, names))} FROM linkedin."{table}"'
    return sorted(
        _as_text({
            name: json.loads(value) if name in lists and value is not None else value
            for name, value in zip(names, row, strict=True)
        })
        for row in array.asked(query)
    )  # fmt: skip


def _quoted(name: str) -> str:
    return f'"{name}"'


def _as_text(row: dict[str, Any]) -> str:
    """A row as something to sort by and to compare, without how a database writes a time in UTC and a number."""
    return repr(sorted((name, _plain(value)) for name, value in row.items()))


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value.normalize() if isinstance(value, Decimal) else value
