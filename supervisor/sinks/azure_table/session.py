"""One platform's tables: rows are staged and checked in a DuckDB of this machine, and sent when they are committed.

No transaction of the service spans two partitions, so a commit is a sequence that can be repeated: each partition, its
marker, and the state last of all. What dies half-way is done again by the next run, because the state did not advance.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import evolve, frozen
from azure.data.tables import EdmType, TableClient

from supervisor.sinks import Commit, Result
from supervisor.sinks.azure_table.access import Account
from supervisor.sinks.azure_table.catalog import Catalog
from supervisor.sinks.azure_table.documents import Documents
from supervisor.sinks.azure_table.entities import Entities, as_text
from supervisor.sinks.azure_table.flights import Flights
from supervisor.sinks.azure_table.keys import property_name
from supervisor.sinks.azure_table.lease import Lease
from supervisor.sinks.azure_table.partitions import (
    Layout,
    Marker,
    Stored,
    covers,
    filter_of,
    layout_of,
    order,
    paired,
    stored_partitions,
)
from supervisor.sinks.azure_table.state import stored_parts, write_changes
from supervisor.sinks.azure_table.transactions import Partition, write
from supervisor.sinks.judging import Part, judge
from supervisor.sinks.kept_state import KeptState
from supervisor.sinks.regions import Region
from supervisor.sinks.staging import TYPES, Staging
from supervisor.sinks.tables import LOADED_AT, RUN_ID, check_names
from wire.schema import Table, Type


@frozen(kw_only=True)
class _Target:
    """Where a stream's rows go, and how they are made entities."""

    client: TableClient
    table: Table
    layout: Layout
    entities: Entities


@frozen
class _Opened:
    account: Account
    documents: Documents


@frozen(kw_only=True)
class Tools:
    """What a sink gives each of its sessions; the account is opened by the first verb, so that none is made in vain."""

    account: Callable[[], Account]
    staging: Staging
    catalog: Callable[[Account, Documents], Catalog]
    own_table: str
    lease: Lease


class AzureSession:
    """One platform's way into the account; its staging tables die with it."""

    def __init__(self, tools: Tools, platform: str, run_id: str) -> None:
        self._tools = tools
        self._platform = platform
        self._run_id = run_id
        self._opened: _Opened | None = None
        self._staging = tools.staging
        self._flights: Flights | None = None
        self._targets: dict[str, _Target] = {}
        self._number = uuid.uuid4().hex[:8]
        self._commits = 0
        self._state: KeptState | None = None

    def prepare(self, table: Table) -> None:
        check_names(self._platform, table)
        layout = layout_of(table)
        entities = Entities(self._platform, table, layout)
        with self._flying() as flights:
            catalog = self._tools.catalog(self._account, self._documents)
            client = flights.call(lambda: catalog.prepare(self._platform, table))
        self._staging.prepare(table)
        self._targets[table.name] = _Target(client=client, table=table, layout=layout, entities=entities)

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        self._staging.stage(stream, spool, count, parts)

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        self._tools.lease.check()
        with self._flying() as flights:
            verdict = judge(self._staging, commits, held=partial(self._held, flights), fits=self._fits)
            sent = [(part.stream, *each) for part in verdict.parts for each in self._store_part(flights, part)]
            flights.finish()
            self._tools.lease.check()
            kept = self._kept_state(flights)
            kept.take(commits, verdict.refused)
            changes = kept.changes()
            if changes:
                flights.call(lambda: write_changes(self._documents, self._platform, changes, run_id=self._run_id))
            kept.kept()
        stored: dict[str, dict[int, int]] = {part.stream: {} for part in verdict.parts}
        for stream, number, counts in sent:
            stored[stream][number] = sum(count() for count in counts)
        for stream in verdict.streams:
            self._staging.empty(stream)
        return verdict.results(stored)

    def discard(self) -> None:
        self._staging.discard()

    def flush(self) -> None:
        """A transaction is stored three times when the service answers."""

    def interrupt(self) -> None:
        self._staging.interrupt()
        if self._flights is not None:
            self._flights.interrupt()

    def state(self) -> bytes | None:
        with self._flying() as flights:
            kept = self._kept_state(flights)
            kept.renew(flights.call(lambda: stored_parts(self._documents, self._platform)))
            return kept.value

    def forget_state(self) -> None:
        with self._flying() as flights:
            self._kept_state(flights).forget()

    def close(self) -> None:
        self._staging.close()
        if self._opened is not None:
            self._opened.account.close()

    def _kept_state(self, flights: Flights) -> KeptState:
        if self._state is None:
            self._state = KeptState(flights.call(lambda: stored_parts(self._documents, self._platform)))
        return self._state

    @property
    def _account(self) -> Account:
        return self._open().account

    @property
    def _documents(self) -> Documents:
        return self._open().documents

    def _open(self) -> _Opened:
        if self._opened is None:
            account = self._tools.account()
            self._opened = _Opened(account, Documents(account.table(self._tools.own_table)))
        return self._opened

    @contextmanager
    def _flying(self) -> Iterator[Flights]:
        """The requests of one verb; what is refused is a SinkError."""
        flights = self._flights = Flights()
        try:
            with self._account.refusals():
                yield flights
        finally:
            flights.close()

    def _fits(self, stream: str, source: str) -> None:
        self._targets[stream].entities.check(self._staging, source)

    def _held(self, flights: Flights, table: Table, region: Region) -> int:
        target = self._targets[table.name]
        found = self._stored(flights, target, region)
        return sum(len(each.keys) for _, each in found)

    def _stored(self, flights: Flights, target: _Target, region: Region) -> Iterator[tuple[str, Stored]]:
        query = filter_of(target.table, target.layout, region, partial(self._as_stored, target.table))
        stored = stored_partitions(target.client, query)
        return iter(lambda: flights.call(lambda: next(stored, None)), None)

    def _store_part(self, flights: Flights, part: Part) -> Iterator[tuple[int, list[Callable[[], int]]]]:
        """Send the rows of one stream, region by region: by their number, what tells how many went where."""
        if part.regions is None:
            yield 0, self._store(flights, part.stream, part.source, None)
            return
        for number, region in zip(part.commits, part.regions, strict=True):
            alone = len(part.commits) == 1
            source = part.source if alone else self._staging.of_regions(part.stream, [number], once=part.once)
            yield number, self._store(flights, part.stream, source, region)

    def _store(self, flights: Flights, stream: str, source: str, region: Region | None) -> list[Callable[[], int]]:
        """Send the rows of one region, or merge them; what is returned tells how many went into each partition."""
        target = self._targets[stream]
        layout = target.layout
        loaded = dt.datetime.now(dt.UTC)
        names = tuple(property_name(name, table=stream) for name in layout.columns)
        added = {LOADED_AT.name: (f"{loaded:%Y-%m-%dT%H:%M:%SZ}", EdmType.DATETIME), RUN_ID.name: self._run_id}
        marker = Marker(names=names, added=added)
        self._commits += 1
        number = (self._run_id, self._number, f"{self._commits:06d}")
        counts = []
        for key, has_rows, stored in self._changes(flights, target, source, region):
            values = layout.values(key)
            rows = (
                target.entities.read(self._staging, source, partition=key, values=values, added=added, number=number)
                if has_rows
                else ()
            )
            partition = Partition(key=key, values=values, rows=rows, stored=stored, marker=marker)
            counts.append(write(flights, target.client, partition))
        return counts

    def _changes(
        self, flights: Flights, target: _Target, source: str, region: Region | None
    ) -> Iterator[tuple[str, bool, Stored | None]]:
        """The partitions to write, whether they have new rows, and what of them is stored; None: nobody has looked."""
        found = (target.layout.partition(values) for values in target.entities.partitions(self._staging, source))
        wanted = sorted(found, key=order)
        if region is None:
            yield from ((key, True, None) for key in wanted)
            return
        whole = covers(target.layout, region)
        for key, has_rows, each in paired(wanted, self._stored(flights, target, region)):
            known = each if whole else evolve(each, marked=True, rows=None, whole=False)
            if has_rows or known.keys or (whole and known.rows != 0):
                yield key, has_rows, known

    def _as_stored(self, table: Table, column: str, value: str) -> str:
        kind = next(each.type for each in table.columns if each.name == column)
        cast = "CAST(CAST(? AS TIMESTAMPTZ) AS TIMESTAMP)" if kind is Type.DATETIME else f"CAST(? AS {TYPES[kind]})"
        ((text,),) = self._staging.run(f"SELECT {as_text(cast, kind)}", [value]).fetchall()
        return str(text)
