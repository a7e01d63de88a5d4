"""Where a pipeline may send its tokens: the vendor's hosts, loopback, or whatever the operator explicitly allows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from wire.exits import Kind
from wire.failures import PipelineError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str | None) -> bool:
    """Whether a URL's host is this machine itself."""
    return host in _LOOPBACK


def insecure_allowed(environment: Mapping[str, str]) -> bool:
    """Whether the operator explicitly allows addresses that are not the vendor's, or not https."""
    return environment.get("ALLOW_INSECURE_ENDPOINTS", "").lower() == "true"


def checked_endpoint(
    variable: str, default: str, vendor_hosts: tuple[str, ...], environment: Mapping[str, str] = os.environ
) -> str:
    """The endpoint in `variable`, or `default`; raises PipelineError (config) for a host that must not see a token.

    A value is a URL, or `host:port` for gRPC, which is always TLS. `vendor_hosts` are domains; their subdomains count.
    """
    value = environment.get(variable) or default
    if value == default or insecure_allowed(environment):
        return value.rstrip("/")
    parts = urlsplit(value if "://" in value else f"https://{value}")
    host = parts.hostname or ""
    if is_loopback(host):
        return value.rstrip("/")
    known = any(host == vendor or host.endswith("." + vendor) for vendor in vendor_hosts)
    if not known or parts.scheme != "https":
        raise PipelineError(
            Kind.CONFIG,
            f"{variable} points to {parts.scheme}://{host}, which is not an https address of the vendor; tokens would "
            "go there, so set ALLOW_INSECURE_ENDPOINTS=true if that is meant",
        )
    return value.rstrip("/")
