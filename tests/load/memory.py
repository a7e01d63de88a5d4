"""A session that keeps what it is given, and a pipeline whose output a test cuts where it likes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from supervisor.config.errors import SinkError
from supervisor.load.loader import Loader
from supervisor.sinks import Commit, Result
from wire.schema import Table


class Memory:
    """A session that keeps what it is given.

    `slow` makes each commit take a while, or until it is interrupted; `refuses` makes the n-th fail.
    """

    def __init__(self, *, slow: float = 0.0, refuses: int | None = None, refuses_to_flush: bool = False) -> None:
        self.interrupted = threading.Event()
        self.refuses_to_flush = refuses_to_flush
        self.staged: dict[str, list[Any]] = {}
        self.committed: list[tuple[dict[str, list[Any]], Any]] = []
        self.slow, self.refuses = slow, refuses
        self.parts: dict[str, list[int]] = {}
        self.transactions: list[int] = []

    def prepare(self, table: Table) -> None:
        self.staged.setdefault(table.name, [])

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        rows = [json.loads(line) for line in spool.read_bytes().splitlines()]
        assert len(rows) == count
        self.staged[stream] += rows
        self.parts[stream] = list(parts) if len(parts) > 1 else [len(self.staged[stream])]
        assert sum(self.parts[stream]) == len(self.staged[stream])

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        self.transactions.append(len(commits))
        return [self.commit_one(commit) for commit in commits]

    def commit_one(self, commit: Commit) -> Mapping[str, int]:
        if self.interrupted.wait(self.slow):
            raise SinkError("interrupted")
        if self.refuses == len(self.committed):
            raise SinkError("the disk is full")
        taken = {}
        for stream in commit.streams:
            count = self.parts[stream].pop(0) if self.parts.get(stream) else 0
            taken[stream], self.staged[stream] = self.staged[stream][:count], self.staged[stream][count:]
        self.committed.append((taken, json.loads(commit.state) if commit.state else None))
        return {stream: len(rows) for stream, rows in taken.items()}

    def discard(self) -> None:
        self.staged = {stream: [] for stream in self.staged}
        self.parts = {}

    def flush(self) -> None:
        if self.refuses_to_flush:
            raise SinkError("what was sent never arrived")

    def interrupt(self) -> None:
        self.interrupted.set()

    def state(self) -> bytes | None:
        return None

    def forget_state(self) -> None:
        return

    def close(self) -> None:
        return


def load(
    session: Memory, blocks: list[bytes], directory: Path, *, keep: bool = True, kind: type[Loader] = Loader
) -> Loader:
    read, write = os.pipe()
    loader = kind(session, directory, notice=lambda _: None)
    loader.start(read)

    def send() -> None:
        try:
            for block in blocks:
                os.write(write, block)
        except BrokenPipeError:
            pass
        finally:
            os.close(write)

    sender = threading.Thread(target=send)
    sender.start()
    assert loader.wait(60), "the loader hangs"
    loader.finish(keep=keep)
    sender.join(5)
    assert not sender.is_alive()
    assert not list(directory.iterdir()), "spooled rows were left behind"
    return loader


def line(**message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"
