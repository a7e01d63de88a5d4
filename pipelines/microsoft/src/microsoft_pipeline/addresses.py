"""Which address a report may be fetched from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from wire import Kind, PipelineError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_address(url: str, environment: Mapping[str, str] = os.environ) -> None:
    """Raise PipelineError (data) for an address that would send a report over an open line."""
    parts = urlsplit(url)
    allowed = environment.get("ALLOW_INSECURE_ENDPOINTS", "").lower() == "true"
    if parts.scheme == "https" or (parts.scheme == "http" and (parts.hostname in _LOOPBACK or allowed)):
        return
    raise PipelineError(
        Kind.DATA,
        f"report download: Microsoft gave an address on {parts.scheme}://{parts.hostname}, which is not https",
    )
