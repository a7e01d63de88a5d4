"""Who holds the storage: an entity for the run of all accounts or for each shard, renewed while that process lives.

There is no lock that the service would drop with its holder's connection, so a hold ends by not being renewed. Its age
is taken from the service's own clock, because two machines' clocks may be minutes apart. A hold is taken together with
the entity `gate`, in one transaction, and only as long as nobody else went through the gate since the holds were looked
at: so of two runs that may not be there together one finds the other.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import frozen
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableEntity, UpdateMode

from supervisor.config.errors import SinkError
from supervisor.sinks.azure_table.access import options, repeated
from supervisor.sinks.sharing import Holder, is_in_the_way, until
from wire.shards import Shard, parse_shard

HOLD_SECONDS = 90.0
PARTITION = "lease"
ALL = "run"
"""The RowKey of a run of all accounts; that of a shard is its label."""
_GATE = "gate"
_RENEWALS_A_HOLD = 4.5
_TRIES = 100
_PAUSE_SECONDS = 0.1
_CONFLICTS = (404, 409, 412)


@frozen
class _Found:
    entity: TableEntity
    now: dt.datetime

    @property
    def shard(self) -> Shard | None:
        """Whose hold it is; None is a run of all accounts."""
        name = str(self.entity["RowKey"])
        return None if name == ALL else parse_shard(name)

    @property
    def expires(self) -> dt.datetime:
        written = self.entity.metadata["timestamp"]
        assert written is not None, "the service sends it with every entity"
        return written + dt.timedelta(seconds=float(self.entity["seconds"]))

    @property
    def over(self) -> bool:
        return self.expires <= self.now


class Lease:
    """Held from construction to `release`, or until `seconds` after the death of its process. Raises SinkError."""

    def __init__(
        self, client: TableClient, *, what: str, shard: Shard | None = None, seconds: float = HOLD_SECONDS
    ) -> None:
        self._client = client
        self._what = what
        self._shard = shard
        self._key = (PARTITION, shard.label if shard else ALL)
        self._seconds = seconds
        self._token = uuid.uuid4().hex
        started = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self._holder = str(Holder(f"pid {os.getpid()} on {socket.gethostname()}", started, shard))
        self._etag: str | None = None
        self._lost: str | None = None
        self._renewed = time.monotonic()
        self._over = threading.Event()
        self._take()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise SinkError when another run may have the storage by now."""
        if self._lost is None and time.monotonic() - self._renewed > self._seconds:
            raise SinkError(
                f"{self._what} could not be held: its lease was not renewed for {self._seconds:.0f} seconds, "
                "and another run may have begun"
            )
        if self._lost is not None:
            raise SinkError(f"{self._what} was taken over by {self._lost}; this run must not write any more")

    def release(self) -> None:
        """Let the next run in. Where the service does not answer, that will be when the hold expires."""
        self._over.set()
        self._thread.join(timeout=2)
        if self._lost is None:
            try:
                self._client.delete_entity(
                    *self._key, etag=self._etag, match_condition=MatchConditions.IfNotModified, **options()
                )
            except (AzureError, OSError):
                return

    def _take(self) -> None:
        for _ in range(_TRIES):
            gate, holds = self._look()
            in_the_way = [each for each in holds if is_in_the_way(each.shard, self._shard)]
            for found in in_the_way:
                if not found.over:
                    raise SinkError(
                        f"{self._what} is in use by {found.entity['holder']}; {until(found.shard, self._shard)}, or, "
                        f"if it was killed, until its hold expires at {found.expires:%Y-%m-%d %H:%M:%S} UTC"
                    )
            own = next((each.entity for each in in_the_way if each.entity["RowKey"] == self._key[1]), None)
            if self._end(each for each in in_the_way if each.entity is not own) and self._enter(gate, own):
                return
            time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311 - so that those who meet here part
        raise SinkError(f"{self._what} is being taken by several runs at once; try again")

    def _look(self) -> tuple[TableEntity | None, list[_Found]]:
        """The gate, and then all holds: who goes through it in between is not seen, and has changed it."""
        gate = self._get(_GATE)
        dates: list[str] = []
        found = self._client.query_entities(f"PartitionKey eq '{PARTITION}' and RowKey ne '{_GATE}'", **_dated(dates))
        holds = list(found)
        return gate, [_Found(each, parsedate_to_datetime(dates[-1])) for each in holds]

    def _end(self, holds: Iterable[_Found]) -> bool:
        """Take away holds that are over, so that their runs, if they live, find out; False where one was renewed."""
        try:
            for each in holds:
                self._client.delete_entity(
                    *(PARTITION, each.entity["RowKey"]),
                    etag=each.entity.metadata["etag"],
                    match_condition=MatchConditions.IfNotModified,
                    **options(),
                )
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    def _enter(self, gate: TableEntity | None, own: TableEntity | None) -> bool:
        """Write the hold if nobody went through the gate since; False where somebody has."""
        through = {"PartitionKey": PARTITION, "RowKey": _GATE, "token": self._token}
        asked = time.monotonic()
        try:
            written = [_written(through, gate), _written(self._entity(), own)]
            repeated(lambda: self._client.submit_transaction(written, **options()))
        except HttpResponseError as error:
            if error.status_code not in _CONFLICTS:
                raise
        found = self._find()  # a transaction does not tell its etags, and may be there although its answer says no
        if found is None or found.entity["token"] != self._token:
            return False
        self._etag, self._renewed = found.entity.metadata["etag"], asked
        return True

    def _find(self) -> _Found | None:
        dates: list[str] = []
        entity = self._get(self._key[1], **_dated(dates))
        return _Found(entity, parsedate_to_datetime(dates[-1])) if entity is not None else None

    def _get(self, name: str, **other: Any) -> TableEntity | None:
        try:
            return self._client.get_entity(PARTITION, name, **(other or options()))
        except ResourceNotFoundError:
            return None

    def _entity(self) -> dict[str, Any]:
        return {
            "PartitionKey": self._key[0],
            "RowKey": self._key[1],
            "holder": self._holder,
            "token": self._token,
            "seconds": self._seconds,
        }

    def _renew(self) -> bool:
        """Write the hold anew where nobody else did since; False where somebody has."""
        asked = time.monotonic()
        try:
            answer = self._client.update_entity(
                self._entity(),
                mode=UpdateMode.REPLACE,
                etag=self._etag,
                match_condition=MatchConditions.IfNotModified,
                **options(),
            )
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            found = self._find()  # it may have been this very request, whose answer was lost
            if found is None or found.entity["token"] != self._token:
                return False
            answer = {"etag": found.entity.metadata["etag"]}
        self._etag, self._renewed = answer["etag"], asked
        return True

    def _keep(self) -> None:
        while not self._over.wait(self._seconds / _RENEWALS_A_HOLD):
            try:
                if self._renew():
                    continue
                found = self._find()
            except (AzureError, OSError, ValueError):
                # The next try may go well, and `check` knows how long ago the last good one was. A ValueError is the
                # SDK's when the account was closed meanwhile.
                continue
            self._lost = str(found.entity["holder"]) if found else "another run, which has ended"
            return


def _dated(dates: list[str]) -> dict[str, Any]:
    """Options of a call that puts down what the service's clock says."""
    return options() | {"raw_response_hook": lambda response: dates.append(response.http_response.headers["Date"])}


def _written(entity: dict[str, Any], former: TableEntity | None) -> tuple[Any, ...]:
    """An operation of a transaction that puts an entity in place of the one that was seen, or of none."""
    if former is None:
        return "create", entity
    unchanged = {"etag": former.metadata["etag"], "match_condition": MatchConditions.IfNotModified}
    return "update", entity, {"mode": UpdateMode.REPLACE, **unchanged}
