"""Which address a report may be fetched from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from wire import Kind, PipelineError
from wire.endpoints import insecure_allowed, is_loopback


def check_address(url: str, environment: Mapping[str, str] = os.environ) -> None:
    """Raise PipelineError (data) for an address that would send a report over an open line."""
    parts = urlsplit(url)
    allowed = is_loopback(parts.hostname) or insecure_allowed(environment)
    if parts.scheme == "https" or (parts.scheme == "http" and allowed):
        return
    raise PipelineError(
        Kind.DATA,
        f"report download: Microsoft gave an address on {parts.scheme}://{parts.hostname}, which is not https",
    )
