"""Channels to Google: credentials, options and headers as the SDK's, around calls with our own messages.

The SDK's service classes, and its reading of failures, would bring all of its messages with them (`messages`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import metadata
from typing import Any

import grpc
from google.ads.googleads.interceptors import MetadataInterceptor
from google.api_core import gapic_v1, grpc_helpers

from google_pipeline.settings import DEFAULT_ENDPOINT
from google_pipeline.tokens import SCOPE

# As the SDK's client sets them: long headers of failures, long pages, and no thread of gRPC's own for each stream.
_OPTIONS = (
    ("grpc.max_metadata_size", 16 * 1024 * 1024),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    (grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1),
)


class Channels:
    """One channel for each login customer, made when it is first asked for; safe to use from several threads.

    A failed call raises api_core's error for its status, with the call as its `response`.
    """

    def __init__(self, credentials: Any, *, developer_token: str | None, endpoint: str, version: str) -> None:
        self._credentials = credentials
        self._developer_token = developer_token
        self._endpoint = endpoint
        self._version = version
        self._client = gapic_v1.client_info.ClientInfo(client_library_version=metadata.version("google-ads"))
        self._channels: dict[str | None, Any] = {}
        self._lock = threading.Lock()

    def ask(self, method: str, request: Any, answer: Any, login_customer_id: str | None, timeout: float) -> Any:
        """One answer, a message of class `answer`; `method` is service and call, such as `GoogleAdsService/Search`."""
        call = self._channel(login_customer_id).unary_unary(
            self._path(method),
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return self._send(call, request, timeout)

    def stream(
        self, method: str, request: Any, decode: Callable[[bytes], Any], login_customer_id: str | None, timeout: float
    ) -> Any:
        """The answers to come, each decoded as it comes; whoever stops reading cancels it."""
        call = self._channel(login_customer_id).unary_stream(
            self._path(method),
            request_serializer=type(request).SerializeToString,
            response_deserializer=decode,
        )
        return self._send(call, request, timeout)

    def _path(self, method: str) -> str:
        return f"/google.ads.googleads.{self._version}.services.{method}"

    def _send(self, call: Any, request: Any, timeout: float) -> Any:
        customer = getattr(request, "customer_id", "")
        routed = (gapic_v1.routing_header.to_grpc_metadata((("customer_id", customer),)),) if customer else ()
        wrapped = gapic_v1.method.wrap_method(call, client_info=self._client)
        return wrapped(request, metadata=routed, timeout=timeout)

    def _channel(self, login_customer_id: str | None) -> Any:
        with self._lock:
            if login_customer_id not in self._channels:
                channel = grpc_helpers.create_channel(
                    self._endpoint,
                    credentials=self._credentials,
                    default_scopes=(SCOPE,),
                    default_host=DEFAULT_ENDPOINT,
                    options=_OPTIONS,
                )
                headers = MetadataInterceptor(self._developer_token, login_customer_id)
                self._channels[login_customer_id] = grpc.intercept_channel(channel, headers)
            return self._channels[login_customer_id]
