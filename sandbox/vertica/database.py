"""What all sessions share: the data, the catalog, the locks, the users, the faults and the log of statements."""

from __future__ import annotations

import itertools
import ssl
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb

from sandbox.vertica import catalog
from sandbox.vertica.catalog import Catalog, literal
from sandbox.vertica.errors import ServerError
from sandbox.vertica.faults import Faults
from sandbox.vertica.locks import Locks

VERSION = "v24.2.0-1"
KEPT_STATEMENTS = 1_000


@dataclass(frozen=True)
class Settings:
    """`users` are names and passwords; `login` is one of login.METHODS; seconds for `lock_timeout`."""

    users: Mapping[str, str] = field(default_factory=dict)
    login: str = "sha512"
    database: str | None = None
    tls: ssl.SSLContext | None = None
    balance_to: tuple[str, int] | None = None
    lock_timeout: float = 300.0
    max_sessions: int = 50


class Cancellable(Protocol):
    """A session, as a request to cancel its statement sees it."""

    secret: int

    def cancel(self) -> None: ...


class Database:
    def __init__(self, settings: Settings, spools: Path) -> None:
        self.settings = settings
        self.spools = spools
        self.engine = duckdb.connect(":memory:", config={"threads": 2})
        self.engine.execute("SET TimeZone = 'UTC'")
        catalog.install(self.engine)
        self.catalog = Catalog()
        self.locks = Locks(settings.lock_timeout)
        self.faults = Faults()
        self.statements: deque[str] = deque(maxlen=KEPT_STATEMENTS)
        self.numbers = itertools.count(1000)
        self._sessions: dict[int, Cancellable] = {}
        self._guard = threading.Lock()
        self._register = self.engine.cursor()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the data."""
        with self._guard:
            return self.engine.cursor()

    def admit(self, number: int, session: Cancellable, row: Mapping[str, object]) -> None:
        """List a session in `v_monitor.sessions`. Raises ServerError when there are too many."""
        values = ", ".join(
            f"CAST({literal(row.get(name))} AS {'BIGINT' if name == 'client_pid' else 'VARCHAR'})"
            if name != "login_timestamp"
            else "now()"
            for name in catalog.SESSION_COLUMNS
        )
        with self._guard:
            if len(self._sessions) >= self.settings.max_sessions:
                raise ServerError(
                    f"New session rejected due to limit, already {len(self._sessions)} sessions active",
                    "53300",
                    4060,
                    fatal=True,
                )
            self._sessions[number] = session
            self._register.execute(f"INSERT INTO v_monitor.sessions VALUES ({values})")

    def dismiss(self, number: int, session_id: str) -> None:
        with self._guard:
            if self._sessions.pop(number, None):
                self._register.execute("DELETE FROM v_monitor.sessions WHERE session_id = ?", [session_id])

    def cancel(self, number: int, secret: int) -> None:
        with self._guard:
            session = self._sessions.get(number)
        if session and session.secret == secret:
            session.cancel()
