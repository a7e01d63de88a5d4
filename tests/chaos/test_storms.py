"""Seeded storms of kills and faults at random moments; after each, whole windows, and after one clean run the truth.

`make chaos` runs the long form. A storm that fails names its number; CHAOS_FIRST=n CHAOS_STORMS=1 repeats it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from sandbox.manager import Sandbox
from sandbox.world import World

SEED = int(os.environ.get("CHAOS_SEED", "1"))
FIRST = int(os.environ.get("CHAOS_FIRST", "0"))
STORMS = int(os.environ.get("CHAOS_STORMS", "6"))
REAL_EVERY = 10
AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 11, 1)

ACCOUNTS, WINDOWS = 3, 6
# The world changes from storm to storm: each version has other values and other counts, so that all must be loaded again.
TAP = """
import random
version, fault, seed = json.load(open("world.json"))
chance = random.Random(f"{seed}{sys.argv[0]}{os.getpid()}")
done = json.load(open(given["--state"])) if "--state" in given else {}
if done.get("version") != version: done = {"version": version}
subprocess.Popen(["sleep", "60"], start_new_session=chance.random() < 0.5, stdout=1 if chance.random() < 0.5 else None)
schema(key=("account", "id"), day="date", account="string", id="string", version="integer", filler="string")
def misbehave():
    if fault: open("struck", "a").write("x")
    if fault == "half a line": os.write(1, b'{"type": "RECORD", "stream": "t", "rec'); os._exit(0)
    if fault == "garbage": print("Loading...", flush=True)
    if fault == "exit": sys.exit(75)
    if fault == "stop": os.kill(os.getpid(), signal.SIGSTOP)
    if fault == "spawn": [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(20)]
    if fault == "memory": globals().update(hog=bytearray(b"x") * 150_000_000); time.sleep(3)
    if fault == "close": os.close(1); time.sleep(0.3); os._exit(1)
for a in range(ACCOUNTS):
    for w in range(done.get(str(a), 0), WINDOWS):
        if chance.random() < 0.05: misbehave()
        count = 20 + (version * 7 + a * 3 + w) % 30
        for n in range(count):
            row(account=str(a), id=f"{w}-{n}", date=f"2026-01-{w + 1:02}", version=version, filler="x" * 500)
            if n == count // 2: time.sleep(chance.random() * 0.04)
        done[str(a)] = w + 1
        day = f"2026-01-{w + 1:02}"
        state(done, stream="t", where={"account": str(a)}, rows=count, **{"from": day, "to": day})
""".replace("ACCOUNTS", str(ACCOUNTS)).replace("WINDOWS", str(WINDOWS))

KILLS = ("supervisor", "keeper", "pipeline", "SIGTERM", "SIGINT", "SIGHUP", "everybody")
FAULTS = ("half a line", "garbage", "exit", "stop", "spawn", "memory", "close")


class Storm:
    """What one storm does, decided by its number alone."""

    def __init__(self, number: int) -> None:
        self.chance = random.Random(f"{SEED}-{number}")
        self.number = number
        self.version = number + 1
        self.fault = self.chance.choice(FAULTS) if self.chance.random() < 0.5 else None
        self.full_disk = self.chance.choice((20_000, 300_000, 3_000_000)) if self.chance.random() < 0.2 else None
        count = (
            self.chance.choice((0, 1, 1, 1, 2, 4)) if self.fault or self.full_disk else self.chance.choice((1, 1, 2, 4))
        )
        self.kills = sorted((self.chance.uniform(0.05, 1.4), self.chance.choice(KILLS)) for _ in range(count))
        self.struck: list[str] = []
        self.real = number % REAL_EVERY == REAL_EVERY // 2

    @property
    def covered(self) -> list[str]:
        """What really happened: kills that found somebody, faults that struck."""
        names = [*self.struck]
        names += ["full disk or sink error"] if self.full_disk else []
        return names + (["sandbox fault under a real pipeline"] if self.real else [])

    def rage(self, house: Any, environment: dict[str, str]) -> None:
        (house.directory / "world.json").write_text(json.dumps([self.version, self.fault, f"{SEED}-{self.number}"]))
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("supervisor")), "run"], cwd=house.directory,
            env=house.environment | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=self._fill_disk if self.full_disk else None,  # noqa: PLW1509 - the test has one thread
        )  # fmt: skip
        begun = time.monotonic()
        for moment, kill in self.kills:
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            if process.poll() is None:
                self._kill(process, kill)
        _, log = process.communicate(timeout=60)
        mark = house.directory / "struck"
        if mark.exists():
            self.struck.append(f"fault {self.fault}")
            mark.unlink()
        # An interpreter that is only starting answers Ctrl-C in its own way.
        early = log.endswith(b"KeyboardInterrupt\n") and b" | " not in log
        assert b"Traceback" not in log or b"| Traceback" in log or early, log.decode()

    def _fill_disk(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.full_disk or 0, self.full_disk or 0))

    def _kill(self, supervisor: subprocess.Popen[bytes], kill: str) -> None:
        if kill.startswith("SIG"):
            self.struck.append(f"kill {kill}")
            supervisor.send_signal(signal.Signals[kill])
            return
        victims = {"supervisor": [], "keeper": [], "pipeline": []}  # type: dict[str, list[psutil.Process]]
        victims["supervisor"].append(psutil.Process(supervisor.pid))
        for process in victims["supervisor"][0].children(recursive=True):
            try:
                words = process.cmdline()
            except psutil.Error:
                continue
            victims["keeper" if any(w.endswith("keeper.py") for w in words) else "pipeline"].append(process)
        # Without both its supervisor and its keeper nobody is left who could know a daemon for what it is.
        if kill == "everybody" or victims[kill]:
            self.struck.append(f"kill {kill}")
        kinds = ["supervisor", "pipeline"] if kill == "everybody" else [kill]
        for kind in kinds:
            for victim in (
                victims[kind] if kill == "everybody" else self.chance.sample(victims[kind], min(1, len(victims[kind])))
            ):
                try:
                    victim.kill()
                except psutil.Error:
                    continue


def alive(directory: Path) -> list[psutil.Process]:
    return [
        process for process in psutil.process_iter(["cwd", "status"])
        if process.info["cwd"] == str(directory) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]  # fmt: skip


def assert_nothing_survives(directory: Path, storm: Storm) -> None:
    deadline = time.monotonic() + 2
    while alive(directory) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(directory), storm.covered


def expected(version: int) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Of each account and window: the rows, and the lowest and highest version among them."""
    return {
        (str(a), str(w)): (20 + (version * 7 + a * 3 + w) % 30, version, version)
        for a in range(ACCOUNTS) for w in range(WINDOWS)
    }  # fmt: skip


def assert_whole_windows(house: Any, name: str, version: int, *, all_of_it: bool) -> None:
    """Every window is all of one version, and the state covers exactly the windows of the newest."""
    path = house.directory / "social_ads.duckdb"
    if not path.exists() and not all_of_it:
        return
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("SELECT 1 FROM information_schema.tables WHERE table_schema = ?", [name]).fetchall()
        if not tables and not all_of_it:
            return
        found = {
            (account, window): (count, low, high)
            for account, window, count, low, high in connection.execute(
                f"SELECT account, split_part(id, '-', 1), count(*), min(version), max(version) FROM {name}.t GROUP BY 1, 2"
            ).fetchall()
        }
        doubled = connection.execute(f"SELECT account, id FROM {name}.t GROUP BY 1, 2 HAVING count(*) > 1").fetchall()
        state = connection.execute("SELECT value FROM _supervisor.state WHERE platform = ?", [name]).fetchall()
    assert not doubled
    if all_of_it:
        assert found == expected(version)
    for key, (count, low, high) in found.items():
        assert (count, low, high) == expected(low)[key], f"{name} {key} is torn"
    done = json.loads(state[0][0]) if state else {}
    newest = {key for key, (_, low, _) in found.items() if low == done.get("version")}
    assert newest == {(a, str(w)) for a in map(str, range(ACCOUNTS)) for w in range(done.get(a, 0))}


def assert_linkedin_is_true(house: Any) -> None:
    module = import_module("sandbox.linkedin.truth")
    world = World.at(AS_OF, "tiny", first_day=FIRST_DAY)
    with duckdb.connect(str(house.directory / "social_ads.duckdb"), read_only=True) as connection:
        for table in module.TABLES:
            wanted = list(module.truth(world, table, FIRST_DAY, AS_OF.date() + dt.timedelta(days=1)))
            ((count,),) = connection.execute(f'SELECT count(*) FROM linkedin."{table}"').fetchall()
            assert count == len(wanted), table
            if wanted and "clicks" in wanted[0]:
                ((clicks,),) = connection.execute(f'SELECT sum(clicks) FROM linkedin."{table}"').fetchall()
                assert clicks == sum(row["clicks"] for row in wanted), table


def configure(house: Any, *, real: bool) -> None:
    retry = {"max_attempts": 2, "backoff_seconds": 0.05, "max_backoff_seconds": 0.1}
    house.platforms = []
    for name in ("alpha", "beta"):
        house.tap(name, TAP, timeout=4, kill_grace=0.3, memory_limit="120MiB", retry=retry)
    if real:
        settings = {"start_date": FIRST_DAY.isoformat(), "retry_first_wait": 0.05, "request_timeout": 5}
        house.platforms.append({"name": "linkedin", "settings": settings, "retry": retry, "kill_grace": 1})
    house.orchestrator = {"max_parallel": 3}
    house.write(parallel_groups=[[each["name"] for each in house.platforms]])


def clean(house: Any, storm: Storm, environment: dict[str, str]) -> None:
    (house.directory / "world.json").write_text(json.dumps([storm.version, None, ""]))
    done = house.run("run", **environment)
    assert done.returncode == 0, f"storm {storm.number} {storm.covered}: {done.stderr}"


@pytest.mark.parametrize("seed", [SEED])
def test_after_any_storm_one_clean_run_leaves_the_truth(house: Any, seed: int, capsys: Any) -> None:
    covered: Counter[str] = Counter()
    begun = time.monotonic()
    for number in range(FIRST, FIRST + STORMS):
        storm = Storm(number)
        configure(house, real=storm.real)
        faults = {
            "linkedin": [
                f"{storm.chance.choice(('server_error', 'rate_limit', 'broken_connection', 'html'))}@{storm.chance.randrange(5)}"
            ]
        }
        try:
            if storm.real:
                options = ("--size", "tiny", "--as-of", AS_OF.isoformat(), "--first-day", FIRST_DAY.isoformat())
                with Sandbox(["linkedin"], options=options, faults=faults) as sandbox:
                    environment = {"PIPELINE_NOW": AS_OF.isoformat()} | sandbox.environment
                    weather(house, storm, environment)
                assert_linkedin_is_true(house)
            else:
                weather(house, storm, {})
        except BaseException:
            print(f"storm {number} of seed {SEED}: {storm.covered} {storm.kills}", file=sys.stderr)
            raise
        covered.update(storm.covered)
    with capsys.disabled():
        seconds = time.monotonic() - begun
        told = ", ".join(f"{name} {count}" for name, count in sorted(covered.items()))
        print(f"\n{STORMS} storms of seed {SEED} in {seconds:.0f} s: {told}")


def weather(house: Any, storm: Storm, environment: dict[str, str]) -> None:
    storm.rage(house, environment)
    assert_nothing_survives(house.directory, storm)
    for name in ("alpha", "beta"):
        assert_whole_windows(house, name, storm.version, all_of_it=False)
    clean(house, storm, environment)
    for name in ("alpha", "beta"):
        assert_whole_windows(house, name, storm.version, all_of_it=True)
