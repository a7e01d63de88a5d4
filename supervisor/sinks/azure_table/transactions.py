"""Writes partitions, each in as few transactions as the service allows, with the marker as the last thing of all.

A partition whose changes fit into one transaction switches atomically. A larger one is first marked as not complete,
so that a reader who comes in between can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from attrs import frozen
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from supervisor.sinks.azure_table.access import options, repeated
from supervisor.sinks.azure_table.entities import Entity, Sized
from supervisor.sinks.azure_table.flights import Flights
from supervisor.sinks.azure_table.partitions import Marker, Stored

MOST_OPERATIONS = 100
LARGEST_TRANSACTION = 4 * 1024 * 1024 - 256 * 1024
"""Bytes of one transaction; the service takes 4 MiB, and the room left is for what the estimate does not know."""
_DELETE_SIZE = 8 * 1024

_Operation = tuple[str, Entity] | tuple[str, Entity, dict[str, Any]]


@frozen(kw_only=True)
class Partition:
    """One partition to write: its new rows, and what of it is stored, or None where nobody has looked.

    `values` are those of its columns. Where all that was stored of it is known, the new rows are all that it will have.
    """

    key: str
    values: tuple[str, ...]
    rows: Iterable[Sized]
    stored: Stored | None
    marker: Marker

    def marked(self, *, complete: bool, rows: int | None = None) -> Entity:
        return self.marker.entity(self.key, self.values, complete=complete, rows=rows)


def write(flights: Flights, client: TableClient, partition: Partition) -> Callable[[], int]:
    """Send a partition's changes; what is returned tells how many rows it got, as soon as all are submitted."""
    counter = _Counter(partition)
    batches = counter.batches()
    batch = next(batches, [])
    sent: list[Future[None]] = []
    before: list[Future[None]] = []
    for following in batches:
        if not sent and not counter.is_new:
            batch.append(_upsert(partition.marked(complete=False)))
        sent.append(_send(flights, client, batch, before))
        if not counter.is_new:
            before = sent[:1]
        batch = following
    whole = partition.stored is not None and partition.stored.whole
    batch.append(_upsert(partition.marked(complete=True, rows=counter.rows if whole else None)))
    _send(flights, client, batch, sent)
    return lambda: counter.rows


class _Counter:
    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        stored = partition.stored
        self._vanished = set(stored.keys) if stored else set()
        self.is_new = stored is not None and not stored.keys and not stored.marked
        """A reader who finds no marker knows that the partition is not complete."""
        self.rows = 0

    def batches(self) -> Iterator[list[_Operation]]:
        """Operations for one transaction each, with room for a marker."""
        batch: list[_Operation] = []
        size = 0
        for operation, bytes_ in self._operations():
            if len(batch) == MOST_OPERATIONS - 1 or (batch and size + bytes_ > LARGEST_TRANSACTION):
                yield batch
                batch, size = [], 0
            batch.append(operation)
            size += bytes_
        yield batch

    def _operations(self) -> Iterator[tuple[_Operation, int]]:
        for sized in self._partition.rows:
            self.rows += 1
            self._vanished.discard(sized.entity["RowKey"])
            yield _upsert(sized.entity), sized.size
        for key in sorted(self._vanished):
            yield ("delete", {"PartitionKey": self._partition.key, "RowKey": key}), _DELETE_SIZE


def _upsert(entity: Entity) -> _Operation:
    # A merge would leave the old value of a property that is null now.
    return "upsert", entity, {"mode": UpdateMode.REPLACE}


def _send(
    flights: Flights, client: TableClient, batch: Sequence[_Operation], after: Sequence[Future[None]]
) -> Future[None]:
    return flights.submit(lambda: repeated(lambda: _submit(client, list(batch))), after)


def _submit(client: TableClient, batch: list[_Operation]) -> None:
    try:
        client.submit_transaction(batch, **options())
    except (TableTransactionError, ResourceNotFoundError) as error:
        deletes = [operation[1] for operation in batch if operation[0] == "delete"]
        if error.status_code != 404 or not deletes:
            raise
        # A row was gone already: the answer to this very transaction was lost before.
        left = _present(client, deletes)
        rest = [op for op in batch if op[0] != "delete" or op[1]["RowKey"] in left]
        if len(rest) == len(batch):
            raise
        client.submit_transaction(rest, **options())


def _present(client: TableClient, entities: list[Entity]) -> set[str]:
    keys = sorted(entity["RowKey"] for entity in entities)
    partition = entities[0]["PartitionKey"]
    query = f"PartitionKey eq '{partition}' and RowKey ge '{keys[0]}' and RowKey le '{keys[-1]}'"  # no ' is in a key
    found = client.query_entities(query, select=["RowKey"], **options())
    return {entity["RowKey"] for entity in found}
