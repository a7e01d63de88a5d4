"""Fetching a finished report from the address that the service gave for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import requests

from microsoft_pipeline import errors
from microsoft_pipeline.addresses import check_address
from wire import Kind, PipelineError, count_calls

_IN_MEMORY = 8 * 1024 * 1024
_BLOCK = 256 * 1024
_WHAT = "report download"


@contextmanager
def fetched(url: str, *, timeout: float) -> Iterator[IO[bytes]]:
    """The file, in memory if it is small, else on disk, until the block ends; raises PipelineError.

    The address itself is the permission, so no credentials go with it, and it must never be logged.
    """
    check_address(url)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        _download(url, file, timeout)
        file.seek(0)
        yield file


def _download(url: str, file: IO[bytes], timeout: float) -> None:
    count_calls()
    try:
        with requests.get(url, stream=True, timeout=timeout, allow_redirects=False, auth=_no_credentials) as response:
            if response.status_code != 200:
                raise _refused(response.status_code)
            for block in response.iter_content(_BLOCK):
                file.write(block)
    except requests.RequestException as cause:
        raise errors.of_network(cause, _WHAT) from cause


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from looking into ~/.netrc."""
    return request


def _refused(status: int) -> PipelineError:
    # 403 and 404 say that the address has lapsed, after five minutes: a fresh one mends that.
    if status in (403, 404, 410):
        return PipelineError(Kind.TRANSIENT, f"{_WHAT}: HTTP status {status}, the address has lapsed")
    return errors.of_status(status, _WHAT)
