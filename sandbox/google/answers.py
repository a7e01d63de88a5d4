"""Answers to queries, as encoded batches of a stream; the same question is answered from memory."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from sandbox.faults import damaged
from sandbox.google.catalog import Catalog
from sandbox.google.conditions import RefusedError
from sandbox.google.encoding import Encoder
from sandbox.google.gaql import Parsed, parsed
from sandbox.google.quirks import Quirks
from sandbox.google.resources import CLIENT_FIELDS, FIELDS, MANAGER_ID, SUB_MANAGER_ID, Line, clients, lines
from sandbox.world import SIZES, World

MANAGERS = (MANAGER_ID, SUB_MANAGER_ID)
_REAL_BATCH = 10_000
_SMALL_BATCH = 20
_KEPT_BYTES = 256 * 1024 * 1024


class Answers:
    """Answers from a world. `types` is the SDK's module of GoogleAdsService messages of one version."""

    def __init__(self, world: World, types: Any, quirks: Quirks) -> None:
        self._world = world
        self._types = types
        self._quirks = quirks
        # A small world has several batches too, or nobody would notice a client that reads only the first.
        self._batch = _REAL_BATCH if world.size == SIZES["big"] else _SMALL_BATCH
        self._row = types.GoogleAdsRow.pb()
        self.catalog = Catalog(self._row.DESCRIPTOR)
        self._known: OrderedDict[tuple[str, str, bool], list[bytes]] = OrderedDict()
        self._known_bytes = 0
        self._lock = threading.Lock()

    def batches(self, customer_id: str, text: str, *, streamed: bool = True, loss: str | None = None) -> list[bytes]:
        """Encoded `SearchGoogleAdsStreamResponse` messages, at least one; raises RefusedError.

        With a `loss` the rows are those that are left after it (`sandbox.faults.damaged`).
        """
        if loss is not None:
            return list(self._made(customer_id, self.checked(customer_id, text), streamed=streamed, loss=loss))
        key = (customer_id, text, streamed)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        batches = list(self._made(customer_id, self.checked(customer_id, text), streamed=streamed))
        with self._lock:
            self._known[key] = batches
            self._known_bytes += sum(map(len, batches))
            while self._known_bytes > _KEPT_BYTES:
                _, oldest = self._known.popitem(last=False)
                self._known_bytes -= sum(map(len, oldest))
        return batches

    def every_batch(self, customer_id: str, text: str) -> list[bytes]:
        """The same as Search has it, which a quirk does not hide rows from."""
        return self.batches(customer_id, text, streamed=False)

    def checked(self, customer_id: str, text: str) -> Parsed:
        """The query, if it may be asked of this customer; raises RefusedError."""
        today = next((self._world.today(each) for each in self._accounts(customer_id)), self._world.as_of.date())
        query = parsed(text, self.catalog, today)
        unmade = [path for path in query.segments if path not in FIELDS]
        if unmade:
            # Google has them; numbers that are not divided would be worse than a refusal.
            raise RefusedError(
                "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE", f"The sandbox does not make {unmade[0]}."
            )
        if self._quirks.has("withhold", customer_id, query.resource):
            message = f"The customer cannot select from the resource '{query.resource}'."
            raise RefusedError("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", message)
        if customer_id in MANAGERS and query.metrics:
            raise RefusedError(
                "REQUESTED_METRICS_FOR_MANAGER",
                "Metrics cannot be requested for a manager account. To retrieve metrics, issue separate requests "
                "against each client account under the manager account.",
            )
        return query

    def count(self, customer_id: str, text: str) -> int:
        """How many rows the query has, whatever its LIMIT."""
        return sum(1 for _ in self._kept(customer_id, self.checked(customer_id, text)))

    def paged(self, batch: bytes | None, next_page: int | None, total: int | None) -> bytes:
        """A batch, or none of the results, as a `SearchGoogleAdsResponse`."""
        response = self._types.SearchGoogleAdsResponse.pb()()
        if batch is not None:
            streamed = self._types.SearchGoogleAdsStreamResponse.pb().FromString(batch)
            response.results.extend(streamed.results)
            response.field_mask.CopyFrom(streamed.field_mask)
        response.next_page_token = "" if next_page is None else str(next_page)
        if total is not None:
            response.total_results_count = total
        encoded: bytes = response.SerializeToString()
        return encoded

    def _made(self, customer_id: str, query: Parsed, *, streamed: bool, loss: str | None = None) -> Iterator[bytes]:
        mask = self._types.SearchGoogleAdsStreamResponse.pb()()
        mask.field_mask.paths.extend(query.paths)
        mask.request_id = "sandbox"
        tail: bytes = mask.SerializeToString()
        # Every resource that is selected comes with its name, asked for or not.
        tops = dict.fromkeys([query.resource, *(path.split(".")[0] for path in query.paths)])
        names = [f"{top}.resource_name" for top in tops if f"{top}.resource_name" in FIELDS]
        encoder = Encoder(self._row, dict.fromkeys([*query.paths, *names]))
        hidden = streamed and self._quirks.has("empty", customer_id, query.resource)
        left = iter(()) if hidden else self._lines(customer_id, query)
        if loss is not None:
            left = iter(damaged(list(left), loss, FIELDS["campaign.id"]))
        again = b""
        for number in itertools.count():
            batch = list(itertools.islice(left, self._batch))
            if number and not batch:
                break
            if number == 1:
                # Google may send a batch without rows before the end; a client must not stop there.
                yield tail
            again = again or self._again(customer_id, query, encoder.results(batch[:1]))
            yield encoder.results(batch) + tail
        if again:
            yield again + tail

    def _again(self, customer_id: str, query: Parsed, first: bytes) -> bytes:
        """The first row once more, where a quirk says so, unchanged or in another status."""
        if self._quirks.has("repeat", customer_id, query.resource):
            return first
        if not first or not self._quirks.has("contradict", customer_id, query.resource):
            return b""
        page = self._types.SearchGoogleAdsStreamResponse.pb().FromString(first)
        thing = getattr(page.results[0], query.resource)
        statuses = {"ENABLED": 2, "PAUSED": 3}
        thing.status = next(number for number in statuses.values() if number != thing.status)
        changed: bytes = page.SerializeToString()
        return changed

    def _lines(self, customer_id: str, query: Parsed) -> Iterator[Line]:
        found: Iterable[Line] = self._kept(customer_id, query)
        if query.order:
            found = list(found)
            for path, descending in reversed(query.order):
                value = FIELDS.get(path, _absent)
                found.sort(key=lambda line: ((each := value(line)) is not None, each), reverse=descending)
        return itertools.islice(found, query.limit)

    def _kept(self, customer_id: str, query: Parsed) -> Iterator[Line]:
        """The lines that satisfy the conditions; a segmented row has at least one of its metrics."""
        # https://developers.google.com/google-ads/api/docs/reporting/zero-metrics
        metrics = [FIELDS.get(path, _absent) for path in query.metrics] if query.segments else []
        tests = [(FIELDS.get(each.field, _absent), each.holds) for each in query.conditions]
        for line in self._found(customer_id, query):
            if all(holds(value(line)) for value, holds in tests) and (
                not metrics or any(metric(line) for metric in metrics)
            ):
                yield line

    def _found(self, customer_id: str, query: Parsed) -> Iterator[Line]:
        if query.resource == "customer_client":
            found = clients(self._world, customer_id)
            alone = self._quirks.has("alone")
            return (self._lacking(line) for line in found if not alone or (line.client and line.client.manager))
        account = next(self._accounts(customer_id), None)
        return lines(self._world, account, query) if account else iter(())

    def _lacking(self, line: Line) -> Line:
        assert line.client is not None
        for name in self._quirks.lacks(line.client.id):
            without: dict[str, Any] = {CLIENT_FIELDS[name]: None}
            line.client = replace(line.client, **without)
        return line

    def _accounts(self, customer_id: str) -> Iterator[Any]:
        return (account for account in self._world.accounts("google") if account.id == customer_id)


def _absent(_line: Line) -> None:
    """A field that this world knows nothing about."""
