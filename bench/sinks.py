"""The same rows into every storage: through `supervisor run`, through the sink alone, and in windows of ten rows."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from attrs import frozen

from bench import rows, storages
from bench.process import BenchError, Finished, environment, run
from bench.result import Result, per_second
from bench.storages import Storage
from bench.supervised import SUPERVISOR, configure
from supervisor.config.environment import read_environment
from supervisor.sinks import Commit, open_sink
from wire.messages import Replaces
from wire.schema import Column, Table, Type

_ROWS, _WINDOW = 1_000_000, 50_000
_AZURE_ROWS, _AZURE_WINDOW = 50_000, 5_000
_SMALL_WINDOW, _SMALL_COMMITS = 10, 60
_ALONE_COMMITS = 10
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
    return [*results, _alone(storages.duckdb), _alone(storages.vertica)]


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
        aim="≥ 1,200 rows/s" if is_azure else "",
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
    with _Session(kind) as session:
        times = [session.commit(number, _SMALL_WINDOW).seconds for number in range(_SMALL_COMMITS)]
        times = times[_SMALL_COMMITS // 10 :]  # the first ones meet cold caches
    return Result(
        name=f"sink {session.kind}, small window",
        what=f"a window of {_SMALL_WINDOW} rows from its spooled file to its commit, into {session.where}",
        figure=f"{1000 * statistics.median(times):.1f} ms",
        peak_bytes=0,
        cpu_seconds=0.0,
        note=f"median of {len(times)}, the slowest {1000 * max(times):.0f} ms",
    )


def _alone(kind: Callable[[Path], AbstractContextManager[Storage]]) -> Result:
    with _Session(kind) as session:
        taken = [session.commit(number, _WINDOW) for number in range(_ALONE_COMMITS)]
    seconds = statistics.median(each.seconds for each in taken)
    cpu = statistics.median(each.cpu_seconds for each in taken)
    return Result(
        name=f"sink {session.kind}, alone",
        what=f"windows of {_WINDOW:,} rows from their spooled files to their commits, into {session.where}",
        figure=f"{_WINDOW / cpu:,.0f} rows per CPU-s of the client; {per_second(_WINDOW, seconds)}",
        aim="≥ 200,000 rows/s of client work" if session.kind == "vertica" else "",
        peak_bytes=0,
        cpu_seconds=cpu,
        note=f"median of {_ALONE_COMMITS}; CPU per window",
    )


@frozen
class _Taken:
    seconds: float
    cpu_seconds: float


class _Session:
    """A session of a sink in this process, whose memory is not told apart from the benchmark's."""

    def __init__(self, kind: Callable[[Path], AbstractContextManager[Storage]]) -> None:
        self._kind = kind
        self.kind = self.where = ""

    def __enter__(self) -> _Session:
        with ExitStack() as stack:
            self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            storage = stack.enter_context(self._kind(self._directory))
            self.kind, self.where = storage.kind, storage.where
            sink = open_sink(read_environment(storage.variables))
            stack.callback(sink.close)
            self._session = sink.session("rows", "bench")
            stack.callback(self._session.close)
            columns = tuple(Column(name, Type(kind)) for name, kind in rows.COLUMNS.items())
            self._session.prepare(Table(rows.STREAM, columns, ("account_id", "campaign_id", "date"), "date"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def commit(self, number: int, window: int) -> _Taken:
        """Replace the region of one day, with the state; making the file is not measured."""
        spool = self._directory / "spool.jsonl"
        spool.write_text("".join(json.dumps(row) + "\n" for row in rows.window_rows(number, window)))
        day = rows.day_of(number).isoformat()
        region = Replaces(stream=rows.STREAM, where={"account_id": rows.ACCOUNT}, first=day, last=day)
        commit = Commit(streams=(rows.STREAM,), state=json.dumps({"number": number}).encode(), replaces=region)
        begun, cpu = time.perf_counter(), time.process_time()
        self._session.stage(rows.STREAM, spool, window)
        (stored,) = self._session.commit([commit])
        taken = _Taken(time.perf_counter() - begun, time.process_time() - cpu)
        if stored != {rows.STREAM: window}:
            raise BenchError(f"{self.kind} stored {stored}, not {window:,} rows")
        return taken
