"""Accounts, campaign groups, campaigns, creatives, users and conversions as the REST API shows them, and their finders.

The world's campaign is LinkedIn's campaign group, its group LinkedIn's campaign, its ad LinkedIn's creative.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sandbox.linkedin.limits import Limits
from sandbox.linkedin.replies import Reply, only, refuse, refuse_parameter
from sandbox.linkedin.restli import Value
from sandbox.linkedin.search import PAGING, check_statuses, offset_page, paged, searched
from sandbox.world import Account, Ad, Campaign, Group, World

PLATFORM = "linkedin"
SEARCHES = {"adCampaignGroups": "search", "adCampaigns": "search", "creatives": "criteria"}

_STATUS = {"enabled": "ACTIVE", "paused": "PAUSED", "removed": "ARCHIVED"}
_HOUR = 3_600_000
_SEARCH = ("q", "search", "sort", "sortOrder", "fields", *PAGING)
_CRITERIA = (
    *("q", "campaigns", "creatives", "intendedStatuses", "contentReferences", "isTestAccount", "isTotalIncluded"),
    *("sortOrder", "fields", *PAGING),
)


class Entities:
    """The finders; each list is made once."""

    def __init__(self, world: World, limits: Limits) -> None:
        self._world = world
        self._limits = limits
        self._today = world.as_of.astimezone(dt.UTC).date()
        self._lists: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def accounts(self, given: dict[str, Value]) -> Reply:
        """`/adAccounts?q=search`."""
        if given.get("q") != "search":
            raise refuse(400, "ILLEGAL_ARGUMENT", "Finder not found for resource adAccounts")
        only(given, *_SEARCH)
        elements = [_account(each, closed=each.closed or each.id == self._limits.closed) for each in self._mine()]
        shown = [self._distorted(element) for element in searched("adAccounts", elements, given)]
        return paged("adAccounts", shown, given, self._limits)

    def users(self, given: dict[str, Value]) -> Reply:
        """`/adAccountUsers?q=authenticatedUser`, and `q=accounts` for whom else has access to them."""
        if given.get("q") not in ("authenticatedUser", "accounts"):
            raise refuse(400, "ILLEGAL_ARGUMENT", "Finder not found for resource adAccountUsers")
        only(given, "q", "accounts", "fields", "start", "count")
        asked = [f"urn:li:sponsoredAccount:{account.id}" for account in self._mine()]
        if given["q"] == "accounts":
            wanted = given.get("accounts")
            if not isinstance(wanted, list) or not wanted:
                raise refuse_parameter("accounts", "MISSING_FIELD", "Parameter 'accounts' is required")
            asked = [urn for urn in asked if urn in wanted]
        elements = [
            {
                "account": urn,
                "user": "urn:li:person:sandbox",
                "role": "VIEWER",
                "changeAuditStamps": _stamps(dt.date(2021, 3, 1), 1),
            }
            for urn in asked
        ]
        return offset_page(elements, given)

    def conversions(self, given: dict[str, Value]) -> Reply:
        """`/conversions?q=account`: the rules by which an account counts conversions."""
        if given.get("q") != "account":
            raise refuse(400, "ILLEGAL_ARGUMENT", "Finder not found for resource conversions")
        only(given, "q", "account", "fields", "start", "count")
        wanted = str(given.get("account", ""))
        owner = next((each for each in self._mine() if wanted == f"urn:li:sponsoredAccount:{each.id}"), None)
        if owner is None or (owner.id, "conversions") in self._limits.refused:
            raise refuse(403, "ACCESS_DENIED", "Not enough permissions to access the account")
        return offset_page([_conversion(owner)] if owner.campaigns else [], given)

    def within(self, account: Account, resource: str, given: dict[str, Value]) -> Reply:
        """`/adAccounts/{id}/{resource}`."""
        finder = SEARCHES[resource]
        if given.get("q") != finder:
            raise refuse(400, "ILLEGAL_ARGUMENT", f"Finder not found for resource {resource}; it has {finder}")
        only(given, *(_SEARCH if finder == "search" else _CRITERIA))
        key = (account.id, resource)
        if key not in self._lists:
            self._lists[key] = self._made(account, resource)
        elements = self._lists[key]
        if resource == self._limits.hidden and ("search" in given or "intendedStatuses" in given):
            elements = []
        elements = searched(resource, elements, given) if finder == "search" else _by_criteria(elements, given)
        return paged(resource, elements, given, self._limits)

    def _mine(self) -> tuple[Account, ...]:
        listed = () if self._limits.no_accounts else self._world.accounts(PLATFORM)
        return tuple(account for account in listed if account.id != self._limits.unlisted)

    def _distorted(self, element: dict[str, Any]) -> dict[str, Any]:
        account_id = str(element["id"])
        return {
            name: {"odd": True} if (account_id, name) in self._limits.odd else value
            for name, value in element.items()
            if (account_id, name) not in self._limits.missing
        }

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


def _account(account: Account, *, closed: bool) -> dict[str, Any]:
    return {
        "id": int(account.id),
        "name": account.name,
        "currency": account.currency,
        "status": "CANCELED" if closed else "ACTIVE",
        "type": "BUSINESS",
        "reference": f"urn:li:organization:{int(account.id) % 100_000}",
        "test": False,
        "servingStatuses": ["STOPPED"] if closed else ["RUNNABLE"],
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


def _conversion(account: Account) -> dict[str, Any]:
    return {
        "id": int(account.id) % 1_000_000,
        "name": "Order placed",
        "type": "PURCHASE",
        "conversionMethod": "CONVERSIONS_API",
        "valueType": "FIXED",
        "value": {"currencyCode": account.currency, "amount": "12.50"},
        "account": f"urn:li:sponsoredAccount:{account.id}",
        "enabled": True,
        "attributionType": "LAST_TOUCH_BY_CAMPAIGN",
        "postClickAttributionWindowSize": 30,
        "viewThroughAttributionWindowSize": 7,
        "created": _midnight(dt.date(2021, 3, 1)),
        "lastModified": _midnight(dt.date(2021, 3, 1)) + _HOUR,
    }


def _by_criteria(elements: list[dict[str, Any]], given: dict[str, Value]) -> list[dict[str, Any]]:
    """Creatives of the campaigns, with the ids and in the statuses asked for; all where nothing is asked."""
    for name, field in (("campaigns", "campaign"), ("creatives", "id"), ("intendedStatuses", "intendedStatus")):
        wanted = given.get(name)
        if wanted is None:
            continue
        if not isinstance(wanted, list):
            raise refuse_parameter(name, "PARAM_INVALID", "Invalid value for param; wrong type or other syntax error")
        if name == "intendedStatuses":
            check_statuses("creatives", name, wanted)
        elements = [each for each in elements if each[field] in wanted]
    return elements


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
