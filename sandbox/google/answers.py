"""Answers to queries, as encoded batches of a stream; the same question is answered from memory."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from sandbox.google.encoding import Encoder
from sandbox.google.gaql import Parsed, RefusedError, parsed
from sandbox.google.resources import FIELDS, MANAGER_ID, SUB_MANAGER_ID, Line, clients, lines
from sandbox.world import SIZES, World

MANAGERS = (MANAGER_ID, SUB_MANAGER_ID)
_REAL_BATCH = 10_000
_SMALL_BATCH = 20
_KEPT_BYTES = 256 * 1024 * 1024


class Answers:
    """Answers from a world. `types` is the SDK's module of GoogleAdsService messages."""

    def __init__(self, world: World, types: Any) -> None:
        self._world = world
        self._types = types
        # A small world has several batches too, or nobody would notice a client that reads only the first.
        self._batch = _REAL_BATCH if world.size == SIZES["big"] else _SMALL_BATCH
        self._row = types.GoogleAdsRow.pb()
        self._known: OrderedDict[tuple[str, str], list[bytes]] = OrderedDict()
        self._known_bytes = 0
        self._lock = threading.Lock()

    def batches(self, customer_id: str, text: str) -> list[bytes]:
        """Encoded `SearchGoogleAdsStreamResponse` messages, at least one; raises RefusedError."""
        key = (customer_id, text)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        batches = list(self._made(customer_id, parsed(text, self._exists)))
        with self._lock:
            self._known[key] = batches
            self._known_bytes += sum(map(len, batches))
            while self._known_bytes > _KEPT_BYTES:
                _, oldest = self._known.popitem(last=False)
                self._known_bytes -= sum(map(len, oldest))
        return batches

    def paged(self, batch: bytes, next_page: int | None) -> bytes:
        """A batch as a `SearchGoogleAdsResponse`."""
        response = self._types.SearchGoogleAdsResponse.pb()()
        streamed = self._types.SearchGoogleAdsStreamResponse.pb().FromString(batch)
        response.results.extend(streamed.results)
        response.field_mask.CopyFrom(streamed.field_mask)
        response.next_page_token = "" if next_page is None else str(next_page)
        encoded: bytes = response.SerializeToString()
        return encoded

    def _made(self, customer_id: str, query: Parsed) -> Iterator[bytes]:
        mask = self._types.SearchGoogleAdsStreamResponse.pb()()
        mask.field_mask.paths.extend(query.paths)
        mask.request_id = "sandbox"
        tail: bytes = mask.SerializeToString()
        encoder = Encoder(self._row, query.paths)
        left = iter(self._lines(customer_id, query))
        for number in itertools.count():
            batch = list(itertools.islice(left, self._batch))
            if number and not batch:
                return
            if number == 1:
                # Google may send a batch without rows before the end; a client must not stop there.
                yield tail
            yield encoder.results(batch) + tail

    def _lines(self, customer_id: str, query: Parsed) -> Iterator[Line]:
        if query.resource == "customer_client":
            found = clients(self._world, customer_id)
        elif customer_id in MANAGERS:
            if query.asks_metrics:
                raise RefusedError(
                    "REQUESTED_METRICS_FOR_MANAGER",
                    "Metrics cannot be requested for a manager account. To retrieve metrics, issue separate requests "
                    "against each client account under the manager account.",
                )
            found = iter(())
        else:
            if query.asks_metrics and "segments.date" not in query.paths:
                raise RefusedError("REQUIRED_SEGMENT_FIELD_MISSING", "The sandbox reports by day only.")
            found = lines(self._world, self._world.account("google", customer_id), query)
        kept = (line for line in found if all(each.holds(FIELDS[each.field](line)) for each in query.conditions))
        return itertools.islice(kept, query.limit)

    def _exists(self, path: str) -> bool:
        descriptor = self._row.DESCRIPTOR
        for name in path.split("."):
            fields = descriptor.fields_by_name if descriptor is not None else {}
            field = None if name.endswith("_") else fields.get(name) or fields.get(f"{name}_")
            if field is None:
                return False
            descriptor = field.message_type
        return descriptor is None
