"""The DuckDB file as the suite sees it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, ClassVar

import duckdb
from reading import reading

from supervisor.sinks.duckdb.sink import DuckDBSink
from wire.schema import Table, Type


class DuckDBFile:
    keeps_rows: ClassVar[bool] = True
    keeps_state: ClassVar[bool] = True
    replaces: ClassVar[bool] = True
    isolated: ClassVar[bool] = True
    widest: ClassVar[int] = 1000
    longest_text: ClassVar[int] = 5_000_000

    def __init__(self, directory: Path) -> None:
        self.path = directory / "x.duckdb"
        self._sink: DuckDBSink | None = None

    @property
    def variables(self) -> dict[str, str]:
        return {"STORAGE_TYPE": "duckdb", "DUCKDB_PATH": str(self.path)}

    def open(self) -> DuckDBSink:
        self._sink = DuckDBSink(self.path)
        return self._sink

    def rows(self, platform: str, table: Table) -> list[dict[str, Any]]:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        with self._connection() as connection:
            try:
                found = connection.execute(f'SELECT {names} FROM "{platform}"."{table.name}"').fetchall()
            except duckdb.CatalogException:
                return []
        as_json = {c.name for c in table.columns if c.type is Type.JSON}
        rows = [dict(zip((c.name for c in table.columns), row, strict=True)) for row in found]
        return [{k: json.loads(v) if k in as_json and v is not None else v for k, v in row.items()} for row in rows]

    def _connection(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """One process may not open a file twice with different settings, so beside the sink its own is used."""
        if self._sink:
            with suppress(duckdb.ConnectionException):
                return self._sink._connection.cursor()
        return reading(self.path)

    def occupy(self, platform: str, table: Table) -> None:
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{platform}"')
            connection.execute(f'CREATE TABLE "{platform}"."{table.name}" (mine VARCHAR)')

    def leave_old_state(self, platform: str, state: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS _supervisor")
            connection.execute("DROP TABLE IF EXISTS _supervisor.state")
            connection.execute(
                "CREATE TABLE _supervisor.state (platform VARCHAR NOT NULL, value VARCHAR NOT NULL, "
                "run_id VARCHAR NOT NULL, updated_at TIMESTAMP NOT NULL)"
            )
            connection.execute(
                "INSERT INTO _supervisor.state VALUES (?, ?, 'run-0', TIMESTAMP '2026-11-20')", [platform, state]
            )

    def state_writes(self, run_id: str) -> int | None:
        with self._connection() as connection:
            found = connection.execute("SELECT count(*) FROM _supervisor.state WHERE run_id = ?", [run_id]).fetchone()
        return int(found[0]) if found else 0

    def forget_dead_run(self) -> None:
        pass

    def close(self) -> None:
        pass
