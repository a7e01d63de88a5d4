"""CampaignManagement: the campaigns of an account, and what is in them. Deleted campaigns are not given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.microsoft.asset_groups import as_object, is_performance_max
from sandbox.microsoft.calls import Body, Call, Operation, flags, identifier, items
from sandbox.microsoft.refusals import RefusalError, refuse
from sandbox.microsoft.vocabulary import (
    AD_FIELDS,
    AD_TYPES,
    ASSET_GROUP_FIELDS,
    CAMPAIGN_FIELDS,
    CAMPAIGN_TYPES,
    GROUP_FIELDS,
    KEYWORD_FIELDS,
)
from sandbox.world import Account, Ad, Campaign, Group, Keyword, World

_SUBTYPES = ("Video", "Display", "HTML5")


def campaign_type(campaign: Campaign) -> str:
    """Video campaigns are audience campaigns here, every third of all is one of Performance Max."""
    return "Audience" if campaign.video else "PerformanceMax" if is_performance_max(campaign) else "Search"


def ad_type(ad: Ad, campaign: Campaign) -> str:
    """Audience campaigns have responsive ads; of the others, every other one is of the old type."""
    if campaign.video:
        return "ResponsiveAd"
    return "ExpandedText" if ad.id % 2 else "ResponsiveSearch"


def ad_subtype(ad: Ad, campaign: Campaign) -> str | None:
    """The subtype that responsive ads have."""
    return _SUBTYPES[ad.id % len(_SUBTYPES)] if campaign.video else None


def keyword_id(group: Group, place: int) -> str:
    return str(group.id * 100 + place)


def live_campaigns(world: World, account: Account) -> list[Campaign]:
    """Those that are not deleted."""
    today = world.today(account)
    return [campaign for campaign in account.campaigns if campaign.status(today) != "removed"]


class Campaigns:
    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "GetCampaignsByAccountId": self._campaigns,
            "GetAdGroupsByCampaignId": self._groups,
            "GetAdsByAdGroupId": self._ads,
            "GetKeywordsByAdGroupId": self._keywords,
            "GetAssetGroupsByCampaignId": self._asset_groups,
        }

    def _account(self, call: Call) -> Account:
        return self._world.account("microsoft", call.account_id)

    def _campaigns(self, call: Call) -> Body:
        account = self._account(call)
        refuse(identifier(call.body.get("AccountId")) != account.id, 1102)
        types = flags(call.body, "CampaignType", CAMPAIGN_TYPES) or ("Search",)
        more = flags(call.body, "ReturnAdditionalFields", CAMPAIGN_FIELDS)
        strategy = {"BidStrategyId": None} if "BidStrategyId" in more else {}
        today = self._world.today(account)
        return {
            "Campaigns": [
                _campaign(campaign, campaign.status(today)) | strategy
                for campaign in live_campaigns(self._world, account)
                if campaign_type(campaign) in types
            ]
        }

    def _groups(self, call: Call) -> Body:
        wanted = identifier(call.body.get("CampaignId"))
        more = flags(call.body, "ReturnAdditionalFields", GROUP_FIELDS)
        for campaign in live_campaigns(self._world, self._account(call)):
            if str(campaign.id) == wanted:
                kind = {"AdGroupType": "SearchStandard"} if "AdGroupType" in more else {}
                return {"AdGroups": [_group(group, campaign) | kind for group in campaign.groups]}
        raise RefusalError(1100)

    def _asset_groups(self, call: Call) -> Body:
        wanted = identifier(call.body.get("CampaignId"))
        more = flags(call.body, "ReturnAdditionalFields", ASSET_GROUP_FIELDS)
        for campaign in live_campaigns(self._world, self._account(call)):
            if str(campaign.id) == wanted and is_performance_max(campaign):
                return {
                    "AssetGroups": [as_object(campaign, group, more) for group in campaign.groups],
                    "PartialErrors": [],
                }
        # What a campaign of another type is refused with is not documented.
        raise RefusalError(1100)

    def _groups_of(self, call: Call) -> Iterator[tuple[Campaign, Group]]:
        for campaign in live_campaigns(self._world, self._account(call)):
            for group in campaign.groups:
                yield campaign, group

    def _group(self, call: Call) -> tuple[Campaign, Group]:
        wanted = identifier(call.body.get("AdGroupId"))
        for campaign, group in self._groups_of(call):
            if str(group.id) == wanted:
                return campaign, group
        raise RefusalError(1201)

    def _ads(self, call: Call) -> Body:
        campaign, group = self._group(call)
        types = items(call.body, "AdTypes")
        refuse(not types or not AD_TYPES.issuperset(types), 100)
        more = flags(call.body, "ReturnAdditionalFields", AD_FIELDS)
        return {"Ads": [_ad(ad, campaign, more) for ad in group.ads if ad_type(ad, campaign) in types]}

    def _keywords(self, call: Call) -> Body:
        _, group = self._group(call)
        flags(call.body, "ReturnAdditionalFields", KEYWORD_FIELDS)
        return {"Keywords": [_keyword(each, keyword_id(group, n)) for n, each in enumerate(group.keywords)]}


def status_text(paused: bool) -> str:
    return "Paused" if paused else "Active"


def _campaign(campaign: Campaign, status: str) -> dict[str, Any]:
    return {
        "BiddingScheme": {"Type": "EnhancedCpc"},
        "BudgetType": "DailyBudgetStandard",
        "DailyBudget": campaign.budget_micros / 1_000_000,
        "FinalUrlSuffix": None,
        "Id": str(campaign.id),
        "Name": campaign.name,
        "Status": status_text(status == "paused"),
        "SubType": None,
        "TimeZone": "EasternTimeUSCanada",
        "TrackingUrlTemplate": f"{{lpurl}}?utm_source=bing&utm_campaign={campaign.id}",
        "CampaignType": campaign_type(campaign),
        "BudgetId": None,
        "Languages": ["English", "German"],
    }


def _group(group: Group, campaign: Campaign) -> dict[str, Any]:
    start = campaign.start
    return {
        "BiddingScheme": {"Type": "InheritFromParent"},
        "CpcBid": {"Amount": group_bid(group)},
        "EndDate": None,
        "Id": str(group.id),
        "Language": "English",
        "Name": group.name,
        "Network": "OwnedAndOperatedAndSyndicatedSearch",
        "StartDate": {"Day": start.day, "Month": start.month, "Year": start.year},
        "Status": status_text(group.paused),
    }


def group_bid(group: Group) -> float:
    return (350_000 + group.id % 7 * 10_000) / 1_000_000


def keyword_bid(keyword: str) -> float | None:
    """Every other keyword has a bid of its own."""
    return 0.42 if int(keyword) % 2 else None


def final_url(ad: Ad) -> str:
    return f"https://shop.example/{ad.id}?a=1&b=2"


def _ad(ad: Ad, campaign: Campaign, more: tuple[str, ...]) -> dict[str, Any]:
    kind = ad_type(ad, campaign)
    shared = {
        "EditorialStatus": "Active",
        "FinalUrls": [final_url(ad)],
        "Id": str(ad.id),
        "Status": status_text(ad.paused),
        "Type": kind,
    }
    if kind == "ExpandedText":
        return shared | {
            "Path1": "sale",
            "Text": "Buy now",
            "TitlePart1": ad.name,
            "TitlePart2": "Free delivery",
        }
    texts = {
        "Descriptions": [_asset("Buy now")],
        "Headlines": [_asset(ad.name), _asset("Free delivery")],
    }
    if kind == "ResponsiveSearch":
        return shared | texts | {"Path1": "sale"}
    responsive = {"BusinessName": "Shops & Co", "AdSubType": ad_subtype(ad, campaign)}
    return shared | texts | {name: value for name, value in responsive.items() if name not in AD_FIELDS or name in more}


def _asset(text: str) -> dict[str, Any]:
    return {"Asset": {"Type": "TextAsset", "Text": text}}


def _keyword(keyword: Keyword, number: str) -> dict[str, Any]:
    bid = keyword_bid(number)
    return {
        "Bid": None if bid is None else {"Amount": bid},
        "EditorialStatus": "Active",
        "Id": number,
        "MatchType": keyword.match.title(),
        "Status": "Active",
        "Text": keyword.text,
    }
