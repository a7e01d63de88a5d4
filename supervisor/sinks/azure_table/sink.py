"""A storage account of Azure: a table per stream, and one of the supervisor's own. One run writes, or shards do."""

from __future__ import annotations

import threading
from pathlib import Path

from supervisor.config.environment import AzureAccess
from supervisor.record.run_record import RunRecord
from supervisor.record.state import parts_of, whole_changes
from supervisor.sinks.azure_table.access import IMPATIENT, Account, Patience
from supervisor.sinks.azure_table.catalog import Catalog, create, own_table
from supervisor.sinks.azure_table.documents import Documents
from supervisor.sinks.azure_table.history import store_run
from supervisor.sinks.azure_table.lease import HOLD_SECONDS, Lease
from supervisor.sinks.azure_table.session import AzureSession, Tools
from supervisor.sinks.azure_table.state import stored_parts, stored_wholes, write_changes
from supervisor.sinks.sharing import check_states
from supervisor.sinks.staging import StagingDatabase
from wire.shards import Shard


class AzureSink:
    """An open account, which a `shard` shares with the others. Every verb raises SinkError.

    `hold_seconds` is how long a killed run keeps the next one out.
    """

    def __init__(
        self,
        access: AzureAccess,
        *,
        hold_seconds: float = HOLD_SECONDS,
        patience: Patience | None = None,
        spools: Path | None = None,
        shard: Shard | None = None,
    ) -> None:
        self._access = access
        self._patience = patience
        self._account = Account(access, patience)
        self._hold = Account(access, patience or IMPATIENT)  # a renewal that waits for long has missed its time
        self._catalog = threading.Lock()
        self._database = StagingDatabase(spools)
        self._own = own_table(self._account.prefix)
        self._documents = Documents(self._account.table(self._own))
        try:
            self._lease = self._take(hold_seconds, shard)
        except BaseException:
            self._hold.close()
            self._account.close()
            raise

    @property
    def description(self) -> str:
        return f"the Azure tables {self._account.prefix}* at {self._account.host}"

    def session(self, platform: str, run_id: str) -> AzureSession:
        tools = Tools(
            account=lambda: Account(self._access, self._patience),
            staging=self._database.staging(),
            catalog=lambda account, documents: Catalog(account, documents, self._catalog),
            own_table=self._own,
            lease=self._lease,
        )
        return AzureSession(tools, platform, run_id)

    def put_state(self, platform: str, state: bytes | None) -> None:
        with self._account.refusals():
            changes = whole_changes(stored_parts(self._documents, platform), parts_of(state) if state else {})
            write_changes(self._documents, platform, changes, run_id="")

    def record_run(self, record: RunRecord) -> None:
        with self._account.refusals():
            store_run(self._account.table(self._own), record)

    def publish(self) -> None:
        """The service has no views."""

    def close(self) -> None:
        self._lease.release()
        self._hold.close()
        self._account.close()
        self._database.close()

    def _take(self, seconds: float, shard: Shard | None) -> Lease:
        client = self._hold.table(self._own)
        with self._account.refusals():
            create(client)
            lease = Lease(client, what=self.description, shard=shard, seconds=seconds)
        try:
            if shard is not None:
                with self._account.refusals():
                    check_states(stored_wholes(self._documents))
        except BaseException:
            lease.release()
            raise
        return lease
