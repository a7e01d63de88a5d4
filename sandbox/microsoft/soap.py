"""SOAP 1.1 as Microsoft's v13 services speak it: envelopes to calls, answers and refusals to envelopes."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from typing import Any
from xml.sax.saxutils import escape

from sandbox.microsoft.calls import BULK, CAMPAIGN, CUSTOMER, FLAGS, REPORTING, Body, Call
from sandbox.microsoft.refusals import RefusalError

PATHS = {
    "/api/customermanagement/v13/customermanagementservice.svc": CUSTOMER,
    "/api/advertiser/campaignmanagement/v13/campaignmanagementservice.svc": CAMPAIGN,
    "/api/advertiser/campaignmanagement/v13/bulkservice.svc": BULK,
    "/api/advertiser/reporting/v13/reportingservice.svc": REPORTING,
}
NAMESPACES = {
    CUSTOMER: "https://bingads.microsoft.com/Customer/v13",
    CAMPAIGN: "https://bingads.microsoft.com/CampaignManagement/v13",
    BULK: "https://bingads.microsoft.com/CampaignManagement/v13",
    REPORTING: "https://bingads.microsoft.com/Reporting/v13",
}
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_ADAPI = "https://adapi.microsoft.com"
_ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
_ENTITIES = f"{NAMESPACES[CUSTOMER]}/Entities"
# What a list's elements are called; those of primitives are in a namespace of their own.
_ITEMS = {
    "Accounts": "AdvertiserAccount",
    "AccountsInfo": "AccountInfo",
    "AdGroups": "AdGroup",
    "Ads": "Ad",
    "AssetGroups": "AssetGroup",
    "Campaigns": "Campaign",
    "CustomerRoles": "CustomerRole",
    "CustomersInfo": "CustomerInfo",
    "Descriptions": "AssetLink",
    "Errors": "OperationError",
    "ForwardCompatibilityMap": "KeyValuePairOfstringstring",
    "Headlines": "AssetLink",
    "Keywords": "Keyword",
    "LinkedAgencies": "CustomerInfo",
    "LongHeadlines": "AssetLink",
    "Videos": "AssetLink",
}
_PRIMITIVES = {"FinalUrls": "string", "Languages": "string", "AccountIds": "long", "LinkedAccountIds": "long"}
# The elements of lists in requests. The columns of reports are in elements named after their value set.
_REQUEST_ITEMS = frozenset(
    {
        "AdGroupReportScope",
        "AdType",
        "CampaignReportScope",
        "CampaignScope",
        "DownloadEntity",
        "OrderBy",
        "int",
        "Predicate",
        "long",
        "string",
    }
)


def parse(service: str, body: bytes) -> Call:
    """Read a request; raises RefusalError for a text that is none."""
    try:
        envelope = {_local(each.tag): each for each in ET.fromstring(body)}
    except ET.ParseError as cause:
        raise RefusalError(100) from cause
    request = next(iter(envelope.get("Body", ())), None)
    if request is None or not _local(request.tag).endswith("Request"):
        raise RefusalError(100)
    headers = {_local(each.tag): each.text or "" for each in envelope.get("Header", ())}
    value = _value("", request)
    return Call(service, _local(request.tag).removesuffix("Request"), headers, value if isinstance(value, dict) else {})


def answer(call: Call, body: Body) -> bytes:
    """A successful answer; every one has a TrackingId, which the SDK relies on."""
    namespace = NAMESPACES[call.service]
    inner = "".join(_element(name, value, "a:" if call.service == CUSTOMER else "", 0) for name, value in body.items())
    entities = f' xmlns:a="{_ENTITIES}"' if call.service == CUSTOMER else ""
    name = f"{call.operation}Response"
    return _envelope(namespace, f'<{name} xmlns="{namespace}" xmlns:b="{_ARRAYS}"{entities}>{inner}</{name}>')


def fault(error: RefusalError, service: str) -> bytes:
    """The envelope of a refusal."""
    namespace = NAMESPACES[service]
    tracking = f'<TrackingId xmlns="{_ADAPI}">{uuid.uuid4()}</TrackingId>'
    details = escape(error.details or "")
    values = f"<Code>{error.code}</Code><Details>{details}</Details>"
    if error.where == "Errors":
        inner = (
            f'<AdApiFaultDetail xmlns="{_ADAPI}"><TrackingId>{uuid.uuid4()}</TrackingId><Errors><AdApiError>'
            f"<Code>{error.code}</Code><Detail>{details}</Detail><ErrorCode>{error.name}</ErrorCode>"
            f"<Message>{error.name}</Message></AdApiError></Errors></AdApiFaultDetail>"
        )
    elif service == CUSTOMER:
        # The errors of CustomerManagement have no ErrorCode.
        inner = (
            f'<ApiFault xmlns="{namespace}/Exception">{tracking}<OperationErrors><OperationError>{values}'
            f"<Message>{error.name}</Message></OperationError></OperationErrors></ApiFault>"
        )
    else:
        named = f"{values}<ErrorCode>{error.name}</ErrorCode>"
        message = f"<Message>{error.name}</Message>"
        lists = {
            "BatchErrors": f"<BatchError>{named}<Index>{error.index}</Index>{message}</BatchError>",
            "OperationErrors": f"<OperationError>{named}{message}</OperationError>",
        }
        held = "".join(f"<{name}>{lists[name] if name == error.where else ''}</{name}>" for name in lists)
        inner = f'<ApiFaultDetail xmlns="{namespace}">{tracking}{held}</ApiFaultDetail>'
    return _envelope(
        namespace,
        '<s:Fault><faultcode>s:Server</faultcode><faultstring xml:lang="en-US">Invalid client data. Check the SOAP '
        f"fault details for more information.</faultstring><detail>{inner}</detail></s:Fault>",
    )


def _value(name: str, node: ET.Element) -> Any:
    """An element as JSON would have it: text for a scalar, None for nil or nothing in it."""
    children = list(node)
    if not children:
        text = (node.text or "").strip()
        if name in FLAGS:
            return tuple(text.split())
        return text or None
    names = {_local(each.tag) for each in children}
    if len(names) == 1 and (names <= _REQUEST_ITEMS or next(iter(names)).endswith("ReportColumn")):
        return [_value("", each) for each in children]
    value = {_local(each.tag): _value(_local(each.tag), each) for each in children}
    kind = node.get(f"{{{_INSTANCE}}}type", "")
    return {"Type": kind.rpartition(":")[2], **value} if kind else value


def _element(name: str, value: Any, prefix: str, depth: int, kind: str = "") -> str:
    """`<name>value</name>` of an answer; below the outermost elements the names have a prefix."""
    tag = f"{prefix}{name}" if depth else name
    if value is None:
        return f'<{tag} i:nil="true"/>'
    if isinstance(value, bool):
        return f"<{tag}>{str(value).lower()}</{tag}>"
    if isinstance(value, list):
        inner = "".join(_item(name, each, prefix, depth + 1) for each in value)
        return f"<{tag}>{inner}</{tag}>"
    if isinstance(value, dict):
        inner = "".join(_element(each, of, prefix, depth + 1) for each, of in value.items())
        kind = kind or _derived(name, value)
        return f'<{tag} i:type="{kind}">{inner}</{tag}>' if kind else f"<{tag}>{inner}</{tag}>"
    return f"<{tag}>{escape(str(value))}</{tag}>"


def _item(name: str, value: Any, prefix: str, depth: int) -> str:
    if name in _PRIMITIVES:
        return f"<b:{_PRIMITIVES[name]}>{escape(str(value))}</b:{_PRIMITIVES[name]}>"
    return _element(_ITEMS[name], value, prefix, depth)


def _derived(name: str, value: Body) -> str:
    """The type of an object that is of one of several: an ad, an asset, a bidding scheme."""
    kind = str(value.get("Type", ""))
    if name not in {"Ad", "Asset", "BiddingScheme"} or not kind:
        return ""
    suffix = "" if name == "Asset" else name
    return kind if kind.endswith(suffix) else f"{kind}{suffix}"


def _envelope(namespace: str, inner: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{_ENVELOPE}" xmlns:i="{_INSTANCE}"><s:Header>'
        f'<h:TrackingId xmlns:h="{namespace}">{uuid.uuid4()}</h:TrackingId></s:Header>'
        f"<s:Body>{inner}</s:Body></s:Envelope>"
    ).encode()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
