"""The night of an agency: many accounts with a few rows each, so many small regions, into DuckDB and Vertica."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import yaml
from attrs import evolve

from bench import regions, storages
from bench.process import BenchError, environment, run
from bench.result import Result, per_second
from bench.storages import Storage
from bench.supervised import SUPERVISOR

ACCOUNTS, MANY = 800, 5_000


def measure() -> list[Result]:
    few, seconds = _night(storages.duckdb, ACCOUNTS, "≤ 6 s, ≤ 40 MB on the wire")
    many, longer = _night(storages.duckdb, MANY, "linear within 15 %, ≤ 300 MiB")
    per_account = (longer / MANY) / (seconds / ACCOUNTS)
    many = evolve(many, figure=f"{many.figure}; {per_account:.2f} × the time per account of {ACCOUNTS}")
    return [few, many, _night(storages.vertica, ACCOUNTS, "≤ 25 s")[0]]


def _night(kind: Callable[[Path], AbstractContextManager[Storage]], accounts: int, aim: str) -> tuple[Result, float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        command = [sys.executable, regions.__file__, "--accounts", str(accounts)]
        platforms = [{"name": "agency", "command": command, "timeout": 600}]
        (directory / "orchestrator_config.yml").write_text(yaml.safe_dump({"platforms": platforms}), encoding="utf-8")
        with kind(directory) as storage:
            finished = run([str(SUPERVISOR), "run"], directory=directory, variables=environment(**storage.variables))
            attempt = json.loads((directory / "execution_report.json").read_text())["platforms"][0]["attempts"][0]
            _check(storage, accounts, attempt["rows"])
    result = Result(
        name=f"agency, {storage.kind}",
        what=f"{accounts:,} accounts × {len(regions.TABLES)} tables × {regions.DAYS} rows, into {storage.where}",
        figure=f"{finished.seconds:.1f} s, {attempt['bytes_read'] / 1e6:.0f} MB on the wire",
        aim=aim,
        peak_bytes=finished.peak_bytes,
        cpu_seconds=finished.cpu_seconds,
        note=f"one run; {per_second(attempt['rows'], finished.seconds)}",
    )
    return result, finished.seconds


def _check(storage: Storage, accounts: int, told: int) -> None:
    """Raise BenchError unless every row is there; of a database that can be read, what it holds."""
    wanted = sum(regions.expected(accounts, table)[0] for table in range(len(regions.TABLES)))
    if told != wanted:
        raise BenchError(f"{storage.kind}: the report tells of {told:,} rows, and {wanted:,} were sent")
    if storage.kind != "duckdb":
        return
    with duckdb.connect(storage.variables["DUCKDB_PATH"], read_only=True) as connection:
        for number, table in enumerate(regions.TABLES):
            found = connection.execute(regions.CHECK.format(table=f"agency.{table}")).fetchone()
            if found != regions.expected(accounts, number):
                raise BenchError(f"agency.{table} holds {found}, not {regions.expected(accounts, number)}")
