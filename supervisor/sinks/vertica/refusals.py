"""What Vertica and its client say when something goes wrong, as sentences with their remedy; no SQL, no values.

SQLSTATEs are those that vertica-python gives classes of their own to, and 53100, which is a full disk.
"""

from __future__ import annotations

import re

from vertica_python import errors  # type: ignore[import-untyped]  # vertica-python has no py.typed

from supervisor.config.environment import VerticaAccess
from supervisor.config.errors import SinkError

LOCK_FAILURE = "55V03"
MISSING = ("42V01", "3F000")  # a relation, a schema
DUPLICATES = ("42710", "42701")  # an object, a column
_LONGEST = 300
_NO_ROOM = "make room on its nodes; nothing of this batch is stored, and the next attempt sends it again"
_REMEDIES = {
    LOCK_FAILURE: "another session holds a lock that v_monitor.locks shows; run again when it has ended",
    "42501": "grant that right to the user of VERTICA_USER",
    "53000": _NO_ROOM,
    "53100": _NO_ROOM,
    "53200": _NO_ROOM,
    "57014": "somebody canceled the statement",
}


class RefusedError(SinkError):
    """Vertica answered a statement with an error; the connection is still good."""

    def __init__(self, sentence: str, sqlstate: str) -> None:
        super().__init__(sentence)
        self.sqlstate = sqlstate


class LostError(SinkError):
    """The connection is gone, or gave no answer in time; what was not committed is not stored."""


def refused(error: errors.QueryError, doing: str) -> RefusedError:
    """`doing` says what was asked for, like `load p.daily`."""
    sqlstate = str(error.sqlstate or "")
    remedy = _REMEDIES.get(sqlstate)
    said = f"Vertica refused to {doing}: {_shortened(error.message)}"
    return RefusedError(f"{said}; {remedy}" if remedy else said, sqlstate)


def lost(error: Exception, doing: str, access: VerticaAccess) -> LostError:
    first = _first(error)
    if isinstance(first, TimeoutError):
        return LostError(
            f"Vertica on {addresses(access)} gave no answer for {access.timeout:g} s when asked to {doing}; "
            "look at v_monitor.sessions for what it does, or raise VERTICA_TIMEOUT"
        )
    return LostError(
        f"the connection to Vertica on {addresses(access)} was lost when asked to {doing}: {_shortened(first)}"
    )


def no_login(error: Exception, access: VerticaAccess) -> SinkError:
    """Why there is no connection, from what vertica-python said; it puts all of the server's fields into one text."""
    said = str(error)
    where = f"Vertica on {addresses(access)}"
    if isinstance(error, errors.SSLNotSupported):
        return SinkError(f"{where} offers no TLS, and VERTICA_TLSMODE={access.tls_mode} asks for it")
    if "CERTIFICATE_VERIFY_FAILED" in said:
        source = (
            f"VERTICA_CA_FILE={access.ca_file}" if access.ca_file else "the system's certificates, as no CA file is set"
        )
        why = re.sub(r"^.*certificate verify failed: |\s*\(_ssl\.c:\d+\)$", "", said)
        return SinkError(f"the certificate of {where} is not trusted: {why}; it was checked with {source}")
    if "SSL" in said:
        return SinkError(f"TLS with {where} failed: {_shortened(said)}")
    refusal = re.search(r"Message: (.*?)(?:, Sqlstate: (\w+).*)?$", said, re.S)
    if refusal:
        return _refused_login(refusal[1], refusal[2] or "", access)
    if "Failed to establish a connection" in said:
        return SinkError(f"{where} cannot be reached; look at VERTICA_HOST and VERTICA_PORT, and whether it is up")
    return SinkError(f"{where} let nobody in: {_shortened(said)}")


def addresses(access: VerticaAccess) -> str:
    """All nodes that are tried, in their order."""
    return ", ".join(f"{host}:{port}" for host, port in ((access.host, access.port), *access.backup_nodes))


def _refused_login(message: str, sqlstate: str, access: VerticaAccess) -> SinkError:
    where = f"Vertica on {addresses(access)}"
    if sqlstate.startswith("28"):
        return SinkError(
            f"{where} refused the login of user {access.user!r}: {_shortened(message)}; "
            "look at VERTICA_USER and VERTICA_PASSWORD"
        )
    if sqlstate == "3D000" or re.search(r"database .*does not exist", message, re.I | re.S):
        return SinkError(f"{where} has no database {access.database!r}; look at VERTICA_DATABASE")
    return SinkError(f"{where} refused the login of user {access.user!r}: {_shortened(message)}")


def _first(error: BaseException) -> BaseException:
    """The failure behind those that followed from it."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _shortened(text: object) -> str:
    line = " ".join(str(text).split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} [...]"
