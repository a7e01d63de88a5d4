"""Who may come in: trust, cleartext, MD5 or salted SHA-512 passwords, and the name of the database."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Mapping

from sandbox.vertica.errors import ServerError
from sandbox.vertica.protocol import Channel

METHODS = ("trust", "cleartext", "md5", "sha512")

_OK, _CLEARTEXT, _MD5, _SHA512 = 0, 3, 65536 + 5, 65536 + 512


def refused() -> ServerError:
    return ServerError("Invalid username or password", "28000", 3781, fatal=True)


def log_in(
    channel: Channel, asked: Mapping[str, str], users: Mapping[str, str], method: str, database: str | None
) -> None:
    """Ask for the password if the method wants one. Raises ServerError, which ends the connection."""
    if method != "trust":
        _check_password(channel, asked.get("user", ""), users, method)
    wanted = asked.get("database", "")
    if database is not None and wanted not in ("", database):
        raise ServerError(f'Database "{wanted}" does not exist', "3D000", 2983, fatal=True)
    channel.put(b"R", struct.pack("!I", _OK))


def _check_password(channel: Channel, user: str, users: Mapping[str, str], method: str) -> None:
    salt, user_salt = secrets.token_bytes(4), secrets.token_bytes(16)
    request = {
        "cleartext": struct.pack("!I", _CLEARTEXT),
        "md5": struct.pack("!I", _MD5) + salt,
        "sha512": struct.pack("!I", _SHA512) + salt + struct.pack("!I", len(user_salt)) + user_salt,
    }[method]
    channel.put(b"R", request)
    channel.flush()
    letter, body = channel.read()
    password = users.get(user)
    if letter != b"p" or password is None:
        raise refused()
    expected = {
        "cleartext": lambda: password,
        "md5": lambda: "md5" + _twice("md5", password.encode() + user.encode(), salt),
        "sha512": lambda: "sha512" + _twice("sha512", password.encode() + user_salt, salt),
    }[method]()
    if not hmac.compare_digest(body.rstrip(b"\0"), expected.encode()):
        raise refused()


def _twice(algorithm: str, secret: bytes, salt: bytes) -> str:
    inner = hashlib.new(algorithm, secret).hexdigest()
    return hashlib.new(algorithm, inner.encode() + salt).hexdigest()
