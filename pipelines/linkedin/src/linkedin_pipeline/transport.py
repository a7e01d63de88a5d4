"""HTTP as far as it is the same for the API and the token endpoint: sessions, failures of the network, bodies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from requests import exceptions
from requests.auth import AuthBase

from linkedin_pipeline.errors import Answer, answer
from wire import Kind, PipelineError
from wire.endpoints import is_loopback

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Bearer(AuthBase):
    """The access token as a requests authentication, which a ~/.netrc entry for the host cannot displace."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Anonymous(AuthBase):
    """No authentication at all; saying so keeps ~/.netrc out."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def session_for(url: str) -> requests.Session:
    """A session that honours the environment's proxies and certificates, except towards this machine itself."""
    session = requests.Session()
    session.trust_env = not is_loopback(urlsplit(url).hostname)
    return session


class Sessions:
    """Sessions that threads borrow, each with its kept connection; there are as many as requests were under way."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: deque[requests.Session] = deque()

    @contextmanager
    def borrowed(self) -> Iterator[requests.Session]:
        """The session that was given back last, as its connection is the freshest; a new one where all are lent."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = session_for(self._url)
        try:
            yield session
        finally:
            self._idle.append(session)


@contextmanager
def network_failures(what: str, timeout: float, account_id: str | None = None) -> Iterator[None]:
    """Turn what requests raises into PipelineError; its own texts quote the URL, so none is passed on."""
    try:
        yield
    except exceptions.Timeout as cause:
        raise PipelineError(Kind.TRANSIENT, f"{what}: no answer within {timeout:g} s", account_id=account_id) from cause
    except exceptions.SSLError as cause:
        if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            raise PipelineError(
                Kind.CONFIG,
                f"{what}: the server's certificate is not trusted; a proxy that inspects TLS needs REQUESTS_CA_BUNDLE",
            ) from cause
        raise PipelineError(Kind.TRANSIENT, f"{what}: the TLS connection failed", account_id=account_id) from cause
    except exceptions.ProxyError as cause:
        raise PipelineError(Kind.TRANSIENT, f"{what}: the proxy does not connect", account_id=account_id) from cause
    except (exceptions.ConnectionError, exceptions.ChunkedEncodingError, exceptions.ContentDecodingError) as cause:
        raise PipelineError(Kind.TRANSIENT, f"{what}: the connection broke", account_id=account_id) from cause
    except exceptions.RequestException as cause:
        raise PipelineError(
            Kind.INTERNAL, f"{what}: the request could not be made ({type(cause).__name__})", account_id=account_id
        ) from cause


def refusal(what: str, response: requests.Response, hidden: Callable[[str], str]) -> Answer:
    """What a response other than success says, with secrets blotted out."""
    told = answer(what, response.status_code, response.content, response.headers.get("Retry-After"))
    return msgspec.structs.replace(told, code=hidden(told.code), message=hidden(told.message))


def content(what: str, response: requests.Response, account_id: str | None = None) -> dict[str, Any]:
    """A success's JSON object, fractions as Decimal; anything else was cut short or is another service's page."""
    try:
        decoded = _DECODER.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise PipelineError(Kind.TRANSIENT, f"{what}: the answer is not JSON", account_id=account_id) from cause
    if not isinstance(decoded, dict):
        raise PipelineError(Kind.DATA, f"{what}: the answer is no JSON object", account_id=account_id)
    return decoded
