"""A database that holds years: how fast rows come in, and what its snapshot costs, against an empty one."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time
from pathlib import Path

import duckdb

from bench import rows
from bench.process import Finished, environment, run
from bench.result import Result, per_second
from bench.supervised import SUPERVISOR, check, configure
from supervisor.sinks.duckdb.snapshot import write_snapshot

COUNT = int(os.environ.get("BENCH_ROWS", "10_000_000"))
HELD = int(os.environ.get("BENCH_HELD", "50_000_000"))
_WINDOW = 50_000
_TABLE = f"rows.{rows.STREAM}"


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        empty, full = Path(name, "empty"), Path(name, "full")
        for directory in (empty, full):
            directory.mkdir()
            configure(directory, ["rows"], count=COUNT, window=_WINDOW)
        first = _load(empty)
        check(empty / "x.duckdb", _TABLE, COUNT, _WINDOW)
        _make_large(empty / "x.duckdb", full / "x.duckdb")
        began = dt.datetime.now(dt.UTC)
        second = _load(full)
        return [
            _result("load, empty database", "an empty DuckDB file", first),
            _result(
                "load, large database", f"one that holds {HELD:,} rows", second,
                more=f"; {first.seconds / second.seconds:.2f} × the speed into an empty one", aim="≥ 0.8 ×",
            ),
            _snapshot(full / "x.duckdb", began),
        ]  # fmt: skip


def _load(directory: Path) -> Finished:
    variables = environment(DUCKDB_PATH=str(directory / "x.duckdb"), DUCKDB_SNAPSHOT="false")
    return run([str(SUPERVISOR), "run"], directory=directory, variables=variables, timeout=2000)


def _make_large(loaded: Path, large: Path) -> None:
    """The same rows again and again, of days and campaigns that the next load does not touch."""
    with duckdb.connect(str(large), config={"threads": 1}) as connection:
        connection.execute(f"ATTACH '{loaded}' AS loaded (READ_ONLY)")
        connection.execute("CREATE SCHEMA rows")
        connection.execute(f"CREATE TABLE {_TABLE} AS FROM loaded.{_TABLE} LIMIT 0")
        for held in range(0, HELD, COUNT):
            years = held // COUNT + 1
            connection.execute(
                f"INSERT INTO {_TABLE} SELECT * REPLACE (date - INTERVAL ({years}) YEAR AS date) "
                f"FROM loaded.{_TABLE} LIMIT {min(COUNT, HELD - held)}"
            )


def _result(name: str, where: str, finished: Finished, *, more: str = "", aim: str = "") -> Result:
    return Result(
        name=name,
        what=f"`supervisor run`, 1 pipeline, {COUNT:,} rows × 15 columns, into {where}, without its snapshot",
        figure=f"{per_second(COUNT, finished.seconds)} ({finished.seconds:.1f} s){more}",
        aim=aim,
        peak_bytes=finished.peak_bytes,
        cpu_seconds=finished.cpu_seconds,
        note="one run",
    )


def _snapshot(database: Path, changed_since: dt.datetime) -> Result:
    began = time.perf_counter()
    write_snapshot(database, database.with_name("snapshot.duckdb"))
    whole = time.perf_counter() - began
    began, cpu = time.perf_counter(), time.process_time()
    write_snapshot(database, database.with_name("snapshot.duckdb"), since=changed_since)
    seconds = time.perf_counter() - began
    return Result(
        name="snapshot, large database",
        what=f"the copy for readers of a file of {database.stat().st_size / 1e9:.1f} GB, read where the run changed it",
        figure=f"{seconds:.1f} s; {whole:.1f} s if all of it is read",
        peak_bytes=0,
        cpu_seconds=time.process_time() - cpu,
        note="in this process",
    )
