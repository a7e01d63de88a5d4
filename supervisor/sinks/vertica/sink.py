"""A Vertica database, held for one run or shared by shards; each platform's session has a connection of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from supervisor.config.environment import TlsMode, VerticaAccess
from supervisor.record.exchange_rates import Rate
from supervisor.record.log import log
from supervisor.record.reconciliation import Reconciliation
from supervisor.record.run_record import RunRecord
from supervisor.record.spend import DailySpend
from supervisor.record.state import parts_of, whole_changes
from supervisor.sinks.exchange_rates import DEFINITION, statements
from supervisor.sinks.reconciling import of_run
from supervisor.sinks.sharing import check_states
from supervisor.sinks.staging import StagingDatabase
from supervisor.sinks.unified import SOURCES
from supervisor.sinks.vertica import defining, lock
from supervisor.sinks.vertica.bookkeeping import make_tables
from supervisor.sinks.vertica.connection import Link, label
from supervisor.sinks.vertica.defining import Definitions
from supervisor.sinks.vertica.history import store_run
from supervisor.sinks.vertica.literals import literal
from supervisor.sinks.vertica.lock import RunLock
from supervisor.sinks.vertica.refusals import addresses
from supervisor.sinks.vertica.session import VerticaSession
from supervisor.sinks.vertica.spend import daily_spend
from supervisor.sinks.vertica.state import stored_parts, stored_wholes, write_changes
from supervisor.sinks.vertica.target import make_schema
from supervisor.sinks.views import reader_views
from wire.shards import Shard

_TYPES = {"DOUBLE": "DOUBLE PRECISION"}


class VerticaSink:
    """An open database. Raises SinkError where nobody is let in, or another run is.

    In a `reporting_currency` the views have their amounts once more. A `shard` shares the database with the others; of
    those `in_group` the one that ends last makes the views.
    """

    def __init__(
        self,
        access: VerticaAccess,
        *,
        spools: Path | None = None,
        reporting_currency: str | None = None,
        shard: Shard | None = None,
        in_group: bool = False,
    ) -> None:
        self._access = access
        self._reporting_currency = reporting_currency
        self._is_one_of_a_group = shard is not None and in_group
        self._started = dt.datetime.now(dt.UTC)
        link = Link(access, self._label(lock.purpose(shard)))
        self._lock = RunLock(link, shard)
        try:
            link.open()
            if access.tls_mode is TlsMode.PREFER and not link.is_encrypted:
                log.warning("The connections to Vertica on %s are not encrypted", addresses(access))
            make_tables(link, (*lock.tables(shard), defining.TABLE) if shard else ())
            self._lock.take()
            if shard is not None:
                check_states(stored_wholes(link))
        except BaseException:
            link.close()
            raise
        self._database = StagingDatabase(spools)
        # DDL of several platforms at once meets in the global catalog, where Vertica would make one wait for the other.
        self._definitions = Definitions((lambda: Link(access, self._label("definitions"))) if shard else None)

    @property
    def description(self) -> str:
        return f"vertica database {self._access.database} on {addresses(self._access)}"

    def session(self, platform: str, run_id: str) -> VerticaSession:
        return VerticaSession(
            lambda: Link(self._access, self._label(platform)),
            self._database.staging(),
            platform,
            run_id,
            before=self._lock.ensure,
            definitions=self._definitions,
        )

    def put_state(self, platform: str, state: bytes | None) -> None:
        with self._linked("state") as link:
            changes = whole_changes(stored_parts(link, platform), parts_of(state) if state else {})
            write_changes(link, platform, changes, run_id="")
            link.run("COMMIT", "commit")

    def record_run(self, record: RunRecord) -> None:
        with self._linked("history") as link:
            store_run(link, record)

    def daily_spend(self, days: int) -> tuple[DailySpend, ...]:
        with self._linked("spend") as link:
            return daily_spend(link, days)

    def reconcile_run(
        self, platform: str, run_id: str, without: Collection[str], instead: str | None = None
    ) -> Reconciliation | None:
        with self._linked("reconciliation") as link:
            columns = columns_of(link)
            return of_run(
                lambda query: link.run(query, "compare the levels"), columns, platform, run_id, without, instead=instead
            )

    def put_rates(self, rates: Collection[Rate]) -> None:
        with self._definitions.changing(), self._linked("rates") as link:
            make_schema(link, "ads")
            for statement in (DEFINITION, *statements(rates), "COMMIT"):
                link.run(statement, "keep the exchange rates")

    def publish(self) -> None:
        """Make the views of the schema `ads` from the tables that exist.

        A shard of a group gives the database back before, so that of those that end at once one does it.
        """
        if not self._is_one_of_a_group:
            self._make_views()
        elif self._lock.end_work():
            try:
                self._make_views()
            finally:
                self._lock.release()
        else:
            log.info("Other shards are at work; the views are left to the one that ends last")

    def _make_views(self) -> None:
        with self._definitions.changing(), self._linked("views") as link:
            views = reader_views(columns_of(link), types=_TYPES, reporting_currency=self._reporting_currency)
            if views:
                make_schema(link, "ads")
            if views and self._reporting_currency is not None:
                link.run(DEFINITION, "make the table of exchange rates")
            for name, query in views.items():
                link.run(f"CREATE OR REPLACE VIEW ads.{name} AS {query}", f"make the view ads.{name}")

    def close(self) -> None:
        self._lock.release()
        self._database.close()

    @contextmanager
    def _linked(self, purpose: str) -> Iterator[Link]:
        """A connection of its own: the lock's would lose the lock with its first commit."""
        link = Link(self._access, self._label(purpose))
        try:
            link.open()
            yield link
        finally:
            link.close()

    def _label(self, purpose: str) -> str:
        return label(purpose, self._started)


def columns_of(link: Link) -> dict[str, set[str]]:
    """The columns of the platforms' tables, by `platform.table`."""
    schemas = ", ".join(map(literal, SOURCES))
    columns: dict[str, set[str]] = {}
    for table, column in link.run(
        "SELECT lower(table_schema) || '.' || lower(table_name), lower(column_name) FROM v_catalog.columns "
        f"WHERE lower(table_schema) IN ({schemas})",
        "show the tables",
    ):
        columns.setdefault(table, set()).add(column)
    return columns
