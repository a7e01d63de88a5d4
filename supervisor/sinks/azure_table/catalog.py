"""What each of our tables is: the service knows no columns, so the supervisor's table keeps them.

A row of its partition `schema` names the platform, the stream, the key and the type of every column.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient

from supervisor.config.errors import SinkError
from supervisor.sinks.azure_table.access import Account, code_of, options
from supervisor.sinks.azure_table.documents import Document, Documents
from supervisor.sinks.azure_table.keys import table_name
from supervisor.sinks.tables import ADDED, missing_columns
from wire.schema import Column, Table

PARTITION = "schema"
OWN = "supervisor"
_TRIES = 20


def own_table(prefix: str) -> str:
    """The table of schemas, states, runs and the lease."""
    return prefix + OWN


def create(client: TableClient) -> bool:
    """Make a table; False where it is there already."""
    try:
        client.create_table(**options())
    except ResourceExistsError:
        return False
    return True


def exists(client: TableClient) -> bool:
    """Whether there is a table; asks for an entity, which every key that can be used with it allows."""
    try:
        client.get_entity("lease", "run", **options())
    except ResourceNotFoundError as error:
        return code_of(error) != "TableNotFound"
    return True


class Catalog:
    """Makes tables and widens what is known of them; `lock` is one for all sessions of a sink.

    `prepare` raises SinkError, and AzureError.
    """

    def __init__(self, account: Account, documents: Documents, lock: threading.Lock) -> None:
        self._account = account
        self._documents = documents
        self._lock = lock

    def prepare(self, platform: str, table: Table) -> TableClient:
        """The client of a stream's table, which holds its columns from now on."""
        name = table_name(self._account.prefix, platform, table.name)
        if name == own_table(self._account.prefix):
            raise SinkError(f"{platform}.{table.name} would be the Azure table {name}, which is the supervisor's own")
        client = self._account.table(name)
        with self._lock:
            self._describe(platform, table, name, client)
        return client

    def _describe(self, platform: str, table: Table, name: str, client: TableClient) -> None:
        """Make the table and keep what it is; another shard may do the same at the same time."""
        is_new = create(client)
        for _ in range(_TRIES):
            found = self._documents.get(PARTITION, name)
            text = self._description(platform, table, name, found)
            if text is None:
                return
            if found is None and not is_new and _has_rows(client):
                if self._documents.get(PARTITION, name) is not None:
                    continue  # rows come after their description, and there was none a moment ago
                missing_columns(platform, table, {"PartitionKey": "Edm.String"}, wanted=_type_of, remedy=_remedy(name))
            if self._documents.replace(found, PARTITION, name, text):
                return
        raise SinkError(f"the columns of the Azure table {name} are being changed by several runs at once; try again")

    @staticmethod
    def _description(platform: str, table: Table, name: str, found: Document | None) -> str | None:
        """What is to be kept of a table; None where it is kept already."""
        if found is None:
            columns = {column.name: _type_of(column) for column in (*table.columns, *ADDED)}
        else:
            known = json.loads(found.text)
            _check_owner(known, platform, table, name)
            missing = missing_columns(platform, table, known["columns"], wanted=_type_of, remedy=_remedy(name))
            if not missing:
                return None
            columns = known["columns"] | {column.name: _type_of(column) for column in missing}
        description: dict[str, Any] = {"platform": platform, "stream": table.name, "key": list(table.key)}
        description |= {"replication_key": table.replication_key, "columns": columns}
        return json.dumps(description, ensure_ascii=False)


def _has_rows(client: TableClient) -> bool:
    return next(iter(client.list_entities(results_per_page=1, select="PartitionKey", **options())), None) is not None


def _remedy(name: str) -> str:
    return f"delete the Azure table {name}"


def _check_owner(known: dict[str, Any], platform: str, table: Table, name: str) -> None:
    if (known["platform"], known["stream"]) != (platform, table.name):
        raise SinkError(
            f"{platform}.{table.name} and {known['platform']}.{known['stream']} would share the Azure table {name}; "
            "rename one of the two"
        )
    former, wanted = (known["key"], known["replication_key"]), (list(table.key), table.replication_key)
    if former != wanted:
        raise SinkError(
            f"the key of {platform}.{table.name} is ({_key(*former)}) and would become ({_key(*wanted)}), so no row "
            f"would find its former self; delete the Azure table {name} and load its days anew with --full-refresh"
        )


def _key(names: list[str], day: str | None) -> str:
    return ", ".join(names) + (f" by {day}" if day else "")


def _type_of(column: Column) -> str:
    return column.type.value
