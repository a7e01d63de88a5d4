"""The four real pipelines, with their real SDKs, against the sandbox, into one database, compared with the world's truth."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from reading import reading
from starting import SUPERVISOR, Forked, ForkedSandbox

from sandbox.world import PLATFORMS, World
from supervisor.sinks.staging import TYPES
from wire.schema import Column, Table

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "sinks"))

from storage import Storage  # noqa: E402 - it lies in the directory that the line above adds

AS_OF = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
FIRST_DAY = dt.date(2026, 10, 11)
LATE_FIRST_DAY = dt.date(2026, 11, 6)
"""Where the days before would show nothing new."""
LATEST_FIRST_DAY = dt.date(2026, 11, 12)
"""Where a day takes long."""
QUICK = {"retry_first_wait": 0.05, "request_timeout": 5}
GROUPS = {
    "google": ["geo", "placement", "search_terms"],
    "microsoft": ["geo", "placement"],
    "facebook": ["geo", "placement"],
    "linkedin": ["geo", "placement"],
}
"""What the first pull loads beside the usual tables: what the views are made of."""


class Pull:
    """A database that runs of the supervisor fill from sandboxes of different days; `variables` say which."""

    first_day = FIRST_DAY
    program: type[subprocess.Popen[Any]] = Forked

    def __init__(self, directory: Path, **variables: str) -> None:
        self.directory = directory
        self.variables = variables
        self.report: dict[str, Any] = {}
        self.log = ""

    def run(
        self,
        *arguments: str,
        as_of: dt.datetime = AS_OF,
        faults: Mapping[str, Sequence[str]] | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        keys: Mapping[str, Mapping[str, Any]] | None = None,
        accounts: int | None = None,
        attempts: int = 1,
        only: Sequence[str] = PLATFORMS,
    ) -> int:
        """`supervisor run` of all platforms, or `only` some, against the world as it is at `as_of`; its exit code.

        `keys` are those of a platform in the configuration, beside its `settings`.
        """
        self.configure(settings or {}, keys or {}, attempts)
        options = ("--size", "tiny", "--as-of", as_of.isoformat(), "--first-day", self.first_day.isoformat())
        options += ("--accounts", str(accounts)) if accounts else ()
        google = ROOT / ".venvs" / "google" / "bin" / "python"
        with ForkedSandbox(only, options=options, faults=faults, interpreters={"google": google}) as sandbox:
            self.secrets = [
                v
                for k, v in sandbox.environment.items()
                if any(w in k for w in ("TOKEN", "SECRET")) and "U" not in k[-3:] and "/" not in v
            ]
            variables = {"PIPELINE_NOW": as_of.isoformat()} | sandbox.environment
            done = self._supervisor("run", "--only", *only, *arguments, variables=variables)
        self.log = done.stderr
        report = self.directory / "execution_report.json"
        self.report = json.loads(report.read_text()) if report.exists() else {}
        return done.returncode

    def platform(self, name: str) -> dict[str, Any]:
        return next(p for p in self.report["platforms"] if p["platform_name"] == name)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with reading(self.directory / "social_ads.duckdb") as connection:
            return connection.execute(query).fetchall()

    def table(self, platform: str, table: str) -> list[dict[str, Any]]:
        """A table's rows without the columns that each load stamps anew; JSON is parsed."""
        with reading(self.directory / "social_ads.duckdb") as connection:
            found = connection.execute(f'SELECT * EXCLUDE (_loaded_at, _run_id) FROM {platform}."{table}"')
            names = [column[0] for column in found.description]
            as_json = [column[0] for column in found.description if str(column[1]) == "JSON"]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        for row in rows:
            row.update({name: json.loads(row[name]) for name in as_json if row[name] is not None})
        return rows

    def fingerprint(self, platform: str, table: str) -> tuple[int, int]:
        """How many rows a table has, and what they are, in any order; without the columns that each load stamps anew."""
        own = f'SELECT * EXCLUDE (_loaded_at, _run_id) FROM {platform}."{table}"'
        return self.rows(f"SELECT count(*), bit_xor(md5_number(CAST(t AS VARCHAR))) FROM ({own}) t")[0]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the supervisor that asks no platform."""
        return self._supervisor(*arguments, variables={})

    def _supervisor(self, *arguments: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        process = self.program(
            [SUPERVISOR, *arguments],
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory), **self.variables, **variables},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=900)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def configure(
        self, settings: Mapping[str, Mapping[str, Any]], keys: Mapping[str, Mapping[str, Any]], attempts: int = 1
    ) -> None:
        """Write the configuration of all platforms."""
        retry = {"max_attempts": attempts, "backoff_seconds": 0.1}
        platforms = [
            {
                "name": name, "timeout": 400, "retry": retry,
                "settings": {"start_date": self.first_day.isoformat()} | QUICK | dict(settings.get(name, {})),
                **keys.get(name, {}),
            }
            for name in PLATFORMS
        ]  # fmt: skip
        config = {"orchestrator": {"max_parallel": 2}, "platforms": platforms}
        (self.directory / "orchestrator_config.yml").write_text(yaml.safe_dump(config))


@cache
def truth(
    platform: str, as_of: dt.datetime = AS_OF, first_day: dt.date = FIRST_DAY, accounts: int | None = None
) -> dict[str, list[dict[str, Any]]]:
    """What each table of a platform must hold after a run at `as_of`; several tests ask for the same, and none changes it."""
    world = World.at(as_of, "tiny", first_day=first_day, accounts=accounts)
    module = import_module(f"sandbox.{platform}.truth")
    last = as_of.date() + dt.timedelta(days=1)
    return {table: [_in_utc(row) for row in module.truth(world, table, first_day, last)] for table in module.TABLES}


def _in_utc(row: dict[str, Any]) -> dict[str, Any]:
    """Times as a database has them: UTC, without saying so."""
    return {
        k: v.astimezone(dt.UTC).replace(tzinfo=None) if isinstance(v, dt.datetime) and v.tzinfo else v
        for k, v in row.items()
    }


def assert_same_rows(found: list[dict[str, Any]], wanted: list[dict[str, Any]], what: str) -> None:
    """Row by row and value by value; says which row and which column differ first."""
    order = sorted(wanted[0]) if wanted else sorted(found[0]) if found else []
    assert not found or sorted(found[0]) == order, f"{what}: columns {sorted(found[0])} are not {order}"
    keys = [name for name in order if name.endswith(("_id", "date", "term", "type", "window", "metric", "query"))]
    key = lambda row: [str(row[name]) for name in keys]
    left, right = sorted(found, key=key), sorted(wanted, key=key)
    assert len(left) == len(right), f"{what}: {len(left)} rows, and {len(right)} in truth"
    for mine, true in zip(left, right, strict=True):
        if mine == true:
            continue
        different = {name: (mine[name], true[name]) for name in order if mine[name] != true[name]}
        assert not different, f"{what}: (database, truth) differ in {different} of {true}"


class StoredPull(Pull):
    """The same into another storage, with the columns that a DuckDB file has, and fewer days, which take longer there."""

    first_day = LATEST_FIRST_DAY

    def __init__(self, directory: Path, storage: Storage, model: Pull) -> None:
        super().__init__(directory, **storage.variables)
        self._storage = storage
        self._model = model

    def table(self, platform: str, table: str) -> list[dict[str, Any]]:
        described = self._model.rows(
            f"SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = '{platform}' "
            f"AND table_name = '{table}' AND NOT starts_with(column_name, '_') ORDER BY column_index"
        )
        kinds = {name: kind for kind, name in TYPES.items()}
        columns = tuple(Column(name, kinds[kind]) for name, kind in described)
        return self._storage.rows(platform, Table(table, columns, ()))

    def query(self, text: str) -> list[Any]:
        """What a storage that has SQL says to it."""
        found: list[Any] = self._storage.query(text)  # type: ignore[attr-defined]  # Vertica's alone has it
        return found


@pytest.fixture(
    params=[("vertica_double", "VerticaDatabase"), ("azurite", "AzureTables")], ids=["vertica", "azure_table"]
)
def stored_pull(request: pytest.FixtureRequest, tmp_path: Path, first_pull: Pull) -> Iterator[StoredPull]:
    """An empty storage of another kind, and runs into it."""
    module, name = request.param
    (tmp_path / "storage").mkdir()
    storage = getattr(import_module(module), name)(tmp_path / "storage")
    yield StoredPull(tmp_path, storage, first_pull)
    storage.close()


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    return Pull(tmp_path)


@pytest.fixture
def late_pull(pull: Pull) -> Pull:
    """An empty database, and runs into it of a world that begins late."""
    pull.first_day = LATE_FIRST_DAY
    return pull


@pytest.fixture
def filled_pull(first_pull: Pull, tmp_path: Path) -> Pull:
    """A copy of the database after one undisturbed run, for more runs."""
    shutil.copy(first_pull.directory / "social_ads.duckdb", tmp_path)
    return Pull(tmp_path)


@pytest.fixture(scope="session")
def first_pull(tmp_path_factory: pytest.TempPathFactory) -> Pull:
    """A database after one undisturbed run, made once for all workers; tests that use it only read.

    Here the command itself is started, as its users do; the other runs are forked from a process that has imported it.
    """
    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    made, complete = Pull(place / "first-pull"), place / "first-pull" / "complete"
    with (place / "first-pull.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.rmtree(made.directory, ignore_errors=True)
            made.directory.mkdir()
            made.program = subprocess.Popen
            settings = {name: {"tables": ["core", "conversions", *GROUPS[name]]} for name in PLATFORMS}
            assert made.run(settings=settings) == 0, made.log
            complete.touch()
    made.report = json.loads((made.directory / "execution_report.json").read_text())
    return made


@pytest.fixture(scope="session")
def same_rows() -> Any:
    return assert_same_rows


@pytest.fixture(scope="session")
def check_truth() -> Any:
    def check(
        pull: Pull,
        platform: str,
        as_of: dt.datetime = AS_OF,
        accounts: int | None = None,
        tables: Collection[str] | None = None,
    ) -> int:
        count = 0
        for table, wanted in truth(platform, as_of, pull.first_day, accounts).items():
            if tables is not None and table not in tables:
                continue
            found = pull.table(platform, table)
            assert_same_rows(found, wanted, f"{platform}.{table}")
            count += len(found)
        return count

    return check
