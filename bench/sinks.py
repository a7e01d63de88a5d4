"""The same rows into every storage, and how long a window of ten rows takes from its file to its commit."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bench import rows, storages
from bench.process import BenchError, Finished, environment, run
from bench.result import Result, per_second
from bench.storages import Storage
from bench.supervised import SUPERVISOR, configure
from supervisor.environment import read_environment
from supervisor.sinks import Commit, Session, open_sink
from wire.messages import Replaces
from wire.schema import Column, Table, Type

_ROWS, _WINDOW = 1_000_000, 50_000
_AZURE_ROWS, _AZURE_WINDOW = 50_000, 5_000
_SMALL_WINDOW = 10
_COMMITS = 60
_KINDS: tuple[Callable[[Path], AbstractContextManager[Storage]], ...] = (
    storages.duckdb,
    storages.vertica,
    storages.singer,
    storages.none,
    storages.azure_table,
)


def measure() -> list[Result]:
    results: list[Result] = []
    for kind in _KINDS:
        results += [_throughput(kind), _latency(kind)]
    return results


def _throughput(kind: Callable[[Path], AbstractContextManager[Storage]]) -> Result:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with kind(directory) as storage:
            is_azure = storage.kind == "azure_table"
            count, window = (_AZURE_ROWS, _AZURE_WINDOW) if is_azure else (_ROWS, _WINDOW)
            finished = _load(storage, directory, count, window)
            storage.check("rows", count, window)
    return Result(
        name=f"sink {storage.kind}",
        what=f"`supervisor run`, {count:,} rows × 15 columns in {count // window} commits, into {storage.where}",
        figure=f"{per_second(count, finished.seconds)} ({finished.seconds:.2f} s)",
        aim={"vertica": "≥ 200,000 rows/s", "azure_table": "≥ 1,200 rows/s"}.get(storage.kind, ""),
        peak_bytes=finished.peak_bytes,
        cpu_seconds=finished.cpu_seconds,
        note="one run",
    )


def _load(storage: Storage, directory: Path, count: int, window: int) -> Finished:
    configure(directory, ["rows"], count=count, window=window)
    finished = run([str(SUPERVISOR), "run"], directory=directory, variables=environment(**storage.variables))
    stored = json.loads((directory / "execution_report.json").read_text())["summary"]["total_rows_processed"]
    if stored != count:
        raise BenchError(f"{storage.kind}: the report tells of {stored:,} rows, and {count:,} were sent")
    return finished


def _latency(kind: Callable[[Path], AbstractContextManager[Storage]]) -> Result:
    """In this process, so the CPU time and memory of the sink are not told apart from the benchmark's."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, kind(Path(name)) as storage:
        sink = open_sink(read_environment(storage.variables))
        try:
            session = sink.session("rows", "bench")
            times = _commits(session, Path(name))
            session.flush()
            session.close()
        finally:
            sink.close()
    return Result(
        name=f"sink {storage.kind}, small window",
        what=f"a window of {_SMALL_WINDOW} rows from its spooled file to its commit, into {storage.where}",
        figure=f"{1000 * statistics.median(times):.1f} ms",
        peak_bytes=0,
        cpu_seconds=0.0,
        note=f"median of {len(times)}, the slowest {1000 * max(times):.0f} ms",
    )


def _commits(session: Session, directory: Path) -> list[float]:
    columns = tuple(Column(name, Type(kind)) for name, kind in rows.COLUMNS.items())
    session.prepare(Table(rows.STREAM, columns, ("account_id", "campaign_id", "date"), "date"))
    times = []
    for number in range(_COMMITS):
        spool = directory / "spool.jsonl"
        spool.write_text("".join(json.dumps(row) + "\n" for row in rows.window_rows(number, _SMALL_WINDOW)))
        day = rows.day_of(number).isoformat()
        region = Replaces(stream=rows.STREAM, where={"account_id": rows.ACCOUNT}, first=day, last=day)
        begun = time.perf_counter()
        session.stage(rows.STREAM, spool, _SMALL_WINDOW)
        state = json.dumps({"number": number}).encode()
        session.commit(Commit(streams=(rows.STREAM,), state=state, replaces=region))
        times.append(time.perf_counter() - begun)
    return times[_COMMITS // 10 :]
