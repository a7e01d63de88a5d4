"""Values as Vertica's SQL writes them, where they are few; rows travel with COPY."""

from __future__ import annotations

import datetime as dt

from supervisor.config.errors import SinkError
from supervisor.sinks.quoting import quoted, text
from supervisor.sinks.regions import Region

LONGEST_NAME = 128


def literal(value: str) -> str:
    """A text. The wire ends a statement at a zero byte, so none may be in it."""
    if "\0" in value:
        raise SinkError("Vertica cannot be asked for a text with a zero byte in it")
    return text(value)


def moment(value: dt.datetime) -> str:
    """A TIMESTAMP, in UTC."""
    return f"TIMESTAMP '{value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(' ')}'"


def where(region: Region) -> str:
    """The conditions of a region."""
    return " AND ".join(f"{quoted(c.column)} {c.operator} {literal(c.value)}" for c in region.conditions)


def check_length(kind: str, name: str) -> None:
    """Raises SinkError for a name that Vertica would refuse: it may have 128 octets."""
    octets = len(name.encode())
    if octets > LONGEST_NAME:
        raise SinkError(f"the {kind} name {name!r} has {octets} octets, and Vertica takes {LONGEST_NAME}; shorten it")
