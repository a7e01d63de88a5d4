"""`supervisor run` over pipelines that send made-up rows, and the proof that they arrived."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import yaml

from bench import rows
from bench.process import BenchError, Finished, environment, run

SUPERVISOR = Path(sys.executable).with_name("supervisor")


def sender(count: int, window: int) -> list[str]:
    """The command of a pipeline that sends `count` rows."""
    return [sys.executable, rows.__file__, "--rows", str(count), "--window", str(window)]


def supervised(platforms: Sequence[str], *, count: int, window: int) -> Finished:
    """Run one pipeline per platform, all side by side, into a new DuckDB file; raises BenchError for a wrong row."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        configure(directory, platforms, count=count, window=window)
        finished = run([str(SUPERVISOR), "run"], directory=directory, variables=environment())
        for platform in platforms:
            check(directory / "social_ads.duckdb", f"{platform}.{rows.STREAM}", count, window)
    return finished


def configure(directory: Path, platforms: Sequence[str], *, count: int, window: int) -> None:
    """Write the configuration of pipelines that send `count` rows each."""
    config = {
        "orchestrator": {"max_parallel": len(platforms)},
        "platforms": [{"name": each, "command": sender(count, window), "timeout": 600} for each in platforms],
    }
    (directory / "orchestrator_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")


def check(database: Path, table: str, count: int, window: int) -> None:
    """Raise BenchError unless the table holds exactly the rows that were sent."""
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(rows.CHECK.format(table=table)).fetchone()
    wanted = rows.expected(count, window)
    if found != wanted:
        raise BenchError(f"{table} holds {found}, not {wanted}")
