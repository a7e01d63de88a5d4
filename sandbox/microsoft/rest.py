"""REST as Microsoft's v13 services speak it: JSON to calls, answers and refusals to JSON.

Paths, headers and bodies are those of the REST zone of each operation's page (MicrosoftDocs/Advertising, bingads-13);
the forms of faults and of polymorphic objects are those that the vendor's client `msads` 13.0.30.1 reads and writes.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from email.message import Message
from typing import Any

from sandbox.microsoft.calls import BULK, CAMPAIGN, CUSTOMER, FLAGS, REPORTING, Body, Call
from sandbox.microsoft.refusals import RefusalError

_OPERATIONS = {
    (CUSTOMER, "User/Query"): "GetUser",
    (CUSTOMER, "Accounts/Search"): "SearchAccounts",
    (CUSTOMER, "Account/Query"): "GetAccount",
    (CUSTOMER, "CustomersInfo/Query"): "GetCustomersInfo",
    (CUSTOMER, "AccountsInfo/Query"): "GetAccountsInfo",
    (CAMPAIGN, "Campaigns/QueryByAccountId"): "GetCampaignsByAccountId",
    (CAMPAIGN, "AdGroups/QueryByCampaignId"): "GetAdGroupsByCampaignId",
    (CAMPAIGN, "Ads/QueryByAdGroupId"): "GetAdsByAdGroupId",
    (CAMPAIGN, "Keywords/QueryByAdGroupId"): "GetKeywordsByAdGroupId",
    (CAMPAIGN, "AssetGroups/QueryByCampaignId"): "GetAssetGroupsByCampaignId",
    (REPORTING, "GenerateReport/Submit"): "SubmitGenerateReport",
    (REPORTING, "GenerateReport/Poll"): "PollGenerateReport",
    (BULK, "Campaigns/DownloadByAccountIds"): "DownloadCampaignsByAccountIds",
    (BULK, "Campaigns/DownloadByCampaignIds"): "DownloadCampaignsByCampaignIds",
    (BULK, "BulkDownloadStatus/Query"): "GetBulkDownloadStatus",
}
# Path in lower case, because the services take any case: (service, operation).
PATHS = {f"/{service}/v13/{path}".lower(): (service, operation) for (service, path), operation in _OPERATIONS.items()}
REVISIONS = ("2026-08-17", "2026-09-28", "2026-10-12")
# REST's header: SOAP's.
_HEADERS = {"DeveloperToken": "DeveloperToken", "CustomerId": "CustomerId", "CustomerAccountId": "CustomerAccountId"}
_TEXTS = frozenset({"FormatVersion", "ReportName", "Format", "Aggregation", "CompressionType", "DownloadFileType"})


def heard(path: str, headers: Message) -> Call | None:
    """Which operation a path stands for and for whom, before its body is read; None for no such path."""
    found = PATHS.get(path.lower())
    if found is None:
        return None
    given = {soap: headers[rest] for rest, soap in _HEADERS.items() if rest in headers}
    authorization = headers.get("Authorization", "")
    if authorization:
        # Without the word in front, a text is no token that was ever issued.
        scheme, _, token = authorization.partition(" ")
        given["AuthenticationToken"] = token if scheme == "Bearer" else authorization + "?"
    return Call(*found, given, {}, headers.get("Api-Revision"))


def parse(call: Call, headers: Message, body: bytes) -> Call:
    """The call with its body; raises RefusalError for one that is no JSON object, or a value of the wrong kind."""
    if call.revision is not None and call.revision not in REVISIONS:
        raise RefusalError(205)
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusalError(100)
    try:
        given = json.loads(body)
    except ValueError as cause:
        raise RefusalError(100) from cause
    if not isinstance(given, dict):
        raise RefusalError(100)
    return replace(call, body=_checked(given))


def answer(body: Body, *, nulls: bool = True) -> bytes:
    """JSON; without `nulls` what is not set is left out."""
    return json.dumps(body if nulls else _without_nulls(body), ensure_ascii=False).encode()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(of) for name, of in value.items() if of is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def fault(error: RefusalError, service: str, tracking_id: str) -> bytes:
    """The body of a refusal. `Errors` have a Detail, the other two lists have Details."""
    if error.where == "Errors":
        named = {"Code": error.code, "ErrorCode": error.name, "Message": error.name, "Detail": error.details}
        return answer({"TrackingId": tracking_id, "Type": "AdApiFaultDetail", "Errors": [named]})
    item: Body = {"Code": error.code, "Details": error.details, "Message": error.name}
    if service == CUSTOMER:
        # The errors of CustomerManagement have no ErrorCode.
        return answer({"TrackingId": tracking_id, "Type": "ApiFault", "OperationErrors": [item]})
    item["ErrorCode"] = error.name
    lists: dict[str, list[Body]] = {"OperationErrors": [], "BatchErrors": []}
    lists[error.where].append(item | ({"Index": error.index} if error.where == "BatchErrors" else {}))
    return answer({"TrackingId": tracking_id, "Type": "ApiFaultDetail", **lists})


def new_tracking_id() -> str:
    return str(uuid.uuid4())


def _checked(value: Any, name: str = "") -> Any:
    """A value with its flags apart; of a kind that the service's deserializer takes."""
    if isinstance(value, dict):
        return {each: _checked(of, each) for each, of in value.items()}
    if isinstance(value, list):
        return [_checked(each) for each in value]
    if name in FLAGS and value is not None:
        if not isinstance(value, str):
            raise RefusalError(100)
        return tuple(each.strip() for each in value.split(",") if each.strip())
    if name in _TEXTS and not isinstance(value, str | None):
        raise RefusalError(100)
    return value
