"""Asset groups: this world has no campaign without ad groups, so they are those of its video campaigns, renumbered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.world import Account, Campaign, Group

_OFFSET = 600_000_000_000


def asset_groups(account: Account) -> Iterator[tuple[Campaign, Group]]:
    for campaign in account.campaigns:
        if campaign.video:
            yield from ((campaign, group) for group in campaign.groups)


def number(group: Group) -> int:
    return _OFFSET + group.id


def name(group: Group) -> str:
    return f"Assets of {group.name}"


def status(group: Group, on: dt.date) -> str:
    if group.removed(on):
        return "REMOVED"
    return "PAUSED" if group.paused else "ENABLED"


def reasons(group: Group, on: dt.date) -> list[str]:
    return [] if status(group, on) == "ENABLED" else [f"ASSET_GROUP_{status(group, on)}"]


def urls(group: Group) -> list[str]:
    return [f"https://shop.example/{group.id}", "https://shop.example/ä?a=1&b=2"]


FIELDS: dict[str, Callable[[Any], Any]] = {
    "asset_group.resource_name": lambda line: f"customers/{line.account.id}/assetGroups/{number(line.group)}",
    "asset_group.id": lambda line: number(line.group),
    "asset_group.name": lambda line: name(line.group),
    "asset_group.campaign": lambda line: f"customers/{line.account.id}/campaigns/{line.campaign.id}",
    "asset_group.status": lambda line: status(line.group, line.on),
    "asset_group.primary_status": lambda line: (
        "ELIGIBLE" if status(line.group, line.on) == "ENABLED" else status(line.group, line.on)
    ),
    "asset_group.primary_status_reasons": lambda line: reasons(line.group, line.on),
    "asset_group.ad_strength": lambda line: "GOOD",  # noqa: ARG005 - every field is asked the same way
    "asset_group.final_urls": lambda line: urls(line.group),
    "asset_group.path1": lambda line: "shop",  # noqa: ARG005 - see above
}
