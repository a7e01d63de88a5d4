"""What is asked of Microsoft: the operations, and the body of each request as the REST API writes it.

Ids are texts, flags are one text with commas, polymorphic objects carry their `Type` (vendor documentation, REST zone
of each operation's page). How a request travels is not decided here; the SOAP transport translates these same bodies.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from wire import Grain, Window

# Without the types, the service leaves out all campaigns but the search ones.
CAMPAIGN_TYPES = (
    "Search",
    "Shopping",
    "DynamicSearchAds",
    "Audience",
    "Hotel",
    "PerformanceMax",
    "App",
    "ObjectiveBased",
)
# All that the service's enumeration has. Video, display and HTML5 ads are sub types of ResponsiveAd.
AD_TYPES = (
    "Text",
    "Image",
    "Product",
    "AppInstall",
    "ExpandedText",
    "DynamicSearch",
    "ResponsiveAd",
    "ResponsiveSearch",
    "Hotel",
)
# Performance Max has asset groups in place of ad groups (guides/performance-max), and so may objective-based campaigns:
# `UnifiedCampaignFields` is one of the additional fields of an asset group (`msads` 13.0.30.1).
WITH_ASSET_GROUPS = ("PerformanceMax", "ObjectiveBased")
AGGREGATIONS = {Grain.DAY: "Daily", Grain.HOUR: "Hourly", Grain.MONTH: "Monthly"}
ACCOUNTS_ON_A_PAGE = 1000
CAMPAIGNS_IN_A_DOWNLOAD = 1000


class Operation(Struct, frozen=True):
    """An operation by its name, its service, and its path below that service's own."""

    service: str
    name: str
    path: str


GET_USER = Operation("CustomerManagement", "GetUser", "User/Query")
SEARCH_ACCOUNTS = Operation("CustomerManagement", "SearchAccounts", "Accounts/Search")
GET_CAMPAIGNS = Operation("CampaignManagement", "GetCampaignsByAccountId", "Campaigns/QueryByAccountId")
GET_AD_GROUPS = Operation("CampaignManagement", "GetAdGroupsByCampaignId", "AdGroups/QueryByCampaignId")
GET_ADS = Operation("CampaignManagement", "GetAdsByAdGroupId", "Ads/QueryByAdGroupId")
GET_KEYWORDS = Operation("CampaignManagement", "GetKeywordsByAdGroupId", "Keywords/QueryByAdGroupId")
GET_ASSET_GROUPS = Operation("CampaignManagement", "GetAssetGroupsByCampaignId", "AssetGroups/QueryByCampaignId")
SUBMIT_REPORT = Operation("Reporting", "SubmitGenerateReport", "GenerateReport/Submit")
POLL_REPORT = Operation("Reporting", "PollGenerateReport", "GenerateReport/Poll")
DOWNLOAD_ACCOUNT = Operation("Bulk", "DownloadCampaignsByAccountIds", "Campaigns/DownloadByAccountIds")
DOWNLOAD_CAMPAIGNS = Operation("Bulk", "DownloadCampaignsByCampaignIds", "Campaigns/DownloadByCampaignIds")
POLL_DOWNLOAD = Operation("Bulk", "GetBulkDownloadStatus", "BulkDownloadStatus/Query")


class Call(Struct, frozen=True):
    """One request. `subject` is what it is about, for sentences: a table, say."""

    operation: Operation
    body: dict[str, Any]
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.operation.name} of {self.subject}" if self.subject else self.operation.name


def get_user() -> Call:
    """The user whom the access token stands for."""
    return Call(GET_USER, {"UserId": None})


def search_accounts(user_id: str, page: int) -> Call:
    """A page of the accounts of a user, under whichever customers; pages count from 0."""
    body = {
        "Predicates": [{"Field": "UserId", "Operator": "Equals", "Value": user_id}],
        "Ordering": [{"Field": "Id", "Order": "Ascending"}],
        "PageInfo": {"Index": page, "Size": ACCOUNTS_ON_A_PAGE},
        "ReturnAdditionalFields": None,
    }
    return Call(SEARCH_ACCOUNTS, body)


def get_campaigns(account_id: str) -> Call:
    """All campaigns of an account, in one answer."""
    body = {
        "AccountId": account_id,
        "CampaignType": ",".join(CAMPAIGN_TYPES),
        "ReturnAdditionalFields": "BidStrategyId",
    }
    return Call(GET_CAMPAIGNS, body)


def get_ad_groups(campaign_id: str) -> Call:
    """All ad groups of a campaign."""
    return Call(GET_AD_GROUPS, {"CampaignId": campaign_id, "ReturnAdditionalFields": "AdGroupType"})


def get_ads(ad_group_id: str) -> Call:
    """All ads of an ad group; the types are an array, not flags."""
    return Call(GET_ADS, {"AdGroupId": ad_group_id, "AdTypes": list(AD_TYPES), "ReturnAdditionalFields": None})


def get_keywords(ad_group_id: str) -> Call:
    """All keywords of an ad group."""
    return Call(GET_KEYWORDS, {"AdGroupId": ad_group_id, "ReturnAdditionalFields": None})


def get_asset_groups(campaign_id: str) -> Call:
    """All asset groups of a campaign of one of the types `WITH_ASSET_GROUPS`, at most 100."""
    return Call(
        GET_ASSET_GROUPS, {"CampaignId": campaign_id, "ReturnAdditionalFields": "TrackingUrlTemplate,FinalUrlSuffix"}
    )


def submit_report(
    name: str,
    kind: str,
    columns: Sequence[str],
    *,
    grain: Grain,
    where: Mapping[str, Any],
    account_id: str,
    window: Window,
    time_zone: str,
) -> Call:
    """Have a report of one account made; `kind` is its type without "Request", `where` its filter."""
    request = {
        "Type": f"{kind}Request",
        "ReportName": name,
        "Format": "Csv",
        "FormatVersion": "2.0",
        # True would refuse any days that are not complete, and so today.
        "ReturnOnlyCompleteData": False,
        "ExcludeReportHeader": False,
        "ExcludeReportFooter": True,
        "ExcludeColumnHeaders": False,
        "Aggregation": AGGREGATIONS[grain],
        "Columns": list(columns),
        "Scope": {"AccountIds": [account_id]},
        "Time": {
            "CustomDateRangeStart": _date(window.first),
            "CustomDateRangeEnd": _date(window.last),
            # Unset it is Pacific time, where the account's today may be tomorrow, and is refused.
            "ReportTimeZone": time_zone,
        },
    }
    if where:
        request["Filter"] = dict(where)
    return Call(SUBMIT_REPORT, {"ReportRequest": request}, subject=name)


def poll_report(request_id: str, name: str) -> Call:
    """How far a report is; a made one's address holds for five minutes, and each poll gives a fresh one."""
    return Call(POLL_REPORT, {"ReportRequestId": request_id}, subject=name)


def download_account(account_id: str, entities: Iterable[str]) -> Call:
    """Have a file of the entities of a whole account made."""
    return Call(DOWNLOAD_ACCOUNT, {"AccountIds": [account_id], **_file(entities)})


def download_campaigns(account_id: str, campaign_ids: Sequence[str], entities: Iterable[str]) -> Call:
    """The same of at most `CAMPAIGNS_IN_A_DOWNLOAD` campaigns, for accounts that are too big for one file."""
    scopes = [{"CampaignId": campaign_id, "ParentAccountId": account_id} for campaign_id in campaign_ids]
    return Call(DOWNLOAD_CAMPAIGNS, {"Campaigns": scopes, **_file(entities)})


def poll_download(request_id: str) -> Call:
    """How far a file of entities is."""
    return Call(POLL_DOWNLOAD, {"RequestId": request_id})


def _file(entities: Iterable[str]) -> dict[str, Any]:
    return {
        "DownloadEntities": list(entities),
        "DataScope": "EntityData",
        "DownloadFileType": "Csv",
        "CompressionType": "GZip",
        "FormatVersion": "6.0",
        "LastSyncTimeInUTC": None,
    }


def _date(day: dt.date) -> dict[str, int]:
    return {"Day": day.day, "Month": day.month, "Year": day.year}
