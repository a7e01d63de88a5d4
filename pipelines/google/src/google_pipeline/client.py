"""The one module that asks Google: channels, queries; every failure leaves it as a PipelineError."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import grpc
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.protobuf.unknown_fields import UnknownFieldSet
from google.rpc import error_details_pb2, status_pb2

from google_pipeline.channels import Channels
from google_pipeline.errors import (
    AccessTokenError,
    Finding,
    LoginExhaustedError,
    LoginRateError,
    TimeLimitError,
    classified,
    exhausts_login,
)
from google_pipeline.messages import failure, message, pages
from google_pipeline.queries import Query
from google_pipeline.rows import Convert, converter, page_class
from google_pipeline.settings import Access, Settings
from google_pipeline.tokens import Tokens, token_failure
from wire import Kind, Limiter, PipelineError, Window, call_with_retries, count_calls

T = TypeVar("T")
log = logging.getLogger(__name__)


class Target(NamedTuple):
    """The account a query goes to, and the login customer through whom it is reached."""

    account_id: str
    login_customer_id: str | None
    currency: str | None = None


class _Shape(NamedTuple):
    decode: Callable[[bytes], Any]
    convert: Convert


class Session:
    """A login at Google, safe to use from several threads; every request takes a place of the `limiter`.

    `exhausted` is the error that said that the day's quota is used up, which is the login's and not one account's.
    Whoever asks for anything after it gets LoginExhaustedError.
    """

    def __init__(self, tokens: Tokens, access: Access, settings: Settings, limiter: Limiter) -> None:
        self._tokens = tokens
        self._settings = settings
        self._limiter = limiter
        self._version = settings.api_version
        self._channels = Channels(
            tokens.credentials,
            developer_token=access.developer_token,
            endpoint=access.endpoint,
            version=self._version,
        )
        self._shapes: dict[str, _Shape] = {}
        self._lock = threading.Lock()
        self.exhausted: PipelineError | None = None

    def persistently(self, call: Callable[[], T], what: str, *, divisible: bool = False) -> T:
        """Call until it works, as patiently as the settings say; a refused access token is renewed once an attempt.

        What is `divisible` is not asked again after it took too long: TimeLimitError is raised at once.
        """

        def attempt() -> T:
            self._tokens.ready()
            token = self._tokens.credentials.token
            try:
                return call()
            except AccessTokenError:
                log.info("%s: the access token is refused; fetching a new one", what)
            self._tokens.renew(token)
            return call()

        def mendable(error: PipelineError) -> bool:
            too_long = divisible and isinstance(error, TimeLimitError)
            return error.kind in (Kind.TRANSIENT, Kind.RATE_LIMIT) and not too_long

        return call_with_retries(
            attempt,
            mendable=mendable,
            backoff=self._settings.backoff,
            what=what,
            limiter=self._limiter,
            shared=lambda error: isinstance(error, LoginRateError),
        )

    def accessible(self) -> list[str]:
        """The ids of the customers that the login reaches directly."""
        what = "the list of accessible customers"
        with self._told(what):
            request = message("ListAccessibleCustomersRequest")()
            count_calls()
            answer = self._channels.ask(
                "CustomerService/ListAccessibleCustomers",
                request,
                message("ListAccessibleCustomersResponse"),
                None,
                self._settings.request_timeout,
            )
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
                    del page  # Megabytes, which would wait for the next one beside it, in each of the threads.
            finally:
                stream.cancel()

    def validate(self, query: Query, target: Target, window: Window) -> None:
        """Have Google look at a query without running it; what it refuses raises PipelineError."""
        request = message("SearchGoogleAdsRequest")(customer_id=target.account_id, query=query.gaql(window))
        request.validate_only = True
        self._search(request, query.name, target)

    def count(self, query: Query, target: Target, window: Window | None = None) -> int:
        """How many rows a query has, as Google's other call for queries counts them; no row is sent."""
        request = message("SearchGoogleAdsRequest")(customer_id=target.account_id, query=query.gaql(window))
        request.search_settings.omit_results = True
        request.search_settings.return_total_results_count = True
        answer = self._search(request, f"the number of rows of {query.name}", target)
        return int(answer.total_results_count)

    def _search(self, request: Any, what: str, target: Target) -> Any:
        with self._told(what, target.account_id):
            count_calls()
            return self._channels.ask(
                "GoogleAdsService/Search",
                request,
                message("SearchGoogleAdsResponse"),
                target.login_customer_id,
                self._settings.request_timeout,
            )

    def _stream(self, shape: _Shape, gaql: str, target: Target) -> Any:
        request = message("SearchGoogleAdsStreamRequest")(customer_id=target.account_id, query=gaql)
        count_calls()
        return self._channels.stream(
            "GoogleAdsService/SearchStream",
            request,
            shape.decode,
            target.login_customer_id,
            self._settings.request_timeout,
        )

    def _shape(self, query: Query) -> _Shape:
        with self._lock:
            if query.name in self._shapes:
                return self._shapes[query.name]
            response = pages(query.paths, self._version)
            row = response.fields_by_name["results"].message_type
            shape = _Shape(page_class(query, response).FromString, converter(query, row))
            return self._shapes.setdefault(query.name, shape)

    @contextmanager
    def _told(self, what: str, account_id: str | None = None) -> Iterator[None]:
        try:
            yield
        except (api.GoogleAPICallError, grpc.RpcError) as cause:
            finding = _finding(cause)
            error = classified(finding, what, account_id)
            if exhausts_login(finding):
                self.exhausted = self.exhausted or error
                self._limiter.stop(LoginExhaustedError())
            raise error from None
        except auth.GoogleAuthError as cause:
            raise token_failure(cause) from None


def _finding(cause: Exception) -> Finding:
    if isinstance(cause, api.GoogleAPICallError):
        status = cause.grpc_status_code.name if cause.grpc_status_code else "UNKNOWN"
        call, text = cause.response, cause.message or ""
    else:
        status, call, text = cause.code().name, cause, cause.details() or ""  # type: ignore[attr-defined]  # RpcError is also a Call
    if "Getting metadata from plugin failed" in text:
        # The credentials failed inside gRPC: renewing them outside tells why.
        return Finding("UNAUTHENTICATED", text="the credentials could not be attached")
    return _failure_in(call, status) or Finding(status, text=text, retry_delay=_retry_info(call))


def _failure_in(call: Any, status: str) -> Finding | None:
    """Google's own failure, in the trailing metadata of a call."""
    trailing = dict(call.trailing_metadata() or ()) if call is not None else {}
    for key, value in trailing.items():
        if key.endswith("googleadsfailure-bin"):
            found = failure().FromString(value)
            return _told_in(found, status, found.request_id or str(trailing.get("request-id", "")))
    return None


def _retry_info(call: Any) -> float | None:
    """The seconds of a `google.rpc.RetryInfo`, in which Google's front ends say how long to wait."""
    for key, value in (call.trailing_metadata() or ()) if call is not None else ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.RetryInfo()
                if detail.Unpack(info):
                    return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None


def _told_in(found: Any, status: str, request_id: str) -> Finding:
    if not found.errors:
        return Finding(status, request_id=request_id)
    pb = found.errors[0]
    family, code = _code(pb)
    delay, scope = None, ""
    if pb.HasField("details") and pb.details.HasField("quota_error_details"):
        quota = pb.details.quota_error_details
        delay = quota.retry_delay.seconds + quota.retry_delay.nanos / 1e9 or None
        scope = _name(quota, quota.DESCRIPTOR.fields_by_name["rate_scope"])
    unpublished = pb.details.unpublished_error_code
    text = f"{pb.message} (code {unpublished})" if unpublished else pb.message
    return Finding(status, family, code, text, delay, request_id, scope)


def _code(error: Any) -> tuple[str, str]:
    """Family and code of an error; what is newer than the installed SDK is told by its number."""
    family = error.error_code.WhichOneof("error_code")
    if family:
        return family, _name(error.error_code, error.error_code.DESCRIPTOR.fields_by_name[family])
    unknown = next(iter(UnknownFieldSet(error.error_code)), None)
    return (f"error_code[{unknown.field_number}]", str(unknown.data)) if unknown else ("", "")


def _name(message: Any, field: Any) -> str:
    number = getattr(message, field.name)
    value = field.enum_type.values_by_number.get(number)
    return value.name if value is not None else str(number)
