"""The runs in the supervisor's table, under keys that the service sorts with the newest first.

`runs` has an entity for each run, with its report; `platform|NAME` has one for each run that had that platform.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from azure.data.tables import EdmType, TableClient, TableEntity, UpdateMode

from supervisor.config.environment import AzureAccess
from supervisor.config.errors import SinkError
from supervisor.record.history import PlatformRun, StoredState, kept_report, platform_parts, states_of
from supervisor.record.run_record import RunRecord
from supervisor.sinks.azure_table.access import Account, Patience, options
from supervisor.sinks.azure_table.catalog import exists, own_table
from supervisor.sinks.azure_table.documents import Documents
from supervisor.sinks.azure_table.keys import joined
from supervisor.sinks.azure_table.state import STATE, place_of

RUNS = "runs"
_LONGEST_MESSAGE = 16_000  # characters, of up to two UTF-16 units each; the report has all of it
_END = 10**13  # milliseconds: in the year 2286


def store_run(client: TableClient, record: RunRecord) -> None:
    """Keep a run, in place of what was kept of it before. Raises AzureError."""
    key = _newest_first(record)
    report = kept_report(record)
    properties = {
        "run_id": record.run_id,
        "started_at": record.started.astimezone(dt.UTC),
        "finished_at": record.finished.astimezone(dt.UTC) if record.finished else None,
        "exit_code": record.exit_code,
        "rows": (record.summary.total_rows_processed, EdmType.INT64),
    }
    for part in platform_parts(report):
        client.upsert_entity(_entity(key, part), mode=UpdateMode.REPLACE, **options())
    # Last, because whoever finds the run looks for its parts.
    Documents(client).put(RUNS, key, json.dumps(report, ensure_ascii=False), properties)


class AzureHistory:
    """The supervisor's table, open for reading."""

    def __init__(self, access: AzureAccess, patience: Patience | None = None) -> None:
        self._account = Account(access, patience)
        self._client = self._account.table(own_table(self._account.prefix))
        self._documents = Documents(self._client)
        with self._account.refusals():
            if not exists(self._client):
                raise SinkError(
                    f"there is no Azure table {self._client.table_name} at {self._account.host}; no run has made it "
                    "yet, or AZURE_TABLE_NAME names others"
                )

    def platform_runs(self, platform: str | None, last: int) -> tuple[PlatformRun, ...]:
        with self._account.refusals():
            if platform is None:
                reports = (json.loads(found.text) for found in self._documents.all(RUNS, limit=last))
                return tuple(part for report in reports for part in platform_parts(report))
            found = self._query(f"PartitionKey eq '{_of_platform(platform)}'", last)
            return tuple(map(_platform_run, islice(found, last)))

    def reports(self, run_id: str, most: int = 2) -> tuple[Mapping[str, Any], ...]:
        with self._account.refusals():
            found: list[TableEntity] = []
            for entity in self._query(_begins(run_id), None, select=["RowKey", "run_id"]):
                if entity["run_id"] == run_id:
                    found = [entity]
                    break
                found = [*found, entity][:most]
            documents = (self._documents.get(RUNS, entity["RowKey"]) for entity in found)
            return tuple(json.loads(document.text) for document in documents if document is not None)

    def states(self) -> tuple[StoredState, ...]:
        with self._account.refusals():
            found = [
                (str(each.properties["platform"]), *place_of(each.key), each.text)
                for each in self._documents.all(STATE)
            ]
        return states_of(found)

    def close(self) -> None:
        self._account.close()

    def _query(self, query: str, last: int | None, select: list[str] | None = None) -> Iterator[TableEntity]:
        page = None if last is None else min(last, 1000)
        return iter(self._client.query_entities(query, results_per_page=page, select=select, **options()))


def _newest_first(record: RunRecord) -> str:
    milliseconds = int(record.started.timestamp() * 1000)
    return joined((f"{_END - milliseconds:013d}", record.run_id))


def _of_platform(platform: str) -> str:
    return joined(("platform", platform))


def _begins(run_id: str) -> str:
    text = run_id.replace("'", "''")
    return f"PartitionKey eq '{RUNS}' and run_id ge '{text}' and run_id lt '{text}\uffff'"


def _entity(key: str, part: PlatformRun) -> dict[str, Any]:
    return {
        "PartitionKey": _of_platform(part.platform),
        "RowKey": key,
        "run_id": part.run_id,
        "platform": part.platform,
        "status": part.status,
        "started_at": part.started,
        "duration_seconds": float(part.duration_seconds),
        "rows": (part.rows, EdmType.INT64),
        "retry_count": part.retry_count,
        "error_message": (part.error_message or "")[:_LONGEST_MESSAGE] or None,
        "finished": part.finished,
    }


def _platform_run(entity: TableEntity) -> PlatformRun:
    return PlatformRun(
        run_id=entity["run_id"],
        platform=entity["platform"],
        status=entity["status"],
        started=entity["started_at"],
        duration_seconds=entity["duration_seconds"],
        rows=int(entity["rows"].value),
        retry_count=entity["retry_count"],
        error_message=entity.get("error_message"),
        finished=entity["finished"],
    )
