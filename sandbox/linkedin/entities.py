"""Accounts, campaign groups, campaigns and creatives as the REST API shows them, and their searches.

The world's campaign is LinkedIn's campaign group, its group LinkedIn's campaign, its ad LinkedIn's creative.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sandbox.linkedin.replies import Reply, ok, refuse
from sandbox.linkedin.restli import Value
from sandbox.world import Account, Ad, Campaign, Group, World

PLATFORM = "linkedin"
SEARCHES = {"adCampaignGroups": "search", "adCampaigns": "search", "creatives": "criteria"}

_STATUS = {"enabled": "ACTIVE", "paused": "PAUSED", "removed": "ARCHIVED"}
_LARGEST_PAGE = {"adAccounts": 1000, "adCampaignGroups": 1000, "adCampaigns": 1000, "creatives": 100}
_HOUR = 3_600_000


class Entities:
    """The searches; each list is made once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._today = world.as_of.astimezone(dt.UTC).date()
        self._lists: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def accounts(self, parameters: dict[str, Value]) -> Reply:
        """`/adAccounts?q=search`."""
        if parameters.get("q") != "search":
            raise refuse(400, "ILLEGAL_ARGUMENT", "Finder not found for resource adAccounts")
        elements = [_account(account) for account in self._world.accounts(PLATFORM)]
        return _paged("adAccounts", _with_status(elements, _searched(parameters)), parameters)

    def within(self, account: Account, resource: str, parameters: dict[str, Value]) -> Reply:
        """`/adAccounts/{id}/{resource}`."""
        finder = SEARCHES[resource]
        if parameters.get("q") != finder:
            raise refuse(400, "ILLEGAL_ARGUMENT", f"Finder not found for resource {resource}; it has {finder}")
        key = (account.id, resource)
        if key not in self._lists:
            self._lists[key] = self._made(account, resource)
        if finder == "search":
            return _paged(resource, _with_status(self._lists[key], _searched(parameters)), parameters)
        statuses = parameters.get("intendedStatuses")
        if statuses is not None and not isinstance(statuses, list):
            raise refuse(400, "ILLEGAL_ARGUMENT", "intendedStatuses must be a List(...)")
        return _paged(resource, _with_status(self._lists[key], statuses), parameters)

    def _made(self, account: Account, resource: str) -> list[dict[str, Any]]:
        out = []
        for campaign in account.campaigns:
            if resource == "adCampaignGroups":
                out.append(self._campaign_group(account, campaign))
            for group in campaign.groups:
                if resource == "adCampaigns":
                    out.append(self._campaign(account, campaign, group))
                if resource == "creatives":
                    out.extend(_creative(account, campaign, group, ad) for ad in group.ads)
        return out

    def _campaign_group(self, account: Account, campaign: Campaign) -> dict[str, Any]:
        status = _STATUS[campaign.status(self._today)]
        element: dict[str, Any] = {
            "id": campaign.id,
            "account": f"urn:li:sponsoredAccount:{account.id}",
            "name": campaign.name,
            "status": status,
            "runSchedule": {"start": _midnight(campaign.start)},
            "test": False,
            "backfilled": False,
            "servingStatuses": ["RUNNABLE"] if status == "ACTIVE" else ["STOPPED"],
            "changeAuditStamps": _stamps(campaign.start, 4),
        }
        # A group's budget is optional, and an end is only there when somebody set one.
        if campaign.id % 2:
            element["totalBudget"] = {"amount": _amount(campaign.budget_micros * 30), "currencyCode": account.currency}
        if campaign.removed_on:
            element["runSchedule"]["end"] = _midnight(campaign.removed_on)
        return element

    def _campaign(self, account: Account, campaign: Campaign, group: Group) -> dict[str, Any]:
        return {
            "id": group.id,
            "account": f"urn:li:sponsoredAccount:{account.id}",
            "campaignGroup": f"urn:li:sponsoredCampaignGroup:{campaign.id}",
            "name": group.name,
            "status": "PAUSED" if group.paused else "ACTIVE",
            "type": "SPONSORED_UPDATES",
            "format": "SINGLE_VIDEO" if campaign.video else "STANDARD_UPDATE",
            "objectiveType": "VIDEO_VIEW" if campaign.video else "WEBSITE_VISIT",
            "costType": "CPV" if campaign.video else "CPM",
            "creativeSelection": "OPTIMIZED",
            "optimizationTargetType": "MAX_VIDEO_VIEW" if campaign.video else "MAX_CLICK",
            "locale": {"country": "US", "language": "en"},
            "dailyBudget": {"amount": _amount(campaign.budget_micros), "currencyCode": account.currency},
            "unitCost": {"amount": "0", "currencyCode": account.currency},
            "runSchedule": {"start": _midnight(campaign.start)},
            "audienceExpansionEnabled": False,
            "offsiteDeliveryEnabled": True,
            "targetingCriteria": {
                "include": {"and": [{"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}}]}
            },
            "test": False,
            "servingStatuses": ["RUNNABLE"],
            "changeAuditStamps": _stamps(campaign.start, 5),
        }


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": int(account.id),
        "name": account.name,
        "currency": account.currency,
        "status": "CANCELED" if account.closed else "ACTIVE",
        "type": "BUSINESS",
        "reference": f"urn:li:organization:{int(account.id) % 100_000}",
        "test": False,
        "servingStatuses": ["STOPPED"] if account.closed else ["RUNNABLE"],
        "changeAuditStamps": _stamps(dt.date(2021, 3, 1), 1),
        "notifiedOnCampaignOptimization": True,
    }


def _creative(account: Account, campaign: Campaign, group: Group, ad: Ad) -> dict[str, Any]:
    element: dict[str, Any] = {
        "id": f"urn:li:sponsoredCreative:{ad.id}",
        "account": f"urn:li:sponsoredAccount:{account.id}",
        "campaign": f"urn:li:sponsoredCampaign:{group.id}",
        "intendedStatus": "PAUSED" if ad.paused else "ACTIVE",
        "isServing": not ad.paused,
        "isTest": False,
        "content": {"reference": f"urn:li:share:{ad.id}"},
        "review": {"status": "APPROVED"},
        "createdAt": _midnight(campaign.start) + _HOUR,
        "lastModifiedAt": _midnight(campaign.start) + 2 * _HOUR + ad.id % 1000,
    }
    if ad.paused:
        element["servingHoldReasons"] = ["STOPPED"]
    # A creative's name is optional; every third has none.
    if ad.id % 3:
        element["name"] = ad.name
    return element


def _searched(parameters: dict[str, Value]) -> list[Value] | None:
    """The statuses of `search=(status:(values:List(...)))`."""
    search = parameters.get("search")
    if search is None:
        return None
    status = search.get("status") if isinstance(search, dict) else None
    values = status.get("values") if isinstance(status, dict) else None
    if not isinstance(values, list):
        raise refuse(400, "ILLEGAL_ARGUMENT", "search must be a record of filters with values:List(...)")
    return values


def _with_status(elements: list[dict[str, Any]], statuses: list[Value] | None) -> list[dict[str, Any]]:
    """Those of the statuses asked for. Who asks for none is shown only what is active, as the real one may do."""
    wanted = {"ACTIVE"} if statuses is None else {str(each) for each in statuses}
    return [each for each in elements if each.get("status", each.get("intendedStatus")) in wanted]


def _paged(resource: str, elements: list[dict[str, Any]], parameters: dict[str, Value]) -> Reply:
    """A page, never longer than a third of everything, with an empty page after the first."""
    if "start" in parameters or "count" in parameters:
        raise refuse(400, "PARAM_INVALID", "start and count are not supported; use pageSize and pageToken")
    text = str(parameters.get("pageSize", "100"))
    size = int(text) if text.isdigit() else 0
    if not 1 <= size <= _LARGEST_PAGE[resource]:
        raise refuse(400, "PAGE_SIZE_INVALID", f"pageSize must be between 1 and {_LARGEST_PAGE[resource]}")
    size = min(size, max(2, -(-len(elements) // 3)))
    kind, _, offset = str(parameters.get("pageToken", "page+0")).partition("+")
    if kind not in ("page", "void") or not offset.isdigit():
        raise refuse(400, "PARAM_INVALID", "pageToken is not valid")
    start = int(offset)
    found = elements[start : start + size] if kind == "page" else []
    following = start + len(found)
    metadata: dict[str, str] = {}
    if following < len(elements):
        metadata["nextPageToken"] = f"{'void' if kind == 'page' and start == 0 else 'page'}+{following}"
    return ok({"metadata": metadata, "elements": found})


def _amount(micros: int) -> str:
    """Whole amounts without a fraction, as a person typed them; else two digits."""
    return str(micros // 1_000_000) if micros % 1_000_000 == 0 else f"{micros / 1_000_000:.2f}"


def _midnight(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()) * 1000


def _stamps(day: dt.date, hours: int) -> dict[str, Any]:
    created = _midnight(day) + hours * _HOUR + 123
    return {
        "created": {"actor": "urn:li:unknown:0", "time": created},
        "lastModified": {"actor": "urn:li:unknown:0", "time": created + _HOUR},
    }
