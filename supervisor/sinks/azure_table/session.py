"""One platform's tables: rows are staged and checked in a DuckDB of this machine, and sent when they are committed.

No transaction of the service spans two partitions, so a commit is a sequence that can be repeated: each partition, its
marker, and the state last of all. What dies half-way is done again by the next run, because the state did not advance.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import evolve, frozen
from azure.data.tables import EdmType, TableClient

from supervisor.sinks import Commit
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
from supervisor.sinks.kept_state import KeptState
from supervisor.sinks.regions import region_of
from supervisor.sinks.staging import TYPES, Staging
from supervisor.sinks.tables import LOADED_AT, RUN_ID, check_names
from wire.messages import Replaces
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

    def stage(self, stream: str, spool: Path, count: int) -> None:
        self._staging.stage(stream, spool, count)

    def commit(self, commit: Commit) -> Mapping[str, int]:
        for stream in commit.streams:
            self._staging.check(stream, commit.replaces)
            self._targets[stream].entities.check(self._staging, self._staging.to_store(stream, commit.replaces))
        self._tools.lease.check()
        with self._flying() as flights:
            counts = {stream: self._store(flights, stream, commit.replaces) for stream in commit.streams}
            flights.finish()
            self._tools.lease.check()
            if commit.state is not None:
                kept = self._kept_state(flights)
                kept.plan(commit.state, is_patch=commit.is_patch)
                changes = kept.changes()
                flights.call(lambda: write_changes(self._documents, self._platform, changes, run_id=self._run_id))
                kept.kept()
        for stream in commit.streams:
            self._staging.empty(stream)
        return {stream: sum(count() for count in each) for stream, each in counts.items()}

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
            return self._kept_state(flights).value

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

    def _store(self, flights: Flights, stream: str, replaces: Replaces | None) -> list[Callable[[], int]]:
        """Send the rows of one stream; what is returned tells how many went into each partition."""
        target = self._targets[stream]
        layout = target.layout
        source = self._staging.to_store(stream, replaces)
        loaded = dt.datetime.now(dt.UTC)
        names = tuple(property_name(name, table=stream) for name in layout.columns)
        added = {LOADED_AT.name: (f"{loaded:%Y-%m-%dT%H:%M:%SZ}", EdmType.DATETIME), RUN_ID.name: self._run_id}
        marker = Marker(names=names, added=added)
        self._commits += 1
        number = (self._run_id, self._number, f"{self._commits:06d}")
        counts = []
        for key, has_rows, stored in self._changes(flights, target, source, replaces):
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
        self, flights: Flights, target: _Target, source: str, replaces: Replaces | None
    ) -> Iterator[tuple[str, bool, Stored | None]]:
        """The partitions to write, whether they have new rows, and what of them is stored; None: nobody has looked."""
        found = (target.layout.partition(values) for values in target.entities.partitions(self._staging, source))
        wanted = sorted(found, key=order)
        if replaces is None:
            yield from ((key, True, None) for key in wanted)
            return
        region = region_of(target.table, replaces)
        whole = covers(target.layout, region)
        query = filter_of(target.table, target.layout, region, partial(self._as_stored, target.table))
        stored = stored_partitions(target.client, query)
        one_by_one = iter(lambda: flights.call(lambda: next(stored, None)), None)
        for key, has_rows, each in paired(wanted, one_by_one):
            known = each if whole else evolve(each, marked=True, rows=None, whole=False)
            if has_rows or known.keys or (whole and known.rows != 0):
                yield key, has_rows, known

    def _as_stored(self, table: Table, column: str, value: str) -> str:
        kind = next(each.type for each in table.columns if each.name == column)
        cast = "CAST(CAST(? AS TIMESTAMPTZ) AS TIMESTAMP)" if kind is Type.DATETIME else f"CAST(? AS {TYPES[kind]})"
        ((text,),) = self._staging.run(f"SELECT {as_text(cast, kind)}", [value]).fetchall()
        return str(text)
