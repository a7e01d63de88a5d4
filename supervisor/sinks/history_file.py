"""The runs in a local file of JSON lines, where no database keeps them: one line per run, the last of an id counts."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from supervisor.config.errors import SinkError
from supervisor.record.history import PlatformRun, StoredState, kept_report, platform_parts
from supervisor.record.run_record import RunRecord


def append_run(path: Path, record: RunRecord) -> None:
    """Add a run's line, whole or not at all, also beside other runs that add theirs. Raises SinkError."""
    line = json.dumps(kept_report(record), ensure_ascii=False).encode() + b"\n"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _append(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as cause:
        raise SinkError(f"the history file {path.absolute()} cannot be written: {cause.strerror or cause}") from cause


def _append(descriptor: int, line: bytes) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    size = os.fstat(descriptor).st_size
    # A line that a crash cut short must not swallow the next one.
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    content = b"\n" + line if torn else line
    try:
        written = os.write(descriptor, content)
        if written != len(content):
            raise OSError(f"only {written} of {len(content)} bytes went in")
    except OSError:
        with suppress(OSError):  # a device or a pipe keeps what it got
            os.ftruncate(descriptor, size)
        raise


class HistoryFile:
    """A file of runs, read from its end, so that the last runs of a long history come at once.

    `no_state` is what is said to somebody who asks it for states.
    """

    def __init__(self, path: Path, *, no_state: str = "no state is kept here") -> None:
        self._path = path.absolute()
        self._no_state = no_state
        if not self._path.exists():
            raise SinkError(
                f"there is no history file {self._path}; no run has made it yet, or HISTORY_PATH names another"
            )

    def platform_runs(self, platform: str | None, last: int) -> tuple[PlatformRun, ...]:
        needle = b"" if platform is None else b'"platform_name": ' + json.dumps(platform, ensure_ascii=False).encode()
        found: list[PlatformRun] = []
        runs = 0
        for report in self._newest_first(needle):
            parts = [part for part in platform_parts(report) if platform in (None, part.platform)]
            found += parts
            runs += bool(parts)
            if runs == last:
                break
        return tuple(found)

    def reports(self, run_id: str, most: int = 2) -> tuple[Mapping[str, Any], ...]:
        whole = json.dumps(run_id, ensure_ascii=False).encode()
        for needle in (b'{"run_id": ' + whole, b'{"run_id": ' + whole[:-1]):
            found: list[Mapping[str, Any]] = []
            for report in self._newest_first(needle):
                found.append(report)
                if len(found) == most or report["run_id"] == run_id:
                    break
            if found:
                return tuple(found)
        return ()

    def states(self) -> tuple[StoredState, ...]:
        raise SinkError(self._no_state)

    def close(self) -> None:
        """Nothing is held between two questions."""

    def _newest_first(self, needle: bytes) -> Iterator[dict[str, Any]]:
        """The last line of each run whose line holds `needle`; lines that are no report are passed over."""
        seen: set[str] = set()
        with self._mapped() as content:
            for line in _lines_from_the_end(content, needle):
                report = _report(line)
                if report is not None and report["run_id"] not in seen:
                    seen.add(report["run_id"])
                    yield report

    @contextmanager
    def _mapped(self) -> Iterator[mmap.mmap | None]:
        try:
            with self._path.open("rb") as file:
                if not os.fstat(file.fileno()).st_size:
                    yield None
                    return
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    yield content
        except OSError as cause:
            raise SinkError(f"the history file {self._path} cannot be read: {cause.strerror or cause}") from cause


def _lines_from_the_end(content: mmap.mmap | None, needle: bytes) -> Iterator[bytes]:
    if content is None:
        return
    end = len(content)
    while end > 0:
        at = content.rfind(needle, 0, end) if needle else end - 1
        if at < 0:
            return
        first = content.rfind(b"\n", 0, at) + 1
        stop = content.find(b"\n", at, end)
        line = content[first : stop if stop >= 0 else end]
        if line:
            yield line
        end = first - 1 if first else 0


def _report(line: bytes) -> dict[str, Any] | None:
    try:
        report = json.loads(line)
    except ValueError:
        return None
    return report if isinstance(report, dict) and isinstance(report.get("run_id"), str) else None
