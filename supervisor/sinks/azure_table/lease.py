"""One run at a time: an entity that says who holds the storage, renewed while that process lives.

There is no lock that the service would drop with its holder's connection, so a hold ends by not being renewed. Its age
is taken from the service's own clock, because two machines' clocks may be minutes apart.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import frozen
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableEntity, UpdateMode

from supervisor.config.errors import SinkError
from supervisor.sinks.azure_table.access import options

HOLD_SECONDS = 90.0
_KEY = ("lease", "run")
_RENEWALS_A_HOLD = 4.5


@frozen
class _Found:
    entity: TableEntity
    now: dt.datetime

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

    def __init__(self, client: TableClient, *, what: str, seconds: float = HOLD_SECONDS) -> None:
        self._client = client
        self._what = what
        self._seconds = seconds
        self._token = uuid.uuid4().hex
        started = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self._holder = f"pid {os.getpid()} on {socket.gethostname()}, a run that started {started}"
        self._etag = ""
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
                    *_KEY, etag=self._etag, match_condition=MatchConditions.IfNotModified, **options()
                )
            except (AzureError, OSError):
                return

    def _take(self) -> None:
        for _ in range(3):
            found = self._find()
            if found is not None and not found.over and found.entity["token"] != self._token:
                raise SinkError(
                    f"{self._what} is in use by {found.entity['holder']}; wait until that run ends, or, if it was "
                    f"killed, until its hold expires at {found.expires:%Y-%m-%d %H:%M:%S} UTC"
                )
            if self._write(found.entity.metadata["etag"] if found else None):
                return
        raise SinkError(f"{self._what} is being taken by several runs at once; try again")

    def _find(self) -> _Found | None:
        dates: list[str] = []
        hook = options() | {"raw_response_hook": lambda response: dates.append(response.http_response.headers["Date"])}
        try:
            entity = self._client.get_entity(*_KEY, **hook)
        except ResourceNotFoundError:
            return None
        return _Found(entity, parsedate_to_datetime(dates[-1]))

    def _write(self, etag: str | None) -> bool:
        """Write the lease where nobody else did since; False where somebody has."""
        entity = {
            "PartitionKey": _KEY[0],
            "RowKey": _KEY[1],
            "holder": self._holder,
            "token": self._token,
            "seconds": self._seconds,
        }
        asked = time.monotonic()
        try:
            answer = self._sent(entity, etag)()
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            found = self._find()  # it may have been this very request, whose answer was lost
            if found is None or found.entity["token"] != self._token:
                return False
            answer = {"etag": found.entity.metadata["etag"]}
        self._etag, self._renewed = answer["etag"], asked
        return True

    def _sent(self, entity: dict[str, Any], etag: str | None) -> Callable[[], dict[str, Any]]:
        if etag is None:
            return lambda: self._client.create_entity(entity, **options())
        return lambda: self._client.update_entity(
            entity,
            mode=UpdateMode.REPLACE,
            etag=etag,
            match_condition=MatchConditions.IfNotModified,
            **options(),
        )

    def _keep(self) -> None:
        while not self._over.wait(self._seconds / _RENEWALS_A_HOLD):
            try:
                if self._write(self._etag):
                    continue
                found = self._find()
            except (AzureError, OSError, ValueError):
                # The next try may go well, and `check` knows how long ago the last good one was. A ValueError is the
                # SDK's when the account was closed meanwhile.
                continue
            self._lost = str(found.entity["holder"]) if found else "another run, which has ended"
            return
