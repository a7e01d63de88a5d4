"""Seeded storms of kills, faults and hardships at random moments, into each storage. After each the windows are whole, and
after one clean run there is the truth, nothing alive, and nothing left among the temporary files.

`make chaos STORAGE=duckdb` runs the long form. A storm that fails names its number; CHAOS_FIRST=n CHAOS_STORMS=1 repeats it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import pytest
from starting import ForkedSandbox

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "sinks")]

from hardships import (  # noqa: E402 - they lie in the directories that the line above adds
    Before,
    Clock,
    few_descriptors,
    few_processes,
    frozen,
    missing,
    small_files,
    small_tmpdir,
    sweep,
)  # fmt: skip
from storage import Storage  # noqa: E402 - as above

from sandbox.world import World  # noqa: E402 - as above
from wire.schema import Column, Table, Type  # noqa: E402 - as above

SEED = int(os.environ.get("CHAOS_SEED", "1"))
FIRST = int(os.environ.get("CHAOS_FIRST", "0"))
STORAGES = {
    "duckdb": ("duckdb_file", "DuckDBFile", 3),
    "vertica": ("vertica_double", "VerticaDatabase", 2),
    "azure_table": ("azurite", "AzureTables", 1),
    "singer": ("singer_target", "SingerTarget", 1),
}
"""Where the suite finds each, and how many storms it has where nobody asks for more."""
CHOSEN = [os.environ["CHAOS_STORAGE"]] if os.environ.get("CHAOS_STORAGE") else list(STORAGES)
REAL_EVERY = 10
PATIENCE = 60.0
AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 11, 1)
TABLE = Table(
    "t", (Column("account", Type.STRING), Column("id", Type.STRING), Column("version", Type.INTEGER)), ("account", "id")
)

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

KILLS = (
    "supervisor", "keeper", "pipeline", "SIGTERM", "SIGINT", "SIGHUP", "everybody", "swept TMPDIR", "frozen supervisor",
    "frozen sink",
)  # fmt: skip
FAULTS = ("half a line", "garbage", "exit", "stop", "spawn", "memory", "close")
HARDSHIPS = ("small files", "full TMPDIR", "few descriptors", "few processes", "clock jump")
STRIKES = ("server_error", "rate_limit", "broken_connection", "html", "expired_token", "empty_body", "hang")


class Storm:
    """What one storm does, decided by its number alone."""

    def __init__(self, number: int) -> None:
        chance = self.chance = random.Random(f"{SEED}-{number}")
        self.number = number
        self.version = number + 1
        self.fault = chance.choice(FAULTS) if chance.random() < 0.5 else None
        self.hardship = chance.choice(HARDSHIPS) if chance.random() < 0.5 else None
        if self.hardship in missing():
            self.hardship = None
        count = chance.choice((0, 1, 1, 1, 2, 4)) if self.fault or self.hardship else chance.choice((1, 1, 2, 4))
        self.kills = sorted((chance.uniform(0.05, 1.6), chance.choice(KILLS)) for _ in range(count))
        self.struck: list[str] = []
        self.real = number % REAL_EVERY == REAL_EVERY // 2
        self.strikes = [f"{chance.choice(STRIKES)}@{chance.randrange(6)}" for _ in range(2)] if self.real else []

    @property
    def covered(self) -> list[str]:
        """What really happened: kills that found somebody, faults that struck."""
        names = [*self.struck, *([f"hardship {self.hardship}"] if self.hardship else [])]
        return names + [f"sandbox {strike.partition('@')[0]} under a real pipeline" for strike in self.strikes]

    def rage(self, house: Any, storage: Storage, environment: dict[str, str]) -> None:
        (house.directory / "world.json").write_text(json.dumps([self.version, self.fault, f"{SEED}-{self.number}"]))
        with self._hardship(house) as (before, variables):
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("supervisor")), "run"], cwd=house.directory,
                env=house.environment | environment | variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                preexec_fn=before,  # noqa: PLW1509 - nothing that is held here is asked for there
            )  # fmt: skip
            log: list[bytes] = []
            assert process.stderr is not None
            reader = threading.Thread(target=lambda: log.append(process.stderr.read()), daemon=True)  # type: ignore[union-attr]
            reader.start()
            begun = time.monotonic()
            for moment, kill in self.kills:
                time.sleep(max(0.0, begun + moment - time.monotonic()))
                if process.poll() is None:
                    self._kill(process, kill, house, storage)
            process.wait(PATIENCE)
            reader.join(PATIENCE)
            assert not reader.is_alive(), f"somebody holds the supervisor's standard error: {self.covered}"
        mark = house.directory / "struck"
        if mark.exists():
            self.struck.append(f"fault {self.fault}")
            mark.unlink()
        text = b"".join(log)
        # An interpreter that is only starting answers Ctrl-C, and a lack of descriptors, in its own way.
        early = b" | " not in text and b"\nerror: " not in b"\n" + text
        assert b"Traceback" not in text or b"| Traceback" in text or early, text.decode()
        assert b"a bug in the supervisor" not in text, text.decode()

    @contextmanager
    def _hardship(self, house: Any) -> Iterator[tuple[Before | None, dict[str, str]]]:
        chance = self.chance
        with ExitStack() as stack:
            match self.hardship:
                case "small files":
                    yield small_files(chance.choice((20_000, 300_000, 3_000_000))), {}
                case "full TMPDIR":
                    stack.enter_context(small_tmpdir(house.directory / "tmp", chance.choice((8, 50, 200)) * 1024))
                    yield None, {}
                case "few descriptors":
                    yield few_descriptors(chance.randrange(12, 60)), {}
                case "few processes":
                    yield stack.enter_context(few_processes(chance.randrange(4, 40))), {}
                case "clock jump":
                    clock, over = Clock(house.directory), threading.Event()
                    jumps = [
                        (chance.uniform(0.1, 1.0), chance.choice(("+86400", "-86400", "-7200", "+3"))) for _ in range(3)
                    ]
                    jumper = threading.Thread(
                        target=lambda: [clock.jump(offset) for wait, offset in jumps if not over.wait(wait)]
                    )
                    jumper.start()
                    try:
                        yield None, clock.variables
                    finally:
                        over.set()
                        jumper.join()
                case _:
                    yield None, {}

    def _kill(self, supervisor: subprocess.Popen[bytes], kill: str, house: Any, storage: Storage) -> None:
        victims = _family(supervisor.pid)
        if kill.startswith("SIG"):
            self.struck.append(f"kill {kill}")
            supervisor.send_signal(signal.Signals[kill])
        elif kill == "swept TMPDIR":
            if sweep(house.directory / "tmp"):
                self.struck.append(kill)
        elif kill == "frozen supervisor":
            self._freeze(kill, [supervisor.pid])
        elif kill == "frozen sink":
            self._freeze(kill, _server_of(storage) or [each.pid for each in victims["target"]])
        # Without both its supervisor and its keeper nobody is left who could know a daemon for what it is.
        elif kill == "everybody":
            self.struck.append("kill everybody")
            _end(victims["supervisor"] + victims["pipeline"] + victims["target"])
        elif victims[kill]:
            self.struck.append(f"kill {kill}")
            _end([self.chance.choice(victims[kill])])

    def _freeze(self, kill: str, pids: list[int]) -> None:
        if pids:
            self.struck.append(kill)
            with frozen(pids):
                time.sleep(self.chance.uniform(0.3, 2.0))


def _family(pid: int) -> dict[str, list[psutil.Process]]:
    """The supervisor and what it started, by the part that each plays."""
    found: dict[str, list[psutil.Process]] = defaultdict(list)
    with suppress(psutil.Error):
        supervisor = psutil.Process(pid)
        found["supervisor"].append(supervisor)
        for process in supervisor.children(recursive=True):
            with suppress(psutil.Error):
                words = process.cmdline()
                is_keeper = any(word.endswith("keeper.py") for word in words)
                is_target = any(word.endswith("target.py") for word in words)
                found["keeper" if is_keeper else "target" if is_target else "pipeline"].append(process)
    return found


def _server_of(storage: Storage) -> list[int]:
    """The processes of a storage that is a server."""
    kind = storage.variables["STORAGE_TYPE"]
    if kind == "vertica":
        return [storage.server._process.pid]  # type: ignore[attr-defined]  # that storage's own
    if kind == "azure_table":
        root = psutil.Process(import_module("azurite").emulator()._process.pid)
        return [root.pid, *(child.pid for child in root.children(recursive=True))]
    return []


def _end(victims: list[psutil.Process]) -> None:
    for victim in victims:
        with suppress(psutil.Error):
            victim.kill()


def alive(directory: Path) -> list[psutil.Process]:
    return [
        process for process in psutil.process_iter(["cwd", "status"])
        if process.info["cwd"] == str(directory) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]  # fmt: skip


def assert_nothing_survives(directory: Path, storm: Storm) -> None:
    deadline = time.monotonic() + PATIENCE
    while alive(directory) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(directory), storm.covered


def count_of(version: int, account: str, window: str) -> int:
    return 20 + (version * 7 + int(account) * 3 + int(window)) % 30


WHERE = [(str(a), str(w)) for a in range(ACCOUNTS) for w in range(WINDOWS)]


def assert_whole_windows(storage: Storage, name: str, version: int, *, all_of_it: bool) -> None:
    """Every window is all of one version, and the state covers no window that is not there in full.

    Where a storage takes a window's rows one after the other, or takes none away, that holds for what its state covers.
    """
    versions: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    seen: set[tuple[str, str]] = set()
    for row in storage.rows(name, TABLE):
        assert (row["account"], row["id"]) not in seen, f"{name} {row} is there twice"
        seen.add((row["account"], row["id"]))
        versions[row["account"], row["id"].partition("-")[0]][row["version"]] += 1
    done = state_of(storage, name)
    if all_of_it:
        assert set(versions) == set(WHERE)
        assert done == {"version": version, **{str(a): WINDOWS for a in range(ACCOUNTS)}}
    covered = {(a, str(w)) for a in map(str, range(ACCOUNTS)) for w in range(done.get(a, 0))}
    for key, counts in versions.items():
        whole = {each for each, count in counts.items() if count == count_of(each, *key)}
        if key in covered:
            # Where rows are stored before their state, a kill between the two leaves a window of newer ones.
            newer = not storage.isolated and whole and min(whole) > done["version"]
            assert done["version"] in whole or newer, f"{name} {key} is torn: {counts}"
        if storage.replaces and (storage.isolated or key in covered):
            assert len(counts) == len(whole) == 1, f"{name} {key} is torn: {counts}"
    assert covered <= set(versions)
    if storage.replaces and storage.isolated:
        assert covered == {key for key, counts in versions.items() if done.get("version") in counts}


def state_of(storage: Storage, name: str) -> dict[str, Any]:
    sink = storage.open()
    try:
        session = sink.session(name, "a look")
        value = session.state()
        session.close()
    finally:
        sink.close()
    return json.loads(value) if value else {}


def assert_linkedin_is_true(storage: Storage) -> None:
    module = import_module("sandbox.linkedin.truth")
    world = World.at(AS_OF, "tiny", first_day=FIRST_DAY)
    for table in module.TABLES:
        wanted = list(module.truth(world, table, FIRST_DAY, AS_OF.date() + dt.timedelta(days=1)))
        has_clicks = bool(wanted) and "clicks" in wanted[0]
        column = Column("clicks", Type.INTEGER) if has_clicks else Column("account_id", Type.STRING)
        found = storage.rows("linkedin", Table(table, (column,), ()))
        assert len(found) == len(wanted), table
        if has_clicks:
            assert sum(row["clicks"] for row in found) == sum(row["clicks"] for row in wanted), table


def configure(house: Any, *, real: bool) -> None:
    retry = {"max_attempts": 2, "backoff_seconds": 0.05, "max_backoff_seconds": 0.1}
    house.platforms = []
    for name in ("alpha", "beta"):
        house.tap(name, TAP, timeout=4, kill_grace=0.3, memory_limit="120MiB", retry=retry)
    if real:
        settings = {
            "start_date": FIRST_DAY.isoformat(), "retry_first_wait": 0.05, "data_limit_wait": 0.05, "request_timeout": 2,
            "concurrency": 4,
        }  # fmt: skip
        house.platforms.append({"name": "linkedin", "settings": settings, "retry": retry, "kill_grace": 1})
    house.orchestrator = {"max_parallel": 3}
    house.write(parallel_groups=[[each["name"] for each in house.platforms]])


def clean(house: Any, storm: Storm, environment: dict[str, str]) -> None:
    (house.directory / "world.json").write_text(json.dumps([storm.version, None, ""]))
    for platform in house.platforms:
        platform["timeout"] = 60  # however busy the machine is
    house.write(parallel_groups=[[each["name"] for each in house.platforms]])
    done = house.run("run", **environment)
    assert done.returncode == 0, f"storm {storm.number} {storm.covered}: {done.stderr}"
    # What was killed between the making of a directory and its lock is left alone for a minute.
    left = [path for path in (house.directory / "tmp").iterdir() if not path.name.startswith(".social-ads-")]
    assert not left, f"storm {storm.number} {storm.covered}: {left}"
    sweep(house.directory / "tmp")


@pytest.mark.parametrize("kind", CHOSEN)
def test_after_any_storm_one_clean_run_leaves_the_truth(house: Any, kind: str, capsys: Any) -> None:
    module, name, few = STORAGES[kind]
    storms = int(os.environ.get("CHAOS_STORMS", few))
    (house.directory / "storage").mkdir()
    storage = getattr(import_module(module), name)(house.directory / "storage")
    house.environment |= storage.variables
    covered: Counter[str] = Counter()
    begun = time.monotonic()
    try:
        for number in range(FIRST, FIRST + storms):
            storm = Storm(number)
            try:
                whole_storm(house, storage, storm)
            except BaseException:
                print(f"storm {number} of seed {SEED}: {storm.covered} {storm.kills}", file=sys.stderr)
                raise
            covered.update(storm.covered or ["calm"])
    finally:
        storage.close()
    with capsys.disabled():
        seconds = time.monotonic() - begun
        told = ", ".join(f"{name} {count}" for name, count in sorted(covered.items()))
        print(f"\n{kind}: {storms} storms of seed {SEED} in {seconds:.0f} s: {told}")
        for lack, why in missing().items():
            print(f"{lack}: not here, {why}")


def whole_storm(house: Any, storage: Storage, storm: Storm) -> None:
    configure(house, real=storm.real)
    if not storm.real:
        weather(house, storage, storm, {})
        return
    options = ("--size", "tiny", "--as-of", AS_OF.isoformat(), "--first-day", FIRST_DAY.isoformat())
    with ForkedSandbox(["linkedin"], options=options, faults={"linkedin": storm.strikes}) as sandbox:
        weather(house, storage, storm, {"PIPELINE_NOW": AS_OF.isoformat()} | sandbox.environment)
    assert_linkedin_is_true(storage)


def weather(house: Any, storage: Storage, storm: Storm, environment: dict[str, str]) -> None:
    storm.rage(house, storage, environment)
    assert_nothing_survives(house.directory, storm)
    # A dead run's hold passes with time in one storage; where nobody died there is none.
    with suppress(Exception):
        storage.forget_dead_run()
    for name in ("alpha", "beta"):
        assert_whole_windows(storage, name, storm.version, all_of_it=False)
    clean(house, storm, environment)
    for name in ("alpha", "beta"):
        assert_whole_windows(storage, name, storm.version, all_of_it=True)
