"""Asset groups: what Performance Max campaigns have in place of ad groups.

Each ad group of the world's Performance Max campaigns is one of them, with its numbers. These campaigns keep their ad
groups, ads and keywords beside them, as no real one has them, so that all levels add up. The record of the Bulk file
and the object of GetAssetGroupsByCampaignId are those of their pages (MicrosoftDocs/Advertising,
bulk-service/asset-group and campaign-management-service/assetgroup).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from sandbox.world import Account, Campaign, Fact, Group, World

_DESCRIPTIONS = ("Buy now", "While stocks last")
_LONG_HEADLINE = "Free delivery, every day; whatever the weather"


def is_performance_max(campaign: Campaign) -> bool:
    """Every third campaign, none of those that show videos."""
    return not campaign.video and campaign.id % 100 % 3 == 0


def asset_group_id(group: Group) -> str:
    return f"{group.id}8"


def asset_group_name(group: Group) -> str:
    return f"Assets of {group.name}"


def facts(world: World, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
    """What happened in them, day by day."""
    return (fact for fact in world.group_facts(account, first, last) if is_performance_max(fact.campaign))


def as_object(campaign: Campaign, group: Group, more: tuple[str, ...]) -> dict[str, Any]:
    """One as the REST API gives it, with those of its additional fields that were asked for."""
    start = campaign.start
    given = {
        "BusinessName": "Shops & Co",
        "CallToAction": "ShopNow",
        "Descriptions": [_asset(text) for text in _DESCRIPTIONS],
        "EditorialStatus": "ActiveLimited" if group.id % 2 else "Active",
        "EndDate": None,
        "FinalUrls": [_final_url(group)],
        "Headlines": [_asset(group.name), _asset("Free delivery")],
        "Id": asset_group_id(group),
        "LongHeadlines": [_asset(_LONG_HEADLINE)],
        "Name": asset_group_name(group),
        "Path1": "sale",
        "Path2": None,
        "StartDate": {"Day": start.day, "Month": start.month, "Year": start.year},
        "Status": "Paused" if group.paused else "Active",
    }
    further = {"TrackingUrlTemplate": _tracking(group), "FinalUrlSuffix": None}
    return given | {name: value for name, value in further.items() if name in more}


def as_record(campaign: Campaign, group: Group) -> dict[str, str]:
    """The same as a record of the Bulk file."""
    return {
        "Type": "Asset Group",
        "Status": "Paused" if group.paused else "Active",
        "Id": asset_group_id(group),
        "Parent Id": str(campaign.id),
        "Campaign": campaign.name,
        "Asset Group": asset_group_name(group),
        "Business Name": "Shops & Co",
        "Call To Action": "ShopNow",
        "Descriptions": _assets(*_DESCRIPTIONS),
        "Editorial Status": "ActiveLimited" if group.id % 2 else "Active",
        "End Date": "",
        "Final Url": _final_url(group),
        "Headlines": _assets(group.name, "Free delivery"),
        "Long Headlines": _assets(_LONG_HEADLINE),
        "Path 1": "sale",
        "Path 2": "",
        "Start Date": f"{campaign.start:%m/%d/%Y}",
        "Tracking Template": _tracking(group),
        "Final Url Suffix": "",
    }


def _final_url(group: Group) -> str:
    return f"https://shop.example/assets/{group.id}?a=1&b=2"


def _tracking(group: Group) -> str:
    return f"{{lpurl}}?assets={group.id}"


def _asset(text: str) -> dict[str, Any]:
    return {"Asset": {"Type": "TextAsset", "Text": text}}


def _assets(*texts: str) -> str:
    return json.dumps([{"text": text, "editorialStatus": "Active"} for text in texts], ensure_ascii=False)
