"""The SOAP API through Microsoft's SDK `bingads`, until Microsoft switches it off on 2027-01-31.

Requests come and answers leave in the shapes of the REST API, so that nothing else knows of SOAP. Importing this
module imports the SDK, which parses a 1.5 MB description of a service. suds clients are not safe to share between
threads: each thread has clients of its own.
"""

from __future__ import annotations

import gc
import http.client
import io
import re
import threading
import xml.sax
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import requests
from suds.sudsobject import Object
from suds.transport import Reply, Transport, TransportError

from microsoft_pipeline import errors
from microsoft_pipeline.connections import Connections
from microsoft_pipeline.errors import ApiError, RefusedError
from microsoft_pipeline.operations import Call
from microsoft_pipeline.settings import Settings
from microsoft_pipeline.transport import Caller
from wire import Kind, PipelineError


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage is collected inside, and what was made inside is never looked at again.

    The services' descriptions are many objects that stay for the whole run; walking them over and over triples the
    time of reading them.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


with _collector_paused():
    from bingads import AuthorizationData, ServiceClient
    from bingads.authorization import Authentication
    from bingads.util import DictCache

_LOCATIONS = {
    "CustomerManagement": "/Api/CustomerManagement/v13/CustomerManagementService.svc",
    "CampaignManagement": "/Api/Advertiser/CampaignManagement/v13/CampaignManagementService.svc",
    "Reporting": "/Api/Advertiser/Reporting/v13/ReportingService.svc",
    "Bulk": "/Api/Advertiser/CampaignManagement/v13/BulkService.svc",
}
# What the elements of an array are called, where they are not named after their type.
_ELEMENTS = {
    "Predicates": "Predicate",
    "Ordering": "OrderBy",
    "AccountIds": "long",
    "AdTypes": "AdType",
    "DownloadEntities": "DownloadEntity",
    "Campaigns": "CampaignScope",
}
_FLAGS = frozenset({"CampaignType", "ReturnAdditionalFields", "DataScope"})
# suds unwraps an answer of one element; the name that it has in REST.
_RESULTS = {
    "SearchAccounts": "Accounts",
    "GetCampaignsByAccountId": "Campaigns",
    "GetAdGroupsByCampaignId": "AdGroups",
    "GetAdsByAdGroupId": "Ads",
    "GetKeywordsByAdGroupId": "Keywords",
    "GetAssetGroupsByCampaignId": "AssetGroups",
    "SubmitGenerateReport": "ReportRequestId",
    "PollGenerateReport": "ReportRequestStatus",
    "DownloadCampaignsByAccountIds": "DownloadRequestId",
    "DownloadCampaignsByCampaignIds": "DownloadRequestId",
}
_FAULTS = (
    ("AdApiFaultDetail", "Errors", "AdApiError"),
    ("ApiFaultDetail", "OperationErrors", "OperationError"),
    ("ApiFaultDetail", "BatchErrors", "BatchError"),
    ("ApiFault", "OperationErrors", "OperationError"),
)


class SoapTransport:
    """Sends calls from any thread."""

    def __init__(self, settings: Settings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections
        self._local = threading.local()

    def send(self, call: Call, caller: Caller) -> dict[str, Any]:
        """The answer in the shape of the REST API; raises RefusedError and PipelineError like the other transport."""
        client = self._client(call.operation.service, caller)
        arguments = {name: _argument(client.factory, name, value) for name, value in call.body.items()}
        try:
            result = getattr(client, call.operation.name)(**arguments)
        except Exception as cause:  # suds raises bare Exceptions; what is no failure of the service is raised again
            told = _told(cause, str(call))
            if told is None:
                raise
            raise told from cause
        name = _RESULTS.get(call.operation.name)
        plain = _plain(result)
        if name is None:
            return plain if isinstance(plain, dict) else {}
        # An answer that can have more elements, as PartialErrors, is not unwrapped.
        plain = plain.get(name, plain) if isinstance(plain, dict) else plain
        # suds gives an empty array as an empty text.
        return {name: [] if plain == "" else plain}

    def _client(self, service: str, caller: Caller) -> ServiceClient:
        clients: dict[str, ServiceClient] | None = getattr(self._local, "clients", None)
        if clients is None:
            clients = self._local.clients = {}
            self._local.cache = DictCache()
        if service not in clients:
            with _collector_paused():
                clients[service] = ServiceClient(
                    f"{service}Service", 13, None, "production", cache=self._local.cache, **self._options(service)
                )
        client = clients[service]
        # Texts, not None, which the SDK would send as the text "None".
        client._authorization_data = AuthorizationData(
            caller.account_id, caller.customer_id, self._settings.developer_token, _Token(caller.token)
        )
        return client

    def _options(self, service: str) -> dict[str, Any]:
        options: dict[str, Any] = {"transport": _KeptAlive(self._connections)}
        if self._settings.api_url:
            options["location"] = self._settings.api_url + _LOCATIONS[service]
        return options


class _Token(Authentication):  # type: ignore[misc]  # the SDK is not typed, so its classes are Any
    """An access token that somebody else looks after."""

    def __init__(self, token: str) -> None:
        self._token = token

    def enrich_headers(self, headers: dict[str, str]) -> None:
        headers["AuthenticationToken"] = self._token


class _KeptAlive(Transport):  # type: ignore[misc]  # as above
    """suds' own transport opens a connection, with its handshakes, for every call; this one keeps them."""

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections

    def open(self, request: Any) -> Any:
        """The services' descriptions, which are files of the SDK."""
        from suds.transport.http import HttpTransport  # noqa: PLC0415 - not needed beyond this

        return HttpTransport().open(request)

    def send(self, request: Any) -> Reply:
        headers = {str(name): str(value) for name, value in request.headers.items()}
        response = self._connections.post(request.url, data=request.message, headers=headers)
        if response.status_code != 200:
            raise TransportError(response.reason, response.status_code, io.BytesIO(response.content))
        return Reply(http.client.OK, dict(response.headers), response.content)


def _argument(factory: Any, name: str, value: Any) -> Any:
    """A part of a REST body as suds wants it."""
    if isinstance(value, Mapping):
        kind = value.get("Type")
        if kind is None:
            return {each: _argument(factory, each, part) for each, part in value.items()}
        request = factory.create(kind)
        # Every field is set: suds would send an unset one as an empty element.
        for each in request.__keylist__:
            setattr(request, each, None)
        for each, part in value.items():
            if each != "Type":
                element = f"{kind.removesuffix('Request')}Column" if each == "Columns" else each
                setattr(request, each, _argument(factory, element, part))
        return request
    if isinstance(value, list):
        return {_ELEMENTS.get(name, name): [_argument(factory, "", each) for each in value]}
    if name in _FLAGS and isinstance(value, str):
        return value.replace(",", " ")
    return value


def _plain(value: Any) -> Any:
    """What suds gives as dictionaries, lists, texts and numbers; doubles by their shortest text, as it was sent."""
    if isinstance(value, Object):
        fields = {name: _plain(each) for name, each in value}
        if type(value).__name__.startswith("ArrayOf"):
            return next(iter(fields.values()), None) or []
        return fields
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return Decimal(str(value))
    return str(value)


def _told(error: Exception, what: str) -> Exception | None:
    """What a failed call is raised as; None for something that is not the service's or the network's failure."""
    fault = getattr(error, "fault", None)
    if fault is not None:
        return _refused(fault)
    if isinstance(error, requests.RequestException | OSError | http.client.HTTPException):
        return errors.of_network(error, what)
    status = _http_status(error)
    if status is not None:
        return RefusedError((), status=401) if status == 401 else errors.of_status(status, what)
    # suds meets an answer that is XML but no envelope with an AttributeError.
    if isinstance(error, xml.sax.SAXException | AttributeError):
        return PipelineError(Kind.TRANSIENT, f"{what}: the answer is not SOAP, or is cut short")
    return None


def _refused(fault: Any) -> RefusedError:
    detail = getattr(fault, "detail", None)
    found, tracking_id = [], ""
    for outer, middle, inner in _FAULTS:
        told = getattr(detail, outer, None)
        tracking_id = tracking_id or str(getattr(told, "TrackingId", None) or "")
        # The SDK gives one error as itself and several as a list.
        given = getattr(getattr(told, middle, None), inner, None)
        for each in given if isinstance(given, list) else [given] if given is not None else []:
            code = str(getattr(each, "Code", ""))
            name = re.sub(r"\W", "", str(getattr(each, "ErrorCode", None) or ""))[:80]
            found.append(ApiError(int(code) if code.isdecimal() else None, name))
    return RefusedError(found, tracking_id=re.sub(r"[^\w-]", "", tracking_id)[:64])


def _http_status(error: Exception) -> int | None:
    """suds raises a bare Exception((status, reason)) for an HTTP error that is no fault, or has it in `httpcode`."""
    code = getattr(error, "httpcode", None)
    if code is None and error.args and isinstance(error.args[0], tuple) and error.args[0]:
        code = error.args[0][0]
    return code if isinstance(code, int) else None
