"""The one module that talks to Google: tokens, channels, queries; every failure leaves it as a PipelineError."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import grpc
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException
from google.api_core import exceptions as api
from google.api_core import gapic_v1
from google.auth import exceptions as auth
from google.auth.transport.requests import Request
from google.oauth2 import credentials, service_account

from google_pipeline.errors import AccessTokenError, Finding, TimeLimitError, classified
from google_pipeline.queries import Query
from google_pipeline.rows import Convert, converter, page_class
from google_pipeline.settings import Access, Settings, checked_token_uri
from wire import Kind, PipelineError, Window, call_with_retries, count_calls

T = TypeVar("T")
log = logging.getLogger(__name__)

_SCOPE = "https://www.googleapis.com/auth/adwords"
_TOKEN_TIMEOUT = 60.0
_REFUSED_FOR_GOOD = frozenset(
    {"invalid_grant", "invalid_client", "unauthorized_client", "deleted_client", "disabled_client", "access_denied"}
)


class Target(NamedTuple):
    """The account a query goes to, and the login customer through whom it is reached."""

    account_id: str
    login_customer_id: str | None
    currency: str | None = None


class _Shape(NamedTuple):
    decode: Callable[[bytes], Any]
    convert: Convert


class Session:
    """A login at Google. Tokens are renewed here and nowhere else: inside gRPC a revoked one looks like an outage.

    `exhausted` is the error that said that the day's quota is used up, which is the login's and not one account's.
    """

    def __init__(self, access: Access, settings: Settings) -> None:
        self._access = access
        self._settings = settings
        self._version = settings.api_version
        self._types = _types_of(self._version)
        self._credentials = _credentials(access)
        self._token_request = functools.partial(Request(), timeout=min(_TOKEN_TIMEOUT, settings.request_timeout))
        self._services: dict[tuple[str, str | None], Any] = {}
        self._shapes: dict[str, _Shape] = {}
        self.exhausted: PipelineError | None = None
        # It repeats every failure as a warning with the whole request; the sentence of `errors` is enough.
        logging.getLogger("google.ads.googleads.client").setLevel(logging.CRITICAL)

    def renew(self) -> None:
        """Fetch a new access token; raises PipelineError: auth where Google refuses one, transient for an outage."""
        try:
            self._credentials.refresh(self._token_request)
        except auth.GoogleAuthError as cause:
            raise _token_failure(cause) from None
        except (TypeError, ValueError, AttributeError, KeyError):
            raise PipelineError(Kind.TRANSIENT, "the token endpoint answered with something else than JSON") from None

    def persistently(self, call: Callable[[], T], what: str, *, divisible: bool = False) -> T:
        """Call until it works, as patiently as the settings say; a refused access token is renewed once an attempt.

        What is `divisible` is not asked again after it took too long: TimeLimitError is raised at once.
        """

        def attempt() -> T:
            if not self._credentials.valid:
                self.renew()
            try:
                return call()
            except AccessTokenError as refused:
                log.info("%s; fetching a new one", refused.message)
            self.renew()
            return call()

        def mendable(error: PipelineError) -> bool:
            too_long = divisible and isinstance(error, TimeLimitError)
            return error.kind in (Kind.TRANSIENT, Kind.RATE_LIMIT) and not too_long

        try:
            return call_with_retries(attempt, mendable=mendable, backoff=self._settings.backoff, what=what)
        except PipelineError as error:
            if error.kind is Kind.QUOTA:
                self.exhausted = error
            raise

    def accessible(self) -> list[str]:
        """The ids of the customers that the login reaches directly."""
        what = "the list of accessible customers"
        with self._told(what):
            service = self._service("CustomerService", None)
            count_calls()
            answer = service.list_accessible_customers(timeout=self._settings.request_timeout)
            return [name.removeprefix("customers/") for name in answer.resource_names]

    def rows(self, query: Query, target: Target, *, window: Window | None = None, today: str = "") -> Iterator[Any]:
        """Stream the rows of a query, as dicts for the wire; any failure, even half-way, raises PipelineError."""
        shape = self._shape(query)
        what = f"{query.name}, {window}" if window else query.name
        with self._told(what, target.account_id):
            stream = self._stream(shape, query.gaql(window), target)
            try:
                for page in stream:
                    yield from shape.convert(page.results, target.account_id, target.currency, today)
            finally:
                stream.cancel()

    def _stream(self, shape: _Shape, gaql: str, target: Target) -> Any:
        """SearchStream on the SDK's own channel, hence with its headers and errors, but with our decoder."""
        service = self._service("GoogleAdsService", target.login_customer_id)
        request = self._types.SearchGoogleAdsStreamRequest.pb()(customer_id=target.account_id, query=gaql)
        call = service.transport.grpc_channel.unary_stream(
            f"/google.ads.googleads.{self._version}.services.GoogleAdsService/SearchStream",
            request_serializer=type(request).SerializeToString,
            response_deserializer=shape.decode,
        )
        header = gapic_v1.routing_header.to_grpc_metadata((("customer_id", target.account_id),))
        count_calls()
        return gapic_v1.method.wrap_method(call)(request, metadata=(header,), timeout=self._settings.request_timeout)

    def _service(self, name: str, login_customer_id: str | None) -> Any:
        key = (name, login_customer_id)
        if key not in self._services:
            client = GoogleAdsClient(
                self._credentials,
                developer_token=self._access.developer_token,
                endpoint=self._access.endpoint,
                login_customer_id=login_customer_id,
                version=self._version,
                use_proto_plus=False,
            )
            self._services[key] = client.get_service(name)
        return self._services[key]

    def _shape(self, query: Query) -> _Shape:
        if query.name not in self._shapes:
            response = self._types.SearchGoogleAdsStreamResponse.pb().DESCRIPTOR
            row = response.fields_by_name["results"].message_type
            self._shapes[query.name] = _Shape(page_class(query, response).FromString, converter(query, row))
        return self._shapes[query.name]

    @contextmanager
    def _told(self, what: str, account_id: str | None = None) -> Iterator[None]:
        try:
            yield
        except (GoogleAdsException, api.GoogleAPICallError, grpc.RpcError) as cause:
            raise classified(self._finding(cause), what, account_id) from None
        except auth.GoogleAuthError as cause:
            raise _token_failure(cause) from None

    def _finding(self, cause: Exception) -> Finding:
        if isinstance(cause, GoogleAdsException):
            return _finding(cause.error.code().name, cause.failure, cause.request_id)
        if isinstance(cause, api.GoogleAPICallError):
            status = cause.grpc_status_code.name if cause.grpc_status_code else "UNKNOWN"
            call, text = cause.response, cause.message or ""
        else:
            status, call, text = cause.code().name, cause, cause.details() or ""  # type: ignore[attr-defined]  # RpcError is also a Call
        if "Getting metadata from plugin failed" in text:
            # The credentials failed inside gRPC: renewing them outside tells why.
            return Finding("UNAUTHENTICATED", text="the credentials could not be attached")
        return self._failure_in(call, status) or Finding(status, text=text)

    def _failure_in(self, call: Any, status: str) -> Finding | None:
        """Google's own failure, which the SDK leaves in the trailing metadata of RESOURCE_EXHAUSTED and INTERNAL."""
        for key, value in (call.trailing_metadata() or ()) if call is not None else ():
            if key.endswith("googleadsfailure-bin"):
                module = import_module(f"google.ads.googleads.{self._version}.errors.types.errors")
                failure = module.GoogleAdsFailure.deserialize(value)
                return _finding(status, failure, failure.request_id)
        return None


def _finding(status: str, failure: Any, request_id: str) -> Finding:
    if not failure.errors:
        return Finding(status, request_id=request_id)
    first = failure.errors[0]
    pb = type(first).pb(first)
    family = pb.error_code.WhichOneof("error_code") or ""
    code = getattr(first.error_code, family).name if family else ""
    delay = None
    if pb.HasField("details") and pb.details.HasField("quota_error_details"):
        given = pb.details.quota_error_details.retry_delay
        delay = given.seconds + given.nanos / 1e9 or None
    return Finding(status, family, code, first.message, delay, request_id)


def _token_failure(cause: auth.GoogleAuthError) -> PipelineError:
    """Google's refusal of a token, or an outage on the way; the answer's text is not quoted, it may hold a token."""
    answer = cause.args[1] if len(cause.args) > 1 and isinstance(cause.args[1], dict) else {}
    code = str(answer.get("error", ""))
    if code in _REFUSED_FOR_GOOD:
        return PipelineError(
            Kind.AUTH,
            f"Google refuses to give an access token ({code}): the refresh token is revoked or expired, or the OAuth "
            "client is wrong; authorize anew and replace the refresh token",
        )
    if isinstance(cause, auth.TransportError):
        return PipelineError(Kind.TRANSIENT, "the token endpoint cannot be reached; check network, proxy and TLS roots")
    if isinstance(cause, (auth.MalformedError, auth.InvalidValue)):
        return PipelineError(Kind.CONFIG, "the service account's key file is malformed")
    told = code or "no JSON in the answer"
    return PipelineError(Kind.TRANSIENT, f"the token endpoint failed ({told})")


def _credentials(access: Access) -> Any:
    if access.key_file is None:
        return credentials.Credentials(
            None,
            refresh_token=access.refresh_token,
            client_id=access.client_id,
            client_secret=access.client_secret,
            token_uri=access.token_uri,
        )
    try:
        key = json.loads(Path(access.key_file).read_text(encoding="utf-8"))
        key["token_uri"] = access.token_uri or checked_token_uri(str(key["token_uri"]))
        return service_account.Credentials.from_service_account_info(
            key, scopes=[_SCOPE], subject=access.impersonated_email
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise PipelineError(
            Kind.CONFIG, f"json_key_file_path: {access.key_file} is not the key file of a service account"
        ) from None


def _types_of(version: str) -> Any:
    try:
        return import_module(f"google.ads.googleads.{version}.services.types.google_ads_service")
    except ModuleNotFoundError:
        raise PipelineError(
            Kind.CONFIG, f"settings.api_version: the installed google-ads package has no {version}"
        ) from None
