"""CampaignManagement: the campaigns of an account, and what is in them. Deleted campaigns are not given."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.microsoft.soap import ARRAYS, ApiFaultError, Call, element
from sandbox.world import Account, Ad, Campaign, Group, Keyword, World

NAMESPACE = "https://bingads.microsoft.com/CampaignManagement/v13"


def campaign_type(campaign: Campaign) -> str:
    """Video campaigns are audience campaigns here."""
    return "Audience" if campaign.video else "Search"


class Campaigns:
    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def operations(self) -> dict[str, Callable[[Call], str]]:
        return {
            "GetCampaignsByAccountId": self._campaigns,
            "GetAdGroupsByCampaignId": self._groups,
            "GetAdsByAdGroupId": self._ads,
            "GetKeywordsByAdGroupId": self._keywords,
        }

    def _account(self, call: Call) -> Account:
        return self._world.account("microsoft", call.headers["CustomerAccountId"])

    def _live(self, account: Account) -> list[Campaign]:
        today = self._world.today(account)
        return [campaign for campaign in account.campaigns if campaign.status(today) != "removed"]

    def _campaigns(self, call: Call) -> str:
        account = self._account(call)
        if call.body["AccountId"].text != account.id:
            raise ApiFaultError(1102, of_request=True)
        types = call.body["CampaignType"].text.split() or ["Search"]
        today = self._world.today(account)
        rows = "".join(
            _campaign(campaign, campaign.status(today))
            for campaign in self._live(account)
            if campaign_type(campaign) in types
        )
        return f"<Campaigns>{rows}</Campaigns>"

    def _groups(self, call: Call) -> str:
        wanted = call.body["CampaignId"].text
        for campaign in self._live(self._account(call)):
            if str(campaign.id) == wanted:
                return f"<AdGroups>{''.join(_group(group, campaign) for group in campaign.groups)}</AdGroups>"
        raise ApiFaultError(1100, of_request=True)

    def _group(self, call: Call) -> Group:
        wanted = call.body["AdGroupId"].text
        for campaign in self._live(self._account(call)):
            for group in campaign.groups:
                if str(group.id) == wanted:
                    return group
        raise ApiFaultError(1201, of_request=True)

    def _ads(self, call: Call) -> str:
        group, types = self._group(call), {each.text for each in call.body["AdTypes"]}
        return f"<Ads>{''.join(_ad(ad) for ad in group.ads if ad_type(ad) in types)}</Ads>"

    def _keywords(self, call: Call) -> str:
        group = self._group(call)
        rows = "".join(_keyword(keyword, group.id * 100 + n) for n, keyword in enumerate(group.keywords))
        return f"<Keywords>{rows}</Keywords>"


def ad_type(ad: Ad) -> str:
    """Every other ad is of the old type, whose titles are elsewhere."""
    return "ExpandedText" if ad.id % 2 else "ResponsiveSearch"


def _status(paused: bool) -> str:
    return "Paused" if paused else "Active"


def _double(micros: int) -> str:
    return repr(micros / 1_000_000)


def _campaign(campaign: Campaign, status: str) -> str:
    return (
        "<Campaign>"
        "<BiddingScheme i:type='EnhancedCpcBiddingScheme'><Type>EnhancedCpc</Type></BiddingScheme>"
        "<BudgetType>DailyBudgetStandard</BudgetType>"
        f"<DailyBudget>{_double(campaign.budget_micros)}</DailyBudget>"
        f"{element('FinalUrlSuffix', None)}{element('Id', campaign.id)}{element('Name', campaign.name)}"
        f"{element('Status', _status(status == 'paused'))}{element('SubType', None)}"
        f"{element('TimeZone', 'EasternTimeUSCanada')}"
        f"{element('TrackingUrlTemplate', '{lpurl}?utm_source=bing&utm_campaign=' + str(campaign.id))}"
        f"{element('CampaignType', campaign_type(campaign))}"
        f"{element('BudgetId', None)}"
        f"<Languages xmlns:b='{ARRAYS}'><b:string>English</b:string><b:string>German</b:string></Languages>"
        "</Campaign>"
    )


def _group(group: Group, campaign: Campaign) -> str:
    start = campaign.start
    return (
        "<AdGroup>"
        f"<CpcBid><Amount>{_double(350_000 + group.id % 7 * 10_000)}</Amount></CpcBid>{element('EndDate', None)}"
        f"{element('Id', group.id)}{element('Language', 'English')}{element('Name', group.name)}"
        "<Network>OwnedAndOperatedAndSyndicatedSearch</Network>"
        f"<StartDate><Day>{start.day}</Day><Month>{start.month}</Month><Year>{start.year}</Year></StartDate>"
        f"{element('Status', _status(group.paused))}<AdGroupType>SearchStandard</AdGroupType>"
        "</AdGroup>"
    )


def _ad(ad: Ad) -> str:
    kind = ad_type(ad)
    shared = (
        "<EditorialStatus>Active</EditorialStatus>"
        f"<FinalUrls xmlns:b='{ARRAYS}'><b:string>https://shop.example/{ad.id}?a=1&amp;b=2</b:string></FinalUrls>"
        f"{element('Id', ad.id)}{element('Status', _status(ad.paused))}{element('Type', kind)}"
    )
    if kind == "ExpandedText":
        own = f"{element('Path1', 'sale')}{element('Text', 'Buy now')}{element('TitlePart1', ad.name)}"
        own += element("TitlePart2", "Free delivery")
    else:
        own = f"<Descriptions>{_asset('Buy now')}</Descriptions>"
        own += f"<Headlines>{_asset(ad.name)}{_asset('Free delivery')}</Headlines>{element('Path1', 'sale')}"
    return f'<Ad i:type="{kind}Ad">{shared}{own}</Ad>'


def _asset(text: str) -> str:
    return f"<AssetLink><Asset i:type='TextAsset'><Type>TextAsset</Type>{element('Text', text)}</Asset></AssetLink>"


def _keyword(keyword: Keyword, number: int) -> str:
    bid = f"<Bid><Amount>{_double(420_000)}</Amount></Bid>" if number % 2 else element("Bid", None)
    return (
        f"<Keyword>{bid}<EditorialStatus>Active</EditorialStatus>{element('Id', number)}"
        f"{element('MatchType', keyword.match.title())}{element('Status', 'Active')}{element('Text', keyword.text)}"
        "</Keyword>"
    )
