"""One connection after its greeting: login, then statements by the simple and the extended query protocol."""

from __future__ import annotations

import re
import secrets
import struct
import time
from collections.abc import Callable
from functools import partial

import duckdb

from sandbox.vertica import login, protocol, sql, types
from sandbox.vertica.catalog import NODE
from sandbox.vertica.database import VERSION, Database
from sandbox.vertica.errors import ServerError, from_engine
from sandbox.vertica.locks import Owner
from sandbox.vertica.protocol import Channel, DisconnectedError, HangingError
from sandbox.vertica.statements import CHANGES, COUNT, READS, Statements
from sandbox.vertica.transaction import Transaction

_VALUES = re.compile(rf"INSERT\s+INTO\s+({sql.NAME})\s*(\([^)]*\))?\s*VALUES\s*\(([\s$\d,]*)\)\s*$", re.I)


class Session:
    """Serves one client until it leaves, in the calling thread."""

    def __init__(self, database: Database, channel: Channel, asked: dict[str, str], peer: str) -> None:
        self._database = database
        self._channel = channel
        self._asked = asked
        self._peer = peer
        self.number = next(database.numbers)
        self.secret = secrets.randbits(31)
        self.id = f"{NODE}-{self.number}:0x1"
        self._label = asked.get("client_label", "")
        self._cancelled = False
        self._owner = Owner(asked.get("user", ""), cancelled=lambda: self._cancelled)
        self._transaction = Transaction(database.connect, database.catalog, database.locks, self._owner)
        self._autocommit = asked.get("autocommit") == "on"
        self._statements = Statements(
            *(database, channel, self._transaction, self._owner),
            number=self.number,
            label=self._label,
            autocommit=self._autocommit,
        )
        self._prepared: dict[str, tuple[str, int]] = {}
        self._portals: dict[str, tuple[str, list[object]]] = {}

    def cancel(self) -> None:
        """From another thread: end the statement that runs."""
        self._cancelled = True
        self._transaction.interrupt()

    def serve(self) -> None:
        hanging = False
        try:
            self._log_in()
            self._answer_messages()
        except DisconnectedError:
            pass
        except HangingError:
            hanging = True
        except ServerError as error:  # at the login, where it ends the connection
            self._channel.error(error)
            self._channel.flush()
        finally:
            lingering = self._database.faults.strike("linger", label=self._label)
            time.sleep(lingering.after / 1000 if lingering else 0)
            self._transaction.close()
            self._database.dismiss(self.number, self.id)
            self._statements.drop_spools()
        if hanging:  # without locks: a client may be gone without a sign of it, behind data that nobody reads
            self._channel.wait_for_hang_up()

    def _log_in(self) -> None:
        settings = self._database.settings
        if self._database.faults.strike("refuse_login"):
            raise login.refused()
        method = settings.login if settings.users else "trust"
        login.log_in(self._channel, self._asked, settings.users, method, settings.database)
        self._database.admit(self.number, self, self._row())
        self._transaction.set_variable("session_id", self.id)
        self._statements.count_rows(0, 0)
        channel = self._channel
        channel.binary_results = self._asked.get("binary_data_protocol") == "1"
        for name, value in {
            "server_version": VERSION,
            "protocol_version": channel.protocol,
            "auto_commit": "on" if self._autocommit else "off",
            "standard_conforming_strings": "on",
            "timezone": "UTC",
            "client_locale": "en_US@collation=binary",
            "client_label": self._label,
            "long_string_types": "on",
            "request_complex_types": "off",
            "workload": self._asked.get("workload", ""),
        }.items():
            channel.parameter(name, value)
        channel.put(b"K", struct.pack("!II", self.number, self.secret))
        self._ready()

    def _row(self) -> dict[str, object]:
        pid = self._asked.get("client_pid", "")
        known = {"node_name": NODE, "user_name": self._owner.user, "client_hostname": self._peer, "session_id": self.id}
        return {**self._asked, **known, "client_pid": int(pid) if pid.isdigit() else None}

    def _ready(self) -> None:
        self._channel.put(b"Z", b"T" if self._transaction.open else b"I")
        self._channel.flush()

    def _answer_messages(self) -> None:
        skipping = False  # after an error in the extended protocol, until the client's Sync
        while True:
            letter, body = self._channel.read()
            if letter == b"X":
                return
            if letter == b"Q":
                self._simple(body.rstrip(b"\0").decode("utf-8", "surrogateescape"))
            elif letter == b"S":
                skipping = False
                self._ready()
            elif letter == b"H":
                self._channel.flush()
            elif not skipping:
                skipping = not self._guarded(partial(self._extended, letter, body))
                if skipping:
                    self._channel.flush()

    def _guarded(self, work: Callable[[], None]) -> bool:
        """Do it, or answer with the error; says whether it was done."""
        self._cancelled = False
        try:
            work()
            return True
        except ServerError as error:
            self._channel.error(error)
        except duckdb.Error as error:
            self._channel.error(from_engine(error))
        finally:
            if not self._transaction.open:
                self._statements.drop_spools()
        return False

    def _simple(self, text: str) -> None:
        statements = sql.statements(text)
        if not statements:
            self._channel.put(b"I")
        for statement in statements:
            if not self._guarded(partial(self._statements.run, statement)):
                break
        self._ready()

    def _extended(self, letter: bytes, body: bytes) -> None:
        if letter == b"P":
            self._parse(*protocol.parse_message(body))
        elif letter == b"D":
            self._describe(*self._prepared[body[1:].rstrip(b"\0").decode()])
        elif letter == b"B":
            portal, name, values = protocol.bind_message(body)
            self._portals[portal] = (self._prepared[name][0], values)
            self._channel.put(b"2")
        elif letter == b"E":
            statement, values = self._portals[body[: body.index(b"\0")].decode()]
            self._statements.run(statement, values, described=True)
        elif letter == b"C":
            self._prepared.pop(body[1:].rstrip(b"\0").decode(), None)
            self._channel.put(b"3")

    def _parse(self, name: str, text: str) -> None:
        statements = sql.statements(text)
        if len(statements) > 1:
            raise ServerError("Cannot insert multiple commands into a prepared statement", "42601", 2366)
        self._prepared[name] = sql.numbered(statements[0]) if statements else ("", 0)
        self._channel.put(b"1")

    def _describe(self, statement: str, parameters: int) -> None:
        word = sql.head(statement)
        self._channel.describe_parameters(self._parameter_types(statement, parameters))
        if word in READS:
            probe = f"SELECT * FROM ({sql.translated(statement)}) LIMIT 0"
            engine = self._transaction.query(probe, [None] * parameters or None)
            self._channel.describe(self._statements.columns(engine, statement))
        elif word in CHANGES:
            self._channel.describe([COUNT])
        else:
            self._channel.put(b"n")
        self._channel.put(b"m", protocol.command_description(word))

    def _parameter_types(self, statement: str, parameters: int) -> list[types.Type]:
        found = _VALUES.match(statement)
        if not found:
            return [types.Type(types.VARCHAR)] * parameters
        table = self._transaction.find(found[1])
        names = sql.comma_separated(found[2][1:-1]) if found[2] else [column.name for column in table.columns]
        columns = [table.column(sql.plain_name(name)) for name in names]
        kinds = [column.type if column else types.Type(types.VARCHAR) for column in columns]
        return (kinds + [types.Type(types.VARCHAR)] * parameters)[:parameters]
