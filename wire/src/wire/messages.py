"""The messages of the wire: the Singer specification's SCHEMA, RECORD and STATE, plus `replaces` and ERROR."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from wire.exits import Kind


class Replaces(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The region of a stream that the rows since the stream's previous STATE are *all* rows of.

    `where` names the region's columns and values; `first` and `last` (on the wire `from` and `to`) are ISO dates that
    range over the replication key, both ends included; without them the region is all that `where` selects.
    `rows`, when given, is how many rows there must be. `confirmed` says of a region without rows that the platform was
    asked a second, independent way and has none: only then are rows that are there taken away.
    """

    stream: str
    where: dict[str, str]
    first: str | None = field(name="from", default=None)
    last: str | None = field(name="to", default=None)
    rows: int | None = None
    confirmed: bool = False


class SchemaLine(Struct, tag_field="type", tag="SCHEMA"):
    """Announces a stream; `schema` is the JSON Schema of one record."""

    stream: str
    schema: dict[str, Any]
    key_properties: list[str] = []
    bookmark_properties: list[str] | None = None


class RecordLine(Struct, tag_field="type", tag="RECORD"):
    """One row, kept as the bytes that arrived."""

    stream: str
    record: Raw


class StateLine(Struct, tag_field="type", tag="STATE"):
    """The pipeline's state after the rows before it, kept as the bytes that arrived.

    `value` is all of it; `patch` is what changes of it, a JSON Merge Patch (RFC 7386).
    """

    value: Raw | UnsetType = UNSET
    patch: Raw | UnsetType = UNSET
    replaces: Replaces | UnsetType | None = UNSET


class ErrorLine(Struct, tag_field="type", tag="ERROR"):
    """Why a pipeline ends, or gives up one account. `retry_after` is in seconds."""

    kind: Kind
    message: str
    retry_after: float | None = None
    account_id: str | None = None


class OtherLine(Struct):
    """Any message; the specification lets a tap send types that a target does not know."""

    type: str
