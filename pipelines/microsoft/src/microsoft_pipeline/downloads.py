"""Fetching a file that Microsoft has made, a report or an account's entities, from the address that it gave."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from microsoft_pipeline import errors
from microsoft_pipeline.connections import Connections
from wire import Kind, Limiter, PipelineError, count_calls
from wire.endpoints import insecure_allowed, is_loopback

_IN_MEMORY = 8 * 1024 * 1024  # of all threads together
_BLOCK = 256 * 1024


class BrokenFileError(PipelineError):
    """The file is damaged: downloading it again may help."""


class Downloads:
    """Fetches from any thread. The address itself is the permission: no credentials go with it, and it is not logged.

    Its host is not checked: Microsoft says that it may change.
    """

    def __init__(self, connections: Connections, limiter: Limiter) -> None:
        self._connections = connections
        self._limiter = limiter

    def fetch(self, url: str, what: str) -> tempfile.SpooledTemporaryFile[bytes]:
        """The file, in memory if it is small, else on disk, for the caller to close; raises PipelineError."""
        check_address(url, what)
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY // self._limiter.most)  # noqa: SIM115 - the caller closes it
        try:
            self._download(url, file, what)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def _download(self, url: str, file: tempfile.SpooledTemporaryFile[bytes], what: str) -> None:
        count_calls()
        try:
            with self._limiter.place(), self._connections.get(url, stream=True) as response:
                if response.status_code != 200:
                    raise _refused(response.status_code, what)
                for block in response.iter_content(_BLOCK):
                    file.write(block)
        except requests.RequestException as cause:
            raise errors.of_network(cause, what) from cause


def check_address(url: str, what: str, environment: Mapping[str, str] = os.environ) -> None:
    """Raise PipelineError (data) for an address that would send a file over an open line."""
    parts = urlsplit(url)
    allowed = is_loopback(parts.hostname) or insecure_allowed(environment)
    if parts.scheme == "https" or (parts.scheme == "http" and allowed):
        return
    raise PipelineError(
        Kind.DATA, f"{what}: Microsoft gave an address on {parts.scheme}://{parts.hostname}, which is not https"
    )


def _refused(status: int, what: str) -> PipelineError:
    # 403 and 404 say that the address has lapsed, after five minutes: a fresh one mends that.
    if status in (403, 404, 410):
        return PipelineError(Kind.TRANSIENT, f"{what}: HTTP status {status}, the address has lapsed")
    return errors.of_status(status, what)
