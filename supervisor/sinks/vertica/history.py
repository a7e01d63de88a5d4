"""The runs in Vertica: `_supervisor.runs`, `_supervisor.platforms` and `_supervisor.attempts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supervisor.config.environment import VerticaAccess
from supervisor.config.errors import SinkError
from supervisor.record.history import PlatformRun, StoredState, states_of
from supervisor.record.run_record import RunRecord
from supervisor.sinks.history_rows import PLATFORM_RUN_COLUMNS, chosen_reports, platform_run, rows_of_run
from supervisor.sinks.vertica.bookkeeping import LONGEST_TEXT, TABLES
from supervisor.sinks.vertica.connection import Link, label
from supervisor.sinks.vertica.literals import literal
from supervisor.sinks.vertica.refusals import MISSING, RefusedError
from supervisor.sinks.vertica.state import has_parts
from supervisor.sinks.vertica.transfer import insert

_PLATFORM_RUNS = f"SELECT {PLATFORM_RUN_COLUMNS} FROM _supervisor.platforms"


def store_run(link: Link, record: RunRecord) -> None:
    """Keep a run, in place of what was kept of it before. Raises SinkError."""
    tables = rows_of_run(record)
    report = len(tables["runs"][0][-1].encode())
    if report > LONGEST_TEXT:
        raise SinkError(f"the report of the run has {report:,} octets, and {LONGEST_TEXT:,} can be kept")
    try:
        for table, rows in tables.items():
            doing = f"keep the run in _supervisor.{table}"
            link.run(f"DELETE FROM _supervisor.{table} WHERE run_id = {literal(record.run_id)}", doing)
            if rows:
                insert(link, f"_supervisor.{table}", tuple(TABLES[table]), rows, doing)
        link.run("COMMIT", "keep the run")
    except BaseException:
        link.roll_back()
        raise


class VerticaHistory:
    """A connection that reads beside whatever run is going on."""

    def __init__(self, access: VerticaAccess) -> None:
        self._access = access
        self._link = Link(access, label("history"))
        self._link.open()

    def platform_runs(self, platform: str | None, last: int) -> tuple[PlatformRun, ...]:
        if platform is not None:
            rows = self._rows(
                f"{_PLATFORM_RUNS} WHERE platform = {literal(platform)} "
                f"ORDER BY started_at DESC, run_id DESC LIMIT {last:d}"
            )
        else:
            newest = f"SELECT run_id FROM _supervisor.runs ORDER BY started_at DESC, run_id DESC LIMIT {last:d}"
            rows = self._rows(f"{_PLATFORM_RUNS} WHERE run_id IN ({newest}) ORDER BY started_at DESC, run_id DESC")
        return tuple(map(platform_run, rows))

    def reports(self, run_id: str, most: int = 2) -> tuple[Mapping[str, Any], ...]:
        wanted = literal(run_id)
        rows = self._rows(
            f"SELECT report FROM _supervisor.runs WHERE substr(run_id, 1, {len(run_id)}) = {wanted} "
            f"ORDER BY CASE WHEN run_id = {wanted} THEN 0 ELSE 1 END, started_at DESC LIMIT {most:d}"
        )
        return chosen_reports((row[0] for row in rows), run_id)

    def states(self) -> tuple[StoredState, ...]:
        parts = "coalesce(stream, ''), coalesce(account, '')" if has_parts(self._link) else "'', ''"
        rows = self._rows(f'SELECT platform, {parts}, "value" FROM _supervisor.state')
        return states_of([(platform, table, account, text) for platform, table, account, text in rows])

    def close(self) -> None:
        self._link.close()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            return self._link.run(query, "show what is kept of runs")
        except RefusedError as refusal:
            if refusal.sqlstate not in MISSING:
                raise
            raise SinkError(
                f"the Vertica database {self._access.database} has nothing of any run; no run has made it yet, or "
                "VERTICA_DATABASE names another"
            ) from refusal
