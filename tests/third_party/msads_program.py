"""Runs in the environment of msads: what a user of it would write, printed as JSON for test_msads.py to look at.

Its arguments are a refresh token, a client's id and secret, a developer token, an account's id, and two days.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from datetime import date
from pathlib import Path

from bingads.authorization import AuthorizationData, OAuthWebAuthCodeGrant
from bingads.service_client import ServiceClient
from bingads.v13.bulk import BulkServiceManager, DownloadParameters
from bingads.v13.reporting import ReportingDownloadParameters, ReportingServiceManager
from openapi_client.exceptions import ApiException
from openapi_client.models.campaign import (
    AdGroupAdditionalField,
    AdType,
    AssetGroupAdditionalField,
    CampaignAdditionalField,
    CampaignType,
    GetAdGroupsByCampaignIdRequest,
    GetAdsByAdGroupIdRequest,
    GetAssetGroupsByCampaignIdRequest,
    GetCampaignsByAccountIdRequest,
    GetKeywordsByAdGroupIdRequest,
)
from openapi_client.models.customer import GetUserRequest, OrderBy, Paging, Predicate, SearchAccountsRequest
from openapi_client.models.reporting import (
    AccountThroughCampaignReportScope,
    CampaignPerformanceReportRequest,
    Date,
    ReportTime,
)

REFRESH_TOKEN, CLIENT_ID, CLIENT_SECRET, DEVELOPER_TOKEN, ACCOUNT, FIRST, LAST = sys.argv[1:]
COLUMNS = ["AccountId", "TimePeriod", "CampaignId", "CampaignName", "Impressions", "Clicks", "Spend", "Conversions"]


def signed_in() -> AuthorizationData:
    grant = OAuthWebAuthCodeGrant(CLIENT_ID, CLIENT_SECRET, "")
    grant.request_oauth_tokens_by_refresh_token(REFRESH_TOKEN)
    return AuthorizationData(ACCOUNT, "900001", DEVELOPER_TOKEN, grant)


def as_date(day: str) -> Date:
    given = date.fromisoformat(day)
    return Date(Year=given.year, Month=given.month, Day=given.day)


def entities(authorization: AuthorizationData) -> dict[str, object]:
    """The user, the accounts, and the walk from the campaigns down."""
    customers = ServiceClient("CustomerManagementService", 13, authorization, "production")
    user = customers.GetUser(GetUserRequest(UserId=None)).User
    accounts = customers.SearchAccounts(
        SearchAccountsRequest(
            Predicates=[Predicate(Field="UserId", Operator="Equals", Value=user.Id)],
            Ordering=[OrderBy(Field="Id", Order="Ascending")],
            PageInfo=Paging(Index=0, Size=1000),
        )
    ).Accounts
    service = ServiceClient("CampaignManagementService", 13, authorization, "production")
    campaigns = service.GetCampaignsByAccountId(
        GetCampaignsByAccountIdRequest(
            AccountId=ACCOUNT,
            CampaignType=~CampaignType(0),
            ReturnAdditionalFields=CampaignAdditionalField.BIDSTRATEGYID,
        )
    ).Campaigns
    groups = service.GetAdGroupsByCampaignId(
        GetAdGroupsByCampaignIdRequest(
            CampaignId=campaigns[0].Id, ReturnAdditionalFields=AdGroupAdditionalField.ADGROUPTYPE
        )
    ).AdGroups
    others = service.GetAdGroupsByCampaignId(GetAdGroupsByCampaignIdRequest(CampaignId=campaigns[1].Id)).AdGroups
    ads = [
        ad
        for group in (groups[0], others[0])
        for ad in service.GetAdsByAdGroupId(GetAdsByAdGroupIdRequest(AdGroupId=group.Id, AdTypes=list(AdType))).Ads
    ]
    keywords = service.GetKeywordsByAdGroupId(GetKeywordsByAdGroupIdRequest(AdGroupId=groups[0].Id)).Keywords
    asset_groups = service.GetAssetGroupsByCampaignId(
        GetAssetGroupsByCampaignIdRequest(
            CampaignId=campaigns[0].Id,
            ReturnAdditionalFields=AssetGroupAdditionalField.TRACKINGURLTEMPLATE
            | AssetGroupAdditionalField.FINALURLSUFFIX,
        )
    ).AssetGroups
    return {
        "asset_groups": [
            [each.Id, each.Name, each.CallToAction, each.EditorialStatus, each.LongHeadlines[0].Asset.Text]
            for each in asset_groups
        ],
        "user": user.Id,
        "accounts": [[each.Id, each.Name, each.CurrencyCode, each.TimeZone] for each in accounts],
        "campaigns": [[each.Id, each.Name, each.Status, each.DailyBudget, each.Languages] for each in campaigns],
        "schemes": sorted({each.BiddingScheme.Type for each in campaigns}),
        "groups": [[each.Id, each.Name, each.CpcBid.Amount, each.AdGroupType, each.StartDate.Year] for each in groups],
        "ads": [[each.Id, each.Type, each.FinalUrls] for each in ads],
        "headlines": [each.Headlines[0].Asset.Text for each in ads if each.Type != "ExpandedText"],
        "keywords": [[each.Id, each.Text, each.MatchType, each.Bid and each.Bid.Amount] for each in keywords],
    }


def report(authorization: AuthorizationData, directory: str) -> list[list[str]]:
    """A report from submit to file, through the manager that polls and unpacks."""
    manager = ReportingServiceManager(
        authorization, poll_interval_in_milliseconds=100, environment="production", working_directory=directory
    )
    request = CampaignPerformanceReportRequest(
        ReportName="campaign_daily",
        Format="Csv",
        FormatVersion="2.0",
        ReturnOnlyCompleteData=False,
        ExcludeColumnHeaders=False,
        ExcludeReportHeader=False,
        ExcludeReportFooter=True,
        Aggregation="Daily",
        Columns=COLUMNS,
        Scope=AccountThroughCampaignReportScope(AccountIds=[ACCOUNT]),
        Time=ReportTime(
            CustomDateRangeStart=as_date(FIRST),
            CustomDateRangeEnd=as_date(LAST),
            ReportTimeZone="AmsterdamBerlinBernRomeStockholmVienna",
        ),
    )
    parameters = ReportingDownloadParameters(
        report_request=request,
        result_file_directory=directory,
        result_file_name="report.csv",
        overwrite_result_file=True,
        timeout_in_milliseconds=60_000,
    )
    container = manager.download_report(parameters)
    rows = [[record.value(name) for name in COLUMNS] for record in container.report_records]
    container.close()
    return rows


def bulk(authorization: AuthorizationData, directory: str) -> list[dict[str, str]]:
    """All five kinds of things in one file."""
    manager = BulkServiceManager(authorization, poll_interval_in_milliseconds=100, environment="production")
    path = manager.download_file(
        DownloadParameters(
            download_entities=["Campaigns", "AdGroups", "Ads", "Keywords", "AssetGroups"],
            result_file_directory=directory,
            result_file_name="bulk.csv",
            overwrite_result_file=True,
            timeout_in_milliseconds=60_000,
        )
    )
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def refused(authorization: AuthorizationData) -> list[object]:
    """What becomes of a campaign that is not there: the status and the body of the fault."""
    service = ServiceClient("CampaignManagementService", 13, authorization, "production")
    try:
        service.GetAdGroupsByCampaignId(GetAdGroupsByCampaignIdRequest(CampaignId="1"))
    except ApiException as error:
        return [error.status, json.loads(error.body)]
    return []


def main() -> None:
    authorization = signed_in()
    with tempfile.TemporaryDirectory() as directory:
        print(
            json.dumps(
                {
                    **entities(authorization),
                    "report": report(authorization, directory),
                    "bulk": bulk(authorization, directory),
                    "refused": refused(authorization),
                }
            )
        )


main()
