"""Azure Table Storage as the suite sees it: Microsoft's emulator, one process for all tests, and a prefix for each."""

from __future__ import annotations

import atexit
import datetime as dt
import json
import uuid
import zlib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient

from sandbox.azurite import Azurite, connection_string, is_installed
from supervisor.config.environment import AzureAccess
from supervisor.sinks.azure_table.catalog import create, own_table
from supervisor.sinks.azure_table.keys import column_name, table_name
from supervisor.sinks.azure_table.partitions import MARKER
from supervisor.sinks.azure_table.sink import AzureSink
from wire.schema import Table, Type


@cache
def emulator() -> Azurite:
    """The emulator, which is started by whoever asks first; skips the test where it is not installed."""
    if not is_installed():
        pytest.skip("Azurite is not installed: tests/azurite.sh does that, and needs node and npm")
    started = Azurite().__enter__()
    atexit.register(started.__exit__, None, None, None)
    return started


class AzureTables:
    keeps_rows: ClassVar[bool] = True
    keeps_state: ClassVar[bool] = True
    replaces: ClassVar[bool] = True
    isolated: ClassVar[bool] = False
    widest: ClassVar[int] = 250
    longest_text: ClassVar[int] = 32_000

    def __init__(self, directory: Path) -> None:
        self.port = emulator().port
        self.prefix = f"t{uuid.uuid4().hex[:10]}"
        self.access = AzureAccess(connection_string=connection_string(self.port), table_name=self.prefix)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "STORAGE_TYPE": "azure_table",
            "AZURE_STORAGE_CONNECTION_STRING": self.access.connection_string,
            "AZURE_TABLE_NAME": self.prefix,
        }

    def open(self, **other: Any) -> AzureSink:
        return AzureSink(self.access, **other)

    def client(self, *parts: str) -> TableClient:
        return TableClient.from_connection_string(self.access.connection_string, table_name(self.prefix, *parts))

    def entities(self, platform: str, table: Table) -> list[dict[str, Any]]:
        """All of a table, markers too."""
        with self.client(platform, table.name) as client:
            try:
                return [dict(entity) for entity in client.list_entities()]
            except ResourceNotFoundError:
                return []

    def rows(self, platform: str, table: Table) -> list[dict[str, Any]]:
        types = {column.name: column.type for column in table.columns}
        found = []
        for entity in self.entities(platform, table):
            if entity["RowKey"] != MARKER:
                by_column = {column_name(name): value for name, value in entity.items()}
                found.append({name: _as_python(by_column.get(name), kind) for name, kind in types.items()})
        return found

    def markers(self, platform: str, table: Table) -> dict[str, tuple[bool, int | None]]:
        """Whether each partition is complete, and how many rows its marker names."""
        return {
            entity["PartitionKey"]: (entity["_complete"], entity["_rows"].value if "_rows" in entity else None)
            for entity in self.entities(platform, table)
            if entity["RowKey"] == MARKER
        }

    def occupy(self, platform: str, table: Table) -> None:
        with TableServiceClient.from_connection_string(self.access.connection_string) as service:
            client = service.create_table(table_name(self.prefix, platform, table.name))
            client.create_entity({"PartitionKey": "p", "RowKey": "r", "mine": "x"})

    def leave_old_state(self, platform: str, state: str) -> None:
        client = TableServiceClient.from_connection_string(self.access.connection_string).get_table_client(
            own_table(self.prefix)
        )
        create(client)
        entity = {"PartitionKey": "state", "RowKey": platform, "platform": platform, "run_id": "run-0"}
        client.upsert_entity(entity | {"part00": zlib.compress(state.encode(), 1)})

    def state_writes(self, run_id: str) -> int | None:
        client = TableServiceClient.from_connection_string(self.access.connection_string).get_table_client(
            own_table(self.prefix)
        )
        return len(list(client.query_entities(f"PartitionKey eq 'state' and run_id eq '{run_id}'")))

    def forget_dead_run(self) -> None:
        with self.client("supervisor") as client:
            client.delete_entity("lease", "run")

    def close(self) -> None:
        with TableServiceClient.from_connection_string(self.access.connection_string) as service:
            for table in service.list_tables():
                if table.name.startswith(self.prefix):
                    service.delete_table(table.name)


def _as_python(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    if kind is Type.INTEGER:
        return int(value.value)
    if kind is Type.DATETIME:
        return value.replace(tzinfo=None)
    if kind is Type.DATE:
        return dt.date.fromisoformat(value)
    if kind is Type.DECIMAL:
        return Decimal(value)
    return json.loads(value) if kind is Type.JSON else value
