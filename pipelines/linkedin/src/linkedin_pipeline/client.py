"""Requests to LinkedIn's REST API: headers, query tunnelling, paging, renewal of a refused token, and patience.

A client is safe between threads, which share the access token, the connections, and what LinkedIn refused.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from linkedin_pipeline.errors import failure
from linkedin_pipeline.refusals import NotAskedError, Refusals
from linkedin_pipeline.restli import Projection, Value, query
from linkedin_pipeline.settings import Settings
from linkedin_pipeline.tokens import Tokens
from linkedin_pipeline.transport import Bearer, Sessions, content, network_failures, refusal
from wire import Kind, Limiter, PipelineError, call_with_retries, count_calls

TUNNEL_ABOVE = 3_900
"""Bytes of query from which a request is tunnelled: LinkedIn answers 414 to more than 4,096."""

Parameters = Mapping[str, Value | Projection]

_MENDABLE = frozenset({Kind.RATE_LIMIT, Kind.TRANSIENT})

log = logging.getLogger(__name__)


class _NotYetKnownError(PipelineError):
    """A new access token was refused; it may only need a moment."""


def connect(settings: Settings, limiter: Limiter) -> Client:
    """A client with the settings' credentials; nothing is sent yet."""
    return Client(settings, Tokens(settings), limiter)


class Client:
    """LinkedIn's REST API for one member's token. Every call is repeated as the settings' backoff says.

    Each request takes a place of the limiter. LinkedIn throttles an application and its member, never an account, so
    who is throttled makes everybody wait.
    """

    def __init__(self, settings: Settings, tokens: Tokens, limiter: Limiter) -> None:
        self._settings = settings
        self._tokens = tokens
        self._limiter = limiter
        self._sessions = Sessions(settings.api_url)
        self._refusals = Refusals()

    def pages(
        self, path: str, parameters: Parameters, *, page_size: int, account_id: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """All elements of a search, page after page. An empty page that names a next one is not the last.

        Raises PipelineError (data) where a page names one that was read before, which would never end.
        """
        token: str | None = None
        read: set[str] = set()
        while True:
            page: dict[str, Value | Projection] = {**parameters, "pageSize": page_size}
            if token is not None:
                page["pageToken"] = token
            answer = self._page(path, page, account_id)
            yield from _elements(path, answer, account_id)
            metadata = answer.get("metadata")
            token = metadata.get("nextPageToken") if isinstance(metadata, Mapping) else None
            if not token:
                return
            if token in read:
                raise PipelineError(
                    Kind.DATA, f"{path}: the next page is one that was read before", account_id=account_id
                )
            read.add(token)

    def offset_pages(
        self, path: str, parameters: Parameters, *, page_size: int, account_id: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """All elements of a finder that pages by `start` and `count`; a page that is not full is the last."""
        start = 0
        while True:
            page = {**parameters, "start": start, "count": page_size}
            elements = self.elements(path, page, account_id=account_id)
            yield from elements
            if len(elements) < page_size:
                return
            start += page_size

    def _page(self, path: str, page: dict[str, Value | Projection], account_id: str | None) -> dict[str, Any]:
        try:
            return self.get(path, page, account_id=account_id)
        except PipelineError as error:
            if error.kind is not Kind.INTERNAL or "pageToken" not in page or "search" not in page:
                raise
            # Other clients report that accounts take no search beside a page token, which knows its search anyway.
            del page["search"]
            return self.get(path, page, account_id=account_id)

    def elements(self, path: str, parameters: Parameters, *, account_id: str | None = None) -> list[dict[str, Any]]:
        """The elements of a finder that does not page."""
        return _elements(path, self.get(path, parameters, account_id=account_id), account_id)

    def get(self, path: str, parameters: Parameters, *, account_id: str | None = None) -> dict[str, Any]:
        """One answer as JSON, fractions as Decimal; raises PipelineError of the kind that tells its remedy."""
        endpoint = path.rsplit("/", 1)[-1]
        string = query(parameters)

        def attempt() -> dict[str, Any]:
            self._refusals.check(endpoint, account_id)
            return self._attempt(path, string, account_id)

        try:
            answer = call_with_retries(
                attempt,
                mendable=_is_mendable,
                backoff=self._settings.backoff,
                what=f"account {account_id}" if account_id else path,
                limiter=self._limiter,
                shared=lambda error: not isinstance(error, NotAskedError),
            )
        except _NotYetKnownError as error:
            # Nobody else may take it for one that another attempt mends.
            raise PipelineError(error.kind, error.message) from error
        except PipelineError as error:
            self._refusals.note(endpoint, error)
            raise
        self._refusals.answered(endpoint)
        return answer

    def _attempt(self, path: str, string: str, account_id: str | None) -> dict[str, Any]:
        token = self._tokens.current()
        response = self._send(path, string, account_id, token)
        if response.status_code == 401 and self._tokens.renewable and self._tokens.refused(token):
            log.info("%s: the access token is refused; it is renewed", f"account {account_id}" if account_id else path)
            token = self._tokens.current()
            response = self._send(path, string, account_id, token)
            if response.status_code == 401:
                self._tokens.refused(token)
        if response.status_code == 200:
            self._tokens.accepted(token)
            return content(path, response, account_id)
        answer = refusal(path, response, self._tokens.hidden_in)
        if response.status_code == 401 and self._tokens.renewable:
            raise _NotYetKnownError(
                Kind.AUTH,
                f"{path}: LinkedIn does not take the new access token ({answer.said}); where that lasts, authorize the "
                "application again",
            )
        raise failure(
            answer,
            api_version=self._settings.api_version,
            data_limit_wait=self._settings.data_limit_wait,
            account_id=account_id,
        )

    def _send(self, path: str, string: str, account_id: str | None, token: str) -> requests.Response:
        headers = {
            "LinkedIn-Version": self._settings.api_version,
            "X-Restli-Protocol-Version": "2.0.0",
            "Accept": "application/json",
        }
        tunnelled = len(string) > TUNNEL_ABOVE
        if tunnelled:
            headers["X-HTTP-Method-Override"] = "GET"
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        url = self._settings.api_url + path
        timeout = self._settings.request_timeout
        with network_failures(path, timeout, account_id), self._sessions.borrowed() as session:
            count_calls()
            return session.request(
                "POST" if tunnelled else "GET",
                url if tunnelled else f"{url}?{string}",
                data=string if tunnelled else None,
                headers=headers,
                auth=Bearer(token),
                timeout=timeout,
                allow_redirects=False,
            )


def _is_mendable(error: PipelineError) -> bool:
    if isinstance(error, NotAskedError):
        return False
    return error.kind in _MENDABLE or isinstance(error, _NotYetKnownError)


def _elements(path: str, answer: Mapping[str, Any], account_id: str | None) -> list[dict[str, Any]]:
    elements = answer.get("elements")
    if not isinstance(elements, list) or not all(isinstance(each, dict) for each in elements):
        raise PipelineError(Kind.DATA, f"{path}: the answer has no list of elements", account_id=account_id)
    return elements
