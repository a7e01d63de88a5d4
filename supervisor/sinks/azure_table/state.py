"""The states in the supervisor's table: an entity for each platform, table and account.

Its RowKey is `platform|table|account`, and `platform` alone where a part belongs to neither: all of a state of another
shape, and all of one that a version before this layout has left. Whoever is killed between two entities leaves each
account's part as old or as new as it was or is to be, and its rows are there already.
"""

from __future__ import annotations

import datetime as dt

from supervisor.record.state import REST, Changes, Place
from supervisor.sinks.azure_table.documents import Documents
from supervisor.sinks.azure_table.keys import SEPARATOR, escape, joined, split

STATE = "state"
_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)


def stored_parts(documents: Documents, platform: str) -> dict[Place, bytes]:
    """The parts of a platform's state. Raises AzureError, and SinkError."""
    key = escape(platform)
    whole = documents.get(STATE, key)
    found = {REST: whole.text.encode()} if whole else {}
    others = documents.between(STATE, key + SEPARATOR, key + _AFTER_SEPARATOR)
    return found | {place_of(each.key): each.text.encode() for each in others}


def stored_wholes(documents: Documents) -> dict[str, bytes]:
    """By platform, the part of its state that belongs to no table and account; others are passed over unread."""
    found: dict[str, bytes] = {}
    document = documents.following(STATE, "")
    while document is not None:
        platform, *place = split(document.key)
        if not place:
            found[platform] = document.text.encode()
        document = documents.following(STATE, escape(platform) + _AFTER_SEPARATOR if place else document.key)
    return found


def write_changes(documents: Documents, platform: str, changes: Changes, *, run_id: str) -> None:
    """Put parts in place of the stored ones, or take those away. Raises AzureError, and SinkError."""
    properties = {"platform": platform, "run_id": run_id, "updated_at": dt.datetime.now(dt.UTC)}
    keys = {place: escape(platform) if place == REST else joined((platform, *place)) for place in changes}
    # What belongs to neither comes last: where a former version kept all of a state, it must not vanish before
    # its parts are there.
    texts = {keys[place]: part.decode() for place, part in changes.items() if part is not None and place != REST}
    documents.put_all(STATE, texts, properties)
    rest = changes.get(REST)
    if rest is not None:
        documents.put(STATE, keys[REST], rest.decode(), properties)
    for place, part in changes.items():
        if part is None:
            documents.delete(STATE, keys[place])


def place_of(key: str) -> Place:
    """The table and account of a RowKey."""
    _, *place = split(key)
    return (place[0], place[1]) if place else REST
