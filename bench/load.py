"""The load path: a child process writes a million rows, `supervisor run` commits them to DuckDB."""

from __future__ import annotations

from bench.result import Result, per_second
from bench.supervised import supervised

ROWS = 1_000_000
_TIMES = 3


def measure() -> list[Result]:
    return [
        _best("load", 50_000, aim="≥ 250,000 rows/s, ≤ 300 MiB"),
        _best("load, small commits", 5_000),
    ]


def _best(name: str, window: int, aim: str = "") -> Result:
    runs = [supervised(["rows"], count=ROWS, window=window) for _ in range(_TIMES)]
    best = min(runs, key=lambda each: each.seconds)
    return Result(
        name=name,
        what=f"`supervisor run`, 1 pipeline, 1,000,000 rows × 15 columns, {ROWS // window} commits of {window:,} rows",
        figure=f"{per_second(ROWS, best.seconds)} ({best.seconds:.2f} s)",
        aim=aim,
        peak_bytes=max(each.peak_bytes for each in runs),
        cpu_seconds=best.cpu_seconds,
        note=f"fastest of {_TIMES}",
        rows_per_second=ROWS / best.seconds,
    )
