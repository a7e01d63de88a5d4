"""The lists of actions in a report row: `[{"action_type": "lead", "value": "3", "1d_view": "1"}, ...]`.

Meta counts one purchase under several action types at once: `omni_purchase` contains `purchase`, which contains
`offsite_conversion.fb_pixel_purchase`. Adding them counts it twice or three times, so a family of types is read by its
widest type that is there. `value` follows the ad set's own attribution setting, as Ads Manager shows it; the other keys
are single attribution windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

Entries = Sequence[Mapping[str, Any]]


class Family(Struct, frozen=True):
    """The ways to count one thing, the widest first; the types within one way exclude each other and are added."""

    ways: tuple[tuple[str, ...], ...]


PURCHASES = Family((("omni_purchase",), ("purchase",), ("offsite_conversion.fb_pixel_purchase",)))
LEADS = Family((("lead",), ("onsite_conversion.lead_grouped", "offsite_conversion.fb_pixel_lead")))
LANDING_PAGE_VIEWS = Family((("landing_page_view",),))
VIDEO_VIEWS = Family((("video_view",),))


def total(entries: Entries | None, families: tuple[Family, ...], window: str = "value") -> Decimal | None:
    """The sum over the families, each counted one way; None where nothing of them is listed."""
    listed = {entry["action_type"]: entry for entry in entries or ()}
    found = [Decimal(value) for family in families for value in _counted(listed, family, window)]
    return sum(found, Decimal(0)) if found else None


def _counted(listed: Mapping[str, Mapping[str, Any]], family: Family, window: str) -> Iterator[str]:
    for way in family.ways:
        present = [listed[name] for name in way if name in listed]
        if present:
            yield from (str(entry[window]) for entry in present if entry.get(window) is not None)
            return


def exploded(entries: Entries | None) -> Iterator[tuple[str, str, str]]:
    """Each (action type, attribution window, value) of a list; the window of `value` is called `default`."""
    for entry in entries or ():
        for key, value in entry.items():
            if key != "action_type" and value is not None:
                yield str(entry["action_type"]), "default" if key == "value" else key, str(value)
