"""Google Ads for the unmodified SDK: GoogleAdsService and CustomerService over TLS, beside an OAuth token endpoint.

SANDBOX_GOOGLE_DAILY_OPERATIONS limits how many requests are answered, as an access level does; unset means no limit.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import grpc

from sandbox.faults import Faults
from sandbox.google import certificate, oauth
from sandbox.google.answers import MANAGERS, Answers
from sandbox.google.gaql import RefusedError
from sandbox.google.resources import MANAGER_ID
from sandbox.world import World

VERSION = "v26"
_RETRY_AFTER = {"seconds": 0, "nanos": 100_000_000}
_STREAM_FAULTS = ("rate_limit", "expired_token", "revoked_token", "server_error", "broken_connection", "hang")
_MAKE_TOKEN_STALE = {"error_code": {"authentication_error": "OAUTH_TOKEN_EXPIRED"}, "message": "The token is expired."}
_TOO_MANY = {
    "error_code": {"quota_error": "RESOURCE_TEMPORARILY_EXHAUSTED"},
    "message": "Too many requests. Retry in 0 seconds.",
    "details": {"quota_error_details": {"rate_scope": "ACCOUNT", "retry_delay": _RETRY_AFTER}},
}
_DAY_IS_OVER = {
    "error_code": {"quota_error": "RESOURCE_EXHAUSTED"},
    "message": "Too many requests. Retry in 3600 seconds.",
    "details": {"quota_error_details": {"rate_scope": "DEVELOPER", "retry_delay": {"seconds": 3600}}},
}
_BROKEN = {"error_code": {"internal_error": "INTERNAL_ERROR"}, "message": "An internal error has occurred."}


def serve(world: World, faults: Faults) -> Server:
    """Start serving on free ports of 127.0.0.1."""
    return Server(world, faults)


class Server:
    """A running server; `environment` points a pipeline at it."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._closing = threading.Event()
        tokens = oauth.Tokens()
        self._oauth = oauth.TokenEndpoint(tokens, faults, self._closing)
        trusted = certificate.made()
        self._directory = Path(tempfile.mkdtemp(prefix="sandbox-google-"))
        roots = self._directory / "roots.pem"
        roots.write_bytes(trusted.chain)
        self._server = grpc.server(ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers(_Services(world, faults, tokens, self._closing).handlers())
        port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(trusted.key, trusted.chain)]))
        self._server.start()
        self.environment = {
            "GOOGLE_CONFIG_FILE": str(self._configuration()),
            "GOOGLE_MANAGER_CUSTOMER_ID": f"{MANAGER_ID[:3]}-{MANAGER_ID[3:6]}-{MANAGER_ID[6:]}",
            "GOOGLE_ADS_ENDPOINT": f"localhost:{port}",
            "GOOGLE_TOKEN_URI": self._oauth.uri,
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(roots),
        }

    def close(self) -> None:
        """Stop serving, whatever is being answered."""
        self._closing.set()
        self._server.stop(grace=None).wait(5)
        self._oauth.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _configuration(self) -> Path:
        path = self._directory / "google-ads.yaml"
        path.touch(mode=0o600)
        path.write_text(
            f"client_id: {oauth.CLIENT_ID}\nclient_secret: {oauth.CLIENT_SECRET}\n"
            f"refresh_token: {oauth.REFRESH_TOKEN}\nuse_proto_plus: false\n",
            encoding="utf-8",
        )
        return path


class _Services:
    """The services of one API version, registered by their wire names."""

    def __init__(self, world: World, faults: Faults, tokens: oauth.Tokens, closing: threading.Event) -> None:
        self._world, self._faults, self._tokens, self._closing = world, faults, tokens, closing
        self._types = import_module(f"google.ads.googleads.{VERSION}.services.types.google_ads_service")
        self._customer = import_module(f"google.ads.googleads.{VERSION}.services.types.customer_service")
        self._errors = import_module(f"google.ads.googleads.{VERSION}.errors.types.errors")
        self._answers = Answers(world, self._types)
        self._requests = itertools.count(1)
        self._operations = int(os.environ.get("SANDBOX_GOOGLE_DAILY_OPERATIONS") or 2**31)
        self._outages = itertools.cycle([("INTERNAL", False), ("UNAVAILABLE", False), ("INTERNAL", True)])

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        package = f"google.ads.googleads.{VERSION}.services"
        ads = {
            "SearchStream": grpc.unary_stream_rpc_method_handler(
                self._search_stream, self._types.SearchGoogleAdsStreamRequest.pb().FromString
            ),
            "Search": grpc.unary_unary_rpc_method_handler(
                self._search, self._types.SearchGoogleAdsRequest.pb().FromString
            ),
        }
        customers = {
            "ListAccessibleCustomers": grpc.unary_unary_rpc_method_handler(
                self._accessible, self._customer.ListAccessibleCustomersRequest.pb().FromString
            )
        }
        return (
            grpc.method_handlers_generic_handler(f"{package}.GoogleAdsService", ads),
            grpc.method_handlers_generic_handler(f"{package}.CustomerService", customers),
        )

    def _search_stream(self, request: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        request_id, midway = self._begin(context)
        batches = self._batches(request, context, request_id)
        yield batches[0]
        if midway:
            self._abort(context, request_id, *midway)
        yield from batches[1:]

    def _search(self, request: Any, context: grpc.ServicerContext) -> bytes:
        request_id, midway = self._begin(context)
        if midway:
            self._abort(context, request_id, *midway)
        if request.page_size:
            message = "Setting the page size is not supported. Search Responses will have fixed page size."
            self._refuse(context, request_id, "request_error", "PAGE_SIZE_NOT_SUPPORTED", message)
        batches = self._batches(request, context, request_id)
        page = int(request.page_token or 0)
        if page >= len(batches):
            self._refuse(context, request_id, "request_error", "INVALID_PAGE_TOKEN", "The page token is invalid.")
        return self._answers.paged(batches[page], page + 1 if page + 1 < len(batches) else None)

    def _accessible(self, _request: Any, context: grpc.ServicerContext) -> bytes:
        request_id, midway = self._begin(context)
        if midway:
            self._abort(context, request_id, *midway)
        first = self._world.accounts("google")[0].id
        response = self._customer.ListAccessibleCustomersResponse.pb()
        encoded: bytes = response(
            resource_names=[f"customers/{customer}" for customer in (MANAGER_ID, first)]
        ).SerializeToString()
        return encoded

    def _begin(self, context: grpc.ServicerContext) -> tuple[str, tuple[str, dict[str, Any] | None, str] | None]:
        """Check the token and let a fault strike; returns the request's id, and a failure to come after one batch."""
        number = next(self._requests)
        request_id = f"sandbox{number:06d}"
        context.send_initial_metadata((("request-id", request_id),))
        if number > self._operations:
            self._abort(context, request_id, "RESOURCE_EXHAUSTED", _DAY_IS_OVER)
        fault = self._faults.strike(*_STREAM_FAULTS)
        midway: tuple[str, dict[str, Any] | None, str] | None = None
        if fault == "hang":
            while context.is_active() and not self._closing.wait(0.05):
                pass
            context.abort(grpc.StatusCode.CANCELLED, "hung up")
        elif fault == "expired_token":
            self._tokens.expire()
        elif fault == "revoked_token":
            self._tokens.revoke()
        elif fault == "rate_limit":
            self._abort(context, request_id, "RESOURCE_EXHAUSTED", _TOO_MANY)
        elif fault == "broken_connection":
            midway = ("UNAVAILABLE", None, "Connection reset by peer")
        elif fault == "server_error":
            status, late = next(self._outages)
            midway = (status, _BROKEN if status == "INTERNAL" else None, "The service is currently unavailable.")
            if not late:
                self._abort(context, request_id, *midway)
        token = dict(context.invocation_metadata()).get("authorization", "").removeprefix("Bearer ")
        if not self._tokens.accepts(token):
            self._abort(context, request_id, "UNAUTHENTICATED", _MAKE_TOKEN_STALE)
        return request_id, midway

    def _batches(self, request: Any, context: grpc.ServicerContext, request_id: str) -> list[bytes]:
        self._check_access(request.customer_id, context, request_id)
        try:
            return self._answers.batches(request.customer_id, request.query)
        except RefusedError as refused:
            self._refuse(context, request_id, "query_error", refused.code, str(refused))

    def _check_access(self, customer_id: str, context: grpc.ServicerContext, request_id: str) -> None:
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
            self._refuse(context, request_id, "authorization_error", "USER_PERMISSION_DENIED", message)
        if customer_id in accounts and accounts[customer_id].closed:
            message = "The customer account can't be accessed because it is not yet enabled or has been deactivated."
            self._refuse(context, request_id, "authorization_error", "CUSTOMER_NOT_ENABLED", message)

    def _refuse(self, context: grpc.ServicerContext, request_id: str, family: str, code: str, text: str) -> NoReturn:
        status = "PERMISSION_DENIED" if family == "authorization_error" else "INVALID_ARGUMENT"
        self._abort(context, request_id, status, {"error_code": {family: code}, "message": text})

    def _abort(
        self,
        context: grpc.ServicerContext,
        request_id: str,
        status: str,
        error: dict[str, Any] | None,
        text: str = "",
    ) -> NoReturn:
        metadata: list[tuple[str, str | bytes]] = [("request-id", request_id)]
        if error is not None:
            failure = self._errors.GoogleAdsFailure.pb()(request_id=request_id, errors=[error])
            key = f"google.ads.googleads.{VERSION}.errors.googleadsfailure-bin"
            metadata.append((key, failure.SerializeToString()))
            text = error["message"]
        context.set_trailing_metadata(tuple(metadata))
        context.abort(grpc.StatusCode[status], text)
        raise AssertionError("abort raises")
