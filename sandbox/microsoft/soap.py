"""SOAP 1.1 as Microsoft's v13 services speak it: envelopes in, envelopes and faults out."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_ADAPI = "https://adapi.microsoft.com"
ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"

NAMES = {
    0: "InternalError",
    100: "NullRequest",
    105: "InvalidCredentials",
    106: "UserIsNotAuthorized",
    109: "AuthenticationTokenExpired",
    117: "CallRateExceeded",
    207: "ConcurrentRequestOverLimit",
    2004: "ReportingServiceNoCompleteDataAvaliable",
    2010: "ReportingServiceInvalidReportId",
    2017: "ReportingServiceInvalidColumns",
    2020: "ReportingServiceInvalidAccountId",
    2025: "ReportingServiceInvalidTime",
    2033: "ReportingServiceInvalidReportAggregation",
    2043: "ReportingServiceRequiredColumnsNotSelected",
    2044: "ReportingServiceInvalidColumnCombination",
    1102: "CampaignServiceInvalidAccountId",
    1100: "CampaignServiceInvalidCampaignId",
    1201: "CampaignServiceInvalidAdGroupId",
}


class ApiFaultError(Exception):
    """A refusal. `of_request` tells a refused request (ApiFaultDetail) from a refused caller (AdApiFaultDetail)."""

    def __init__(self, code: int, *, of_request: bool = False) -> None:
        super().__init__(NAMES[code])
        self.code = code
        self.of_request = of_request


@dataclass(frozen=True, slots=True)
class Element:
    """An XML element by local names, whose absent children are empty."""

    node: ET.Element | None

    def __getitem__(self, name: str) -> Element:
        return Element(next((each for each in self._children() if _local(each.tag) == name), None))

    def __iter__(self) -> Iterator[Element]:
        return (Element(each) for each in self._children())

    def __bool__(self) -> bool:
        return self.node is not None

    def _children(self) -> list[ET.Element]:
        return list(self.node) if self.node is not None else []

    @property
    def name(self) -> str:
        return _local(self.node.tag) if self.node is not None else ""

    @property
    def text(self) -> str:
        return (self.node.text or "") if self.node is not None else ""

    @property
    def type(self) -> str:
        """The local name of its xsi:type."""
        given = self.node.get(f"{{{_INSTANCE}}}type", "") if self.node is not None else ""
        return given.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the operation, its headers by local name, and its body."""

    operation: str
    headers: dict[str, str]
    body: Element


def parse(body: bytes) -> Call:
    """Raises ApiFaultError for what is no SOAP request."""
    try:
        envelope = Element(ET.fromstring(body))
    except ET.ParseError as cause:
        raise ApiFaultError(100) from cause
    request = next(iter(envelope["Body"]), Element(None))
    if not request.name.endswith("Request"):
        raise ApiFaultError(100)
    headers = {each.name: each.text for each in envelope["Header"]}
    return Call(request.name.removesuffix("Request"), headers, request)


def answer(call: Call, namespace: str, inner: str) -> bytes:
    """A successful answer; every one has a TrackingId, which the SDK relies on."""
    return _envelope(namespace, f'<{call.operation}Response xmlns="{namespace}">{inner}</{call.operation}Response>')


def fault(error: ApiFaultError, namespace: str) -> bytes:
    """The envelope of a refusal, which travels with HTTP status 500."""
    name = NAMES[error.code]
    if error.of_request and namespace.endswith("/Customer/v13"):
        inner = (
            f'<ApiFault xmlns="{namespace}/Exception"><TrackingId xmlns="{_ADAPI}">{uuid.uuid4()}</TrackingId>'
            f"<OperationErrors><OperationError><Code>{error.code}</Code><Details/><Message>{name}</Message>"
            "</OperationError></OperationErrors></ApiFault>"
        )
    elif error.of_request:
        inner = (
            f'<ApiFaultDetail xmlns="{namespace}"><TrackingId xmlns="{_ADAPI}">{uuid.uuid4()}</TrackingId>'
            f"<BatchErrors/><OperationErrors><OperationError><Code>{error.code}</Code><Details/>"
            f"<ErrorCode>{name}</ErrorCode><Message>{name}</Message></OperationError></OperationErrors></ApiFaultDetail>"
        )
    else:
        inner = (
            f'<AdApiFaultDetail xmlns="{_ADAPI}"><TrackingId>{uuid.uuid4()}</TrackingId><Errors><AdApiError>'
            f"<Code>{error.code}</Code><Detail/><ErrorCode>{name}</ErrorCode><Message>{name}</Message>"
            "</AdApiError></Errors></AdApiFaultDetail>"
        )
    return _envelope(
        namespace,
        '<s:Fault><faultcode>s:Server</faultcode><faultstring xml:lang="en-US">Invalid client data. Check the SOAP '
        f"fault details for more information.</faultstring><detail>{inner}</detail></s:Fault>",
    )


def element(name: str, value: object) -> str:
    """`<name>value</name>`, or the nil element for None; a boolean in lower case."""
    if value is None:
        return f'<{name} i:nil="true"/>'
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"


def _envelope(namespace: str, inner: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{_ENVELOPE}" xmlns:i="{_INSTANCE}"><s:Header>'
        f'<h:TrackingId xmlns:h="{namespace}">{uuid.uuid4()}</h:TrackingId></s:Header>'
        f"<s:Body>{inner}</s:Body></s:Envelope>"
    ).encode()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
