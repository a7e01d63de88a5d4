"""The services of Google Ads by their wire names, in every version of the API that the SDK has messages for.

Refusals are those of the reference of each error enum; that a version which is gone is answered with UNIMPLEMENTED is
what users report (https://github.com/googleads/google-ads-python/issues, "GRPC target method can't be resolved").
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

import grpc

from sandbox.google.answers import MANAGERS, Answers
from sandbox.google.conditions import RefusedError
from sandbox.google.fields import Fields
from sandbox.google.gate import Call, Gate
from sandbox.google.quirks import Quirks
from sandbox.google.resources import MANAGER_ID
from sandbox.world import World

NEWEST = "v26"
T = TypeVar("T")
_METHOD = re.compile(r"/google\.ads\.googleads\.(?P<version>v\d+)\.services\.(?P<service>\w+)/(?P<method>\w+)")


class Services(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Finds the method that is called; a version's messages are imported when it is asked for first."""

    def __init__(self, world: World, gate: Gate, quirks: Quirks) -> None:
        self._world, self._gate, self._quirks = world, gate, quirks
        # The one that everybody asks for is there before the first request, so that none waits for an import.
        self._versions = {NEWEST: Version(NEWEST, world, self._gate, quirks)}
        self._lock = threading.Lock()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        found = _METHOD.fullmatch(handler_call_details.method)
        version = self._version(found["version"]) if found else None
        handler = version.methods.get(f"{found['service']}/{found['method']}") if version and found else None
        return handler or grpc.unary_unary_rpc_method_handler(_unresolved)

    def _version(self, name: str) -> Version | None:
        with self._lock:
            if name not in self._versions:
                try:
                    self._versions[name] = Version(name, self._world, self._gate, self._quirks)
                except ModuleNotFoundError:
                    return None
            return self._versions[name]


def _unresolved(_request: bytes, context: grpc.ServicerContext) -> bytes:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "GRPC target method can't be resolved.")
    raise AssertionError("abort raises")


class Version:
    """The methods of one version of the API."""

    def __init__(self, name: str, world: World, gate: Gate, quirks: Quirks) -> None:
        package = f"google.ads.googleads.{name}"
        ads = import_module(f"{package}.services.types.google_ads_service")
        customer = import_module(f"{package}.services.types.customer_service")
        field = import_module(f"{package}.services.types.google_ads_field_service")
        self._customer = customer
        self._world, self._gate, self._quirks, self._name = world, gate, quirks, name
        self._answers = Answers(world, ads, quirks)
        self._fields = Fields(self._answers.catalog, field)
        self.methods: dict[str, grpc.RpcMethodHandler] = {
            "GoogleAdsService/SearchStream": grpc.unary_stream_rpc_method_handler(
                self._search_stream, ads.SearchGoogleAdsStreamRequest.pb().FromString
            ),
            "GoogleAdsService/Search": _unary(self._search, ads.SearchGoogleAdsRequest),
            "CustomerService/ListAccessibleCustomers": _unary(
                self._accessible, customer.ListAccessibleCustomersRequest
            ),
            "GoogleAdsFieldService/SearchGoogleAdsFields": _unary(
                self._search_fields, field.SearchGoogleAdsFieldsRequest
            ),
            "GoogleAdsFieldService/GetGoogleAdsField": _unary(self._get_field, field.GetGoogleAdsFieldRequest),
        }

    def _search_stream(self, request: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        call = self._gate.begun(self._name, context, request.customer_id)
        self._check_access(request.customer_id, context, call)
        loss = self._gate.loss(request.customer_id, request.query)
        batches = _asked(call, partial(self._answers.batches, loss=loss), request.customer_id, request.query)
        yield batches[0]
        call.go_on()
        yield from batches[1:]

    def _search(self, request: Any, context: grpc.ServicerContext) -> bytes:
        call = self._gate.begun(self._name, context, request.customer_id)
        call.go_on()
        if request.page_size:
            message = "Setting the page size is not supported. Search Responses will have fixed page size."
            call.refuse("request_error", "PAGE_SIZE_NOT_SUPPORTED", message)
        self._check_access(request.customer_id, context, call)
        asked = request.customer_id, request.query
        if request.validate_only and request.page_token:
            call.refuse("request_error", "VALIDATE_ONLY_REQUEST_HAS_PAGE_TOKEN", "A page token is not allowed.")
        _asked(call, self._answers.checked, *asked)
        counted = request.search_settings.return_total_results_count and not request.validate_only
        total = _asked(call, self._answers.count, *asked) if counted else None
        if request.validate_only or request.search_settings.omit_results:
            return self._answers.paged(None, None, total)
        batches = _asked(call, self._answers.every_batch, *asked)
        page = int(request.page_token or 0) if (request.page_token or "0").isdigit() else len(batches)
        if page >= len(batches):
            call.refuse("request_error", "INVALID_PAGE_TOKEN", "The page token is invalid.")
        return self._answers.paged(batches[page], page + 1 if page + 1 < len(batches) else None, total)

    def _accessible(self, _request: Any, context: grpc.ServicerContext) -> bytes:
        self._gate.begun(self._name, context).go_on()
        first = self._world.accounts("google")[0].id
        reached = () if self._quirks.has("alone") else (MANAGER_ID, first)
        response = self._customer.ListAccessibleCustomersResponse.pb()
        encoded: bytes = response(resource_names=[f"customers/{each}" for each in reached]).SerializeToString()
        return encoded

    def _search_fields(self, request: Any, context: grpc.ServicerContext) -> bytes:
        call = self._gate.begun(self._name, context)
        call.go_on()
        return _asked(call, self._fields.search, request.query, request.page_token, request.page_size)

    def _get_field(self, request: Any, context: grpc.ServicerContext) -> bytes:
        call = self._gate.begun(self._name, context)
        call.go_on()
        found = self._fields.get(request.resource_name)
        if found is None:
            call.refuse("request_error", "RESOURCE_NOT_FOUND", f"Resource was not found: {request.resource_name}.")
        return found

    def _check_access(self, customer_id: str, context: grpc.ServicerContext, call: Call) -> None:
        accounts = {account.id: account for account in self._world.accounts("google")}
        login = dict(context.invocation_metadata()).get("login-customer-id")
        own = next(iter(accounts))
        known = customer_id in accounts or customer_id in MANAGERS
        # Only the manager and the first account are open to the user directly; the others through the manager.
        if not known or (login or customer_id) not in (MANAGER_ID, own) or (login == own and customer_id != own):
            message = (
                "User doesn't have permission to access customer. Note: If you're accessing a client customer, the "
                "manager's customer id must be set in the 'login-customer-id' header."
            )
            call.refuse("authorization_error", "USER_PERMISSION_DENIED", message)
        if customer_id in accounts and accounts[customer_id].closed:
            message = "The customer account can't be accessed because it is not yet enabled or has been deactivated."
            call.refuse("authorization_error", "CUSTOMER_NOT_ENABLED", message)
        self._gate.check_quirks(customer_id, call)


def _asked(call: Call, question: Callable[..., T], *arguments: Any) -> T:
    try:
        return question(*arguments)
    except RefusedError as refused:
        call.refuse("query_error", refused.code, str(refused))


def _unary(method: Callable[[Any, grpc.ServicerContext], bytes], request: Any) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(method, request.pb().FromString)
