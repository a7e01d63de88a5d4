"""What is kept of every run, and how it is asked for again: by the sink that keeps it, in the sink's own way."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from attrs import frozen

from supervisor.record.as_json import json_report
from supervisor.record.run_record import RunRecord
from supervisor.record.state import Place, whole


@frozen(kw_only=True)
class PlatformRun:
    """One platform's part of one kept run; times are UTC. `finished` is False where the run never came to its end."""

    run_id: str
    platform: str
    status: str
    started: dt.datetime
    duration_seconds: float
    rows: int
    retry_count: int
    error_message: str | None
    finished: bool


@frozen(kw_only=True)
class StoredState:
    """The state that a platform's pipeline last committed, as JSON text."""

    platform: str
    value: str


class History(Protocol):
    """Kept runs, open for reading. Every verb raises SinkError."""

    def platform_runs(self, platform: str | None, last: int) -> tuple[PlatformRun, ...]:
        """The parts of the last `last` runs, or of the last runs that had `platform`; newest first."""

    def reports(self, run_id: str, most: int = 2) -> tuple[Mapping[str, Any], ...]:
        """The kept report of the run of that id, or those of up to `most` runs whose ids begin so; newest first."""

    def states(self) -> tuple[StoredState, ...]:
        """The state of each platform."""

    def close(self) -> None:
        """Give the storage back."""


def states_of(rows: Iterable[tuple[str, str, str, str]]) -> tuple[StoredState, ...]:
    """The state of each platform, from rows of platform, table, account and the part that is theirs."""
    parts: dict[str, dict[Place, bytes]] = {}
    for platform, table, account, text in rows:
        parts.setdefault(platform, {})[table, account] = text.encode()
    whole_ones = ((platform, whole(found)) for platform, found in sorted(parts.items()))
    return tuple(StoredState(platform=name, value=state.decode()) for name, state in whole_ones if state is not None)


def kept_report(record: RunRecord) -> dict[str, Any]:
    """The report of a run as it is kept: without the memory curves, which would be most of it."""
    report: dict[str, Any] = json.loads(json_report(record))
    for platform in report["platforms"]:
        for attempt in platform["attempts"]:
            attempt.pop("samples", None)
    return report


NOT_OURS = (LookupError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading a report raises that is not one of ours."""


def platform_parts(report: Mapping[str, Any]) -> tuple[PlatformRun, ...]:
    """Each platform's part of a kept report; none where it is no report of ours."""
    try:
        return tuple(_parts(report))
    except NOT_OURS:
        return ()


def _parts(report: Mapping[str, Any]) -> Iterator[PlatformRun]:
    for part in report["platforms"]:
        yield PlatformRun(
            run_id=report["run_id"],
            platform=part["platform_name"],
            status=part["status"],
            started=dt.datetime.fromisoformat(part.get("started_at") or report["started_at"]),
            duration_seconds=part["duration_seconds"],
            rows=part["rows_processed"],
            retry_count=part["retry_count"],
            error_message=part["error_message"],
            finished=report["finished_at"] is not None,
        )
