"""A pipeline's state in parts, one per table and account, so that a commit writes what changed and nothing else.

A part is the JSON text below `bookmarks`, the table, `accounts` and the account: see docs/wire.md. Whatever has another
shape is a part of its own, kept as it is. Texts are taken apart and put together, never read as numbers, so no value
changes on the way.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw

Place = tuple[str, str]
"""A table and an account; both empty where a part belongs to neither."""
Parts = Mapping[Place, bytes]
Changes = Mapping[Place, bytes | None]
"""What becomes of parts; None takes one away."""

REST: Place = ("", "")
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_Object = dict[str, Raw]


def parts_of(state: bytes) -> dict[Place, bytes]:
    """The parts of a whole state; `whole` puts them together again."""
    rest = _object(state)
    marks = _object(rest.get("bookmarks")) if rest is not None else None
    if rest is None or marks is None:
        return {REST: state}
    found: dict[Place, bytes] = {}
    others: _Object = {}
    for table, mark in marks.items():
        accounts = _accounts(mark)
        if accounts is None or not table:
            others[table] = mark
        else:
            found |= {(table, account): bytes(value) for account, value in accounts.items()}
    if not found:
        return {REST: state}
    del rest["bookmarks"]
    if others:
        rest["bookmarks"] = _encoded(others)
    return {REST: bytes(_encoded(rest)), **found} if rest else found


def whole(parts: Parts) -> bytes | None:
    """The state that has these parts, its tables and accounts in order; None where there are none."""
    if not parts:
        return None
    rest = parts.get(REST, b"{}")
    if len(parts) == (REST in parts):
        return rest
    state = _object(rest) or {}
    marks = _object(state.get("bookmarks")) or {}
    accounts: dict[str, _Object] = {}
    for (table, account), text in sorted(parts.items()):
        if (table, account) != REST:
            # A table that a former version kept whole may still be in the rest.
            known = accounts.setdefault(table, _accounts(marks.get(table)) or {})
            known[account] = Raw(text)
    marks |= {table: _encoded({"accounts": _encoded(known)}) for table, known in accounts.items()}
    return bytes(_encoded({**state, "bookmarks": _encoded(marks)}))


def patch_changes(parts: Parts, patch: bytes) -> dict[Place, bytes | None]:
    """What a JSON Merge Patch (RFC 7386) of the whole state changes of its parts."""
    narrow = _narrow(parts, patch)
    if narrow is not None:
        merged = {place: _merged(parts.get(place), text) for place, text in narrow.items()}
        return {place: text for place, text in merged.items() if parts.get(place) != text}
    return whole_changes(parts, parts_of(_merged(whole(parts), patch)))


def named_places(parts: Parts, patch: bytes) -> set[Place]:
    """The places that a patch speaks of, whether it changes them or not."""
    narrow = _narrow(parts, patch)
    return set(patch_changes(parts, patch) if narrow is None else narrow)


def whole_changes(parts: Parts, wanted: Parts) -> dict[Place, bytes | None]:
    """What must change so that `parts` become the wanted ones."""
    gone: dict[Place, bytes | None] = {place: None for place in parts if place not in wanted}
    return gone | {place: text for place, text in wanted.items() if parts.get(place) != text}


def _narrow(parts: Parts, patch: bytes) -> dict[Place, bytes] | None:
    """The patch of each account where it speaks of accounts in tables alone; None where it says anything else."""
    top = _object(patch)
    marks = _object(top.get("bookmarks")) if top is not None and set(top) == {"bookmarks"} else None
    if not marks:
        return None
    rest = _object(parts.get(REST, b"{}"))
    if rest is None:
        return None
    others = _object(rest.get("bookmarks")) or {}
    found: dict[Place, bytes] = {}
    for table, mark in marks.items():
        accounts = _accounts(mark)
        if accounts is None or not table or table in others:
            return None
        found |= {(table, account): bytes(value) for account, value in accounts.items()}
    return found


def _merged(target: bytes | Raw | None, patch: bytes | Raw) -> bytes:
    changes = _object(patch)
    if changes is None:
        return bytes(patch)
    merged = _object(target) or {}
    for name, value in changes.items():
        if bytes(value) == b"null":
            merged.pop(name, None)
        else:
            merged[name] = Raw(_merged(merged.get(name), value))
    return bytes(_encoded(merged))


def _accounts(mark: bytes | Raw | None) -> _Object | None:
    """The accounts of a table in the state of our pipelines; None where it is of another shape."""
    inner = _object(mark)
    accounts = _object(inner.get("accounts")) if inner is not None and set(inner) == {"accounts"} else None
    if not accounts or "" in accounts or any(_object(value) is None for value in accounts.values()):
        return None
    return accounts


def _object(text: bytes | Raw | None) -> _Object | None:
    """The members of a JSON object; None for anything else."""
    if text is None:
        return None
    try:
        return _OBJECT.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _encoded(value: _Object) -> Raw:
    return Raw(msgspec.json.encode(value))
