"""A Vertica database as the suite sees it: one server double per test session, emptied for each storage."""

from __future__ import annotations

import atexit
import json
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import vertica_python

from sandbox.vertica.running import VerticaDouble
from supervisor.config.environment import TlsMode, VerticaAccess
from supervisor.sinks.vertica.sink import VerticaSink
from wire.schema import Table, Type

USER, PASSWORD, DATABASE = "etl", "a-password", "marketing"


@cache
def server(lock_timeout: float = 300.0) -> VerticaDouble:
    """The one that storages share; by default its lock timeout is Vertica's own."""
    double = VerticaDouble(users={USER: PASSWORD}, database=DATABASE, lock_timeout=lock_timeout)
    double.__enter__()
    atexit.register(double.__exit__, None, None, None)
    return double


def access_to(double: VerticaDouble, **other: Any) -> VerticaAccess:
    values: dict[str, Any] = {
        "host": double.host, "port": double.port, "database": DATABASE, "user": USER, "password": PASSWORD,
        "tls_mode": TlsMode.DISABLE, "ca_file": None, "backup_nodes": (), "timeout": 60.0,
    }  # fmt: skip
    return VerticaAccess(**values | other)


class VerticaDatabase:
    keeps_rows: ClassVar[bool] = True
    keeps_state: ClassVar[bool] = True
    replaces: ClassVar[bool] = True
    isolated: ClassVar[bool] = True
    widest: ClassVar[int] = 1000
    longest_text: ClassVar[int] = 65_000

    def __init__(self, directory: Path, lock_timeout: float = 300.0) -> None:
        self._directory = directory
        self.server = server(lock_timeout)
        self.server.clear_faults()
        schemas = self.query(
            "SELECT schema_name FROM v_catalog.schemata WHERE NOT is_system_schema AND schema_name <> 'public'"
        )
        for (name,) in schemas:
            self.query(f'DROP SCHEMA "{name}" CASCADE')

    @property
    def variables(self) -> dict[str, str]:
        return {
            "STORAGE_TYPE": "vertica",
            "VERTICA_HOST": self.server.host,
            "VERTICA_PORT": str(self.server.port),
            "VERTICA_DATABASE": DATABASE,
            "VERTICA_USER": USER,
            "VERTICA_PASSWORD": PASSWORD,
        }

    def open(self, **other: Any) -> VerticaSink:
        return VerticaSink(access_to(self.server), **other)

    def rows(self, platform: str, table: Table) -> list[dict[str, Any]]:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        try:
            found = self.query(f'SELECT {names} FROM "{platform}"."{table.name}"')
        except (vertica_python.errors.MissingRelation, vertica_python.errors.MissingSchema):
            return []
        as_json = {c.name for c in table.columns if c.type is Type.JSON}
        rows = [dict(zip((c.name for c in table.columns), row, strict=True)) for row in found]
        return [{k: json.loads(v) if k in as_json and v is not None else v for k, v in row.items()} for row in rows]

    def occupy(self, platform: str, table: Table) -> None:
        self.query(f'CREATE SCHEMA IF NOT EXISTS "{platform}"')
        self.query(f'CREATE TABLE "{platform}"."{table.name}" (mine VARCHAR)')

    def leave_old_state(self, platform: str, state: str) -> None:
        self.query("CREATE SCHEMA IF NOT EXISTS _supervisor")
        self.query("DROP TABLE IF EXISTS _supervisor.state")
        self.query(
            'CREATE TABLE _supervisor.state ("platform" VARCHAR(512), "value" LONG VARCHAR(4000000), '
            '"run_id" VARCHAR(512), "updated_at" TIMESTAMP) UNSEGMENTED ALL NODES'
        )
        self.query(f"INSERT INTO _supervisor.state VALUES ('{platform}', '{state}', 'run-0', TIMESTAMP '2026-11-20')")

    def state_writes(self, run_id: str) -> int | None:
        return int(self.query(f"SELECT count(*) FROM _supervisor.state WHERE run_id = '{run_id}'")[0][0])

    def query(self, statement: str) -> list[list[Any]]:
        with vertica_python.connect(
            host=self.server.host, port=self.server.port, user=USER, password=PASSWORD, database=DATABASE,
            tlsmode="disable", autocommit=True,
        ) as connection:  # fmt: skip
            found: list[list[Any]] = connection.cursor().execute(statement).fetchall()
            return found

    def forget_dead_run(self) -> None:
        pass

    def close(self) -> None:
        pass
