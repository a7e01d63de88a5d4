"""The same rows by other tools: dlt with Arrow tables, and a Singer target at the end of a plain pipe."""

from __future__ import annotations

import json
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb

from bench import rows
from bench.load import ROWS
from bench.process import ROOT, BenchError, Finished, environment, run
from bench.result import Result, per_second
from bench.supervised import check, sender

_WINDOW = 50_000
_TIMES = 3
_TARGET_ROWS = 200_000


def measure() -> list[Result]:
    return [_dlt("rows"), _dlt("columns"), _target()]


def _dlt(given: str) -> Result:
    runs = [_run_dlt(given) for _ in range(_TIMES)]
    best = min(runs, key=lambda each: each.seconds)
    return Result(
        name=f"peer: dlt, {given}",
        what=f"dlt, the same rows as Arrow tables of 50,000 made of Python {given}, one process, no JSON, no checks",
        figure=f"{per_second(ROWS, best.seconds)} ({best.seconds:.2f} s)",
        peak_bytes=max(each.peak_bytes for each in runs),
        cpu_seconds=best.cpu_seconds,
        note=f"fastest of {_TIMES}",
        rows_per_second=ROWS / best.seconds,
    )


def _run_dlt(given: str) -> Finished:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        database = directory / "loaded.duckdb"
        variables = environment(HOME=name, DLT_DATA_DIR=name, RUNTIME__DLTHUB_TELEMETRY="false")
        python = str(ROOT / ".venvs" / "bench-dlt" / "bin" / "python")
        command = [python, "-m", "bench.dlt_load", str(database), str(ROWS), str(_WINDOW), given]
        finished = run(command, directory=ROOT, variables=variables)
        check(database, f"peer.{rows.STREAM}", ROWS, _WINDOW)
    return finished


def _target() -> Result:
    finished, stored = _run_target()
    return Result(
        name="peer: target-duckdb",
        what=f"target-duckdb behind the same pipeline in a shell pipe, {_TARGET_ROWS:,} rows; it stored {stored:,}",
        figure=f"{per_second(_TARGET_ROWS, finished.seconds)} ({finished.seconds:.2f} s)",
        peak_bytes=finished.peak_bytes,
        cpu_seconds=finished.cpu_seconds,
        note="one run",
        rows_per_second=_TARGET_ROWS / finished.seconds,
    )


def _run_target() -> tuple[Finished, int]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        database, config = directory / "loaded.duckdb", directory / "config.json"
        config.write_text(json.dumps({"path": str(database), "default_target_schema": "peer"}))
        target = ROOT / ".venvs" / "bench-target-duckdb" / "bin" / "target-duckdb"
        with subprocess.Popen(
            sender(_TARGET_ROWS, _WINDOW), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
        ) as feeder:
            assert feeder.stdout is not None
            finished = run(
                [str(target), "--config", str(config)],
                directory=directory,
                variables=environment(),
                stdin=feeder.stdout,
            )
        return finished, _stored(database)


def _stored(database: Path) -> int:
    """How many rows the target kept: it takes the first line of each file that it copies for a header, and drops it.

    Their costs tell whether the others are right; days and times it keeps as it sees fit.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        query = f"SELECT count(*), sum(CAST(cost AS DECIMAL(38, 18))) FROM peer.{rows.STREAM}"
        count, cost = connection.execute(query).fetchall()[0]
    if count < _TARGET_ROWS * 0.999 or abs(cost / rows.expected(_TARGET_ROWS, _WINDOW)[5] - 1) > Decimal("0.001"):
        raise BenchError(f"target-duckdb stored {count:,} of {_TARGET_ROWS:,} rows, with a cost of {cost}")
    return int(count)
