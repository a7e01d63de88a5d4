"""Four pipelines side by side, each with a quarter of a million rows, into one DuckDB file."""

from __future__ import annotations

from bench.result import Result, per_second
from bench.supervised import supervised

_ROWS = 250_000
_TIMES = 3


def measure() -> list[Result]:
    runs = [supervised(["one", "two", "three", "four"], count=_ROWS, window=50_000) for _ in range(_TIMES)]
    best = min(runs, key=lambda each: each.seconds)
    return [
        Result(
            name="four",
            what="`supervisor run`, 4 pipelines at the same time, 250,000 rows each",
            figure=f"{per_second(4 * _ROWS, best.seconds)} ({best.seconds:.2f} s)",
            aim="≤ 5 s",
            peak_bytes=max(each.peak_bytes for each in runs),
            cpu_seconds=best.cpu_seconds,
            note=f"fastest of {_TIMES}",
        )
    ]
