"""DuckDB's Python values as the octets that Vertica sends."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable
from decimal import Decimal

from sandbox.vertica import types
from sandbox.vertica.protocol import ResultColumn

Encoder = Callable[[object], bytes]


def encoder(column: ResultColumn) -> Encoder:
    """For the values of one column that are not NULL."""
    if column.binary:
        return _BINARY[column.type.oid]
    if column.type.oid == types.CHAR and column.type.length:
        return lambda value: _text(value).ljust(column.type.length)
    if column.type.oid == types.BINARY and column.type.length:
        return lambda value: _text(bytes(value).ljust(column.type.length, b"\0"))  # type: ignore[call-overload]  # BLOBs are bytes
    return _text


def _text(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, Decimal):
        return format(value, "f").encode()
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, bytes | bytearray):
        return b"".join(bytes([o]) if 32 <= o < 127 and o != 92 else b"\\%03o" % o for o in value)
    if isinstance(value, dt.datetime):
        return _instant(value)
    if isinstance(value, dt.time) and value.tzinfo:
        return (value.replace(tzinfo=None).isoformat() + _offset(value.utcoffset() or dt.timedelta())).encode()
    if isinstance(value, dt.timedelta):
        return _interval(value)
    return str(value).encode()


def _float(value: float) -> bytes:
    if math.isnan(value):
        return b"NaN"
    if value in (float("inf"), float("-inf")):
        return b"Infinity" if value > 0 else b"-Infinity"
    return repr(value).encode()


def _instant(value: dt.datetime) -> bytes:
    if value.tzinfo is None:
        return str(value).encode()
    return str(value.astimezone(dt.UTC).replace(tzinfo=None)).encode() + b"+00"


def _offset(offset: dt.timedelta) -> str:
    seconds = int(offset.total_seconds())
    sign, seconds = "-" if seconds < 0 else "+", abs(seconds)
    minutes = f":{seconds % 3600 // 60:02d}" if seconds % 3600 else ""
    return f"{sign}{seconds // 3600:02d}{minutes}"


def _interval(value: dt.timedelta) -> bytes:
    size = abs(value)
    hours, rest = divmod(size.seconds, 3600)
    sign = "-" if value < dt.timedelta() else ""
    fraction = f".{size.microseconds:06d}" if size.microseconds else ""
    return f"{sign}{size.days} {hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}".encode()


_BINARY: dict[int, Encoder] = {
    types.BOOLEAN: lambda value: b"\x01" if value else b"\x00",
    types.INTEGER: lambda value: struct.pack("!q", value),
    types.FLOAT: lambda value: struct.pack("!d", value),
}
