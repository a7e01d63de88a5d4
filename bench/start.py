"""What the supervisor adds to a pipeline that has next to nothing to do."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench.process import environment, run
from bench.result import Result
from bench.supervised import sender, supervised

_TIMES = 9


def measure() -> list[Result]:
    """The median of what `supervisor run` takes longer than the bare pipeline, each started right after the other."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        pairs = [
            (
                supervised(["rows"], count=1, window=1),
                run(sender(1, 1), directory=Path(name), variables=environment()),
            )
            for _ in range(_TIMES)
        ]
    added = statistics.median(whole.seconds - bare.seconds for whole, bare in pairs)
    whole = statistics.median(whole.seconds for whole, _ in pairs)
    bare = statistics.median(bare.seconds for _, bare in pairs)
    return [
        Result(
            name="start",
            what="`supervisor run` of a pipeline that sends one row, less the same pipeline alone",
            figure=f"{added:.2f} s ({whole:.2f} s less {bare:.2f} s)",
            aim="≤ 0.25 s",
            peak_bytes=max(whole.peak_bytes for whole, _ in pairs),
            cpu_seconds=statistics.median(whole.cpu_seconds for whole, _ in pairs),
            note=f"median of {_TIMES}",
        )
    ]
