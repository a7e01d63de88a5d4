"""Texts of any length in the supervisor's own table: whoever reads one gets the old or the new one, never a half.

A text is compressed into binary properties of 60 KiB. What one entity cannot hold lies in others, under a version of
its own, and the entity that names the version is replaced last.
"""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity, UpdateMode

from supervisor.config.errors import SinkError
from supervisor.sinks.azure_table.access import options
from supervisor.sinks.azure_table.keys import SEPARATOR, joined

CHUNKS = "chunks"
_PIECE = 60 * 1024
_PIECES = 12  # 720 KiB, which is below an entity's 1 MiB also as the base64 that travels
_LOOKS = 3
_SMALL = 16 * 1024
_TOGETHER = 100


@frozen
class Document:
    """A text, the key it has in its partition, and the other properties of its entity."""

    key: str
    text: str
    properties: TableEntity


class Documents:
    """The supervisor's table. Partitions and keys are escaped already. Every verb may raise AzureError or SinkError."""

    def __init__(self, client: TableClient) -> None:
        self._client = client
        self._whole: set[tuple[str, str]] = set()  # what was last written from here, and left no chunks

    def put(self, partition: str, key: str, text: str, properties: Mapping[str, Any] | None = None) -> None:
        """Keep a text in place of the one of that key."""
        head = self._put_pieces(partition, key, text, properties or {})
        # The former entity says whether it will leave chunks behind.
        former = None if (partition, key) in self._whole else self._head(partition, key)
        self._client.upsert_entity(head, mode=UpdateMode.REPLACE, **options())
        self._tidy(head, former)

    def replace(self, former: Document | None, partition: str, key: str, text: str) -> bool:
        """Keep a text in place of the one that was got, or of none; False where another process was faster."""
        head = self._put_pieces(partition, key, text, {})
        try:
            if former is None:
                self._client.create_entity(head, **options())
            else:
                self._client.update_entity(
                    head,
                    mode=UpdateMode.REPLACE,
                    etag=former.properties.metadata["etag"],
                    match_condition=MatchConditions.IfNotModified,
                    **options(),
                )
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            now = self.get(partition, key)  # it may have been this very request, whose answer was lost
            return now is not None and now.text == text
        self._tidy(head, former.properties if former else None)
        return True

    def _put_pieces(self, partition: str, key: str, text: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The entity of a text that is to be kept; what does not fit into it lies beside it already."""
        pieces = _pieces(zlib.compress(text.encode(), 1))
        head: dict[str, Any] = {"PartitionKey": partition, "RowKey": key, **properties}
        if len(pieces) <= _PIECES:
            return head | _numbered(pieces)
        version = uuid.uuid4().hex
        return head | {"version": version, "chunks": self._put_chunks(partition, key, version, pieces)}

    def _tidy(self, head: Mapping[str, Any], former: Mapping[str, Any] | None) -> None:
        """Remove the chunks of what an entity has replaced."""
        place = (head["PartitionKey"], head["RowKey"])
        if "version" in head or (former is not None and "version" in former):
            self._whole.discard(place)
            self._remove_chunks(*place, head.get("version"))
        if "version" not in head:
            self._whole.add(place)

    def put_all(self, partition: str, texts: Mapping[str, str], properties: Mapping[str, Any]) -> None:
        """Keep texts in place of those of the same keys: small ones together, a hundred in one transaction."""
        batch: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        size = 0
        for key, text in texts.items():
            content = zlib.compress(text.encode(), 1)
            if len(content) > _SMALL:
                self.put(partition, key, text, properties)
                continue
            head = {"PartitionKey": partition, "RowKey": key, **properties, **_numbered([content])}
            batch.append(("upsert", head, {"mode": UpdateMode.REPLACE}))
            size += len(content)
            if len(batch) == _TOGETHER or size > _PIECES * _PIECE:
                self._client.submit_transaction(batch, **options())
                batch, size = [], 0
        if batch:
            self._client.submit_transaction(batch, **options())

    def between(self, partition: str, first: str, last: str) -> Iterator[Document]:
        """The documents whose keys begin at `first` and end before `last`."""
        query = f"PartitionKey eq '{partition}' and RowKey ge '{first}' and RowKey lt '{last}'"
        for head in self._client.query_entities(query, **options()):
            document = self._document(head) or self.get(partition, head["RowKey"])
            if document is not None:
                yield document

    def following(self, partition: str, key: str) -> Document | None:
        """The first document whose key comes after this one."""
        query = f"PartitionKey eq '{partition}' and RowKey gt '{key}'"
        head = next(iter(self._client.query_entities(query, results_per_page=1, **options())), None)
        return None if head is None else self._document(head) or self.get(partition, head["RowKey"])

    def get(self, partition: str, key: str) -> Document | None:
        for _ in range(_LOOKS):
            head = self._head(partition, key)
            if head is None:
                return None
            document = self._document(head)
            if document is not None:
                return document
            time.sleep(0.2)  # it was replaced between the two looks
        raise SinkError(f"the entity {partition}, {key} names parts that are not there")

    def delete(self, partition: str, key: str) -> None:
        former = self._head(partition, key)
        if former is None:
            return
        self._client.delete_entity(partition, key, **options())
        if "version" in former:
            self._remove_chunks(partition, key, None)

    def all(self, partition: str, *, limit: int | None = None) -> Iterator[Document]:
        """The documents of a partition in the order of their keys."""
        page = None if limit is None else min(limit, 1000)
        found = self._client.query_entities(f"PartitionKey eq '{partition}'", results_per_page=page, **options())
        for count, head in enumerate(found):
            if count == limit:
                return
            document = self._document(head) or self.get(partition, head["RowKey"])
            if document is not None:
                yield document

    def _head(self, partition: str, key: str) -> TableEntity | None:
        try:
            return self._client.get_entity(partition, key, **options())
        except ResourceNotFoundError:
            return None

    def _document(self, head: TableEntity) -> Document | None:
        content = self._chunks(head) if "version" in head else _content(head)
        if content is None:
            return None
        return Document(str(head["RowKey"]), zlib.decompress(content).decode(), head)

    def _put_chunks(self, partition: str, key: str, version: str, pieces: list[bytes]) -> int:
        count = 0
        for start in range(0, len(pieces), _PIECES):
            chunk = {"PartitionKey": CHUNKS, "RowKey": _chunk(partition, key, version, count)}
            self._client.upsert_entity(
                chunk | _numbered(pieces[start : start + _PIECES]), mode=UpdateMode.REPLACE, **options()
            )
            count += 1
        return count

    def _chunks(self, head: TableEntity) -> bytes | None:
        found = []
        for number in range(head["chunks"]):
            entity = self._head(CHUNKS, _chunk(head["PartitionKey"], head["RowKey"], head["version"], number))
            if entity is None:
                return None
            found.append(_content(entity))
        return b"".join(found)

    def _remove_chunks(self, partition: str, key: str, version: str | None) -> None:
        """Also those that a process left behind which died between two steps."""
        first = _chunk(partition, key, "", None)
        last = first[:-1] + chr(ord(SEPARATOR) + 1)
        query = f"PartitionKey eq '{CHUNKS}' and RowKey ge '{first}' and RowKey lt '{last}'"
        for entity in list(self._client.query_entities(query, select=["RowKey"], **options())):
            if version is None or not entity["RowKey"].startswith(first + version):
                self._client.delete_entity(CHUNKS, entity["RowKey"], **options())


def _chunk(partition: str, key: str, version: str, number: int | None) -> str:
    """The RowKey of a chunk, or with None what the keys of all chunks of an entity begin with."""
    name = joined((partition, key)) + SEPARATOR
    return name if number is None else f"{name}{version}{SEPARATOR}{number:05d}"


def _pieces(content: bytes) -> list[bytes]:
    return [content[start : start + _PIECE] for start in range(0, len(content), _PIECE)]


def _numbered(pieces: list[bytes]) -> dict[str, bytes]:
    return {f"part{number:02d}": piece for number, piece in enumerate(pieces)}


def _content(entity: TableEntity) -> bytes:
    return b"".join(entity[name] for name in sorted(entity) if name.startswith("part"))
