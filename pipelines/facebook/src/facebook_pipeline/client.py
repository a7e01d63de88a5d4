"""The Graph API through the vendor's SDK: signed calls, checked answers, retries, and pages.

The SDK's own cursor is not used: it stops at the first empty page, although an empty page may be followed by full ones,
and it takes an HTTP 500 without an error object for an entity.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from facebook_business.api import FacebookAdsApi, FacebookResponse
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from facebook_pipeline.errors import TooMuchDataError, api_failure, is_mendable, no_answer, odd_answer
from facebook_pipeline.settings import Credentials, Settings
from facebook_pipeline.usage import regain_seconds, utilisation
from wire import Kind, PipelineError, call_with_retries, checked_endpoint, count_calls, count_pause

log = logging.getLogger(__name__)

NEARLY_USED_UP = 95.0
"""Percent of any quota from which calls pause."""


class CheckedApi(FacebookAdsApi):  # type: ignore[misc]  # the SDK has no types
    """The SDK's API object, whose `call` returns only what is a Graph answer and raises only PipelineError."""

    def __init__(self, session: FacebookSession, api_version: str, secrets: tuple[str, ...]) -> None:
        super().__init__(session, api_version)
        self._secrets = secrets

    def call(self, method: str, path: tuple[str, ...], *rest: Any, **named: Any) -> FacebookResponse:
        # Causes are cut off everywhere: the text of a requests exception quotes the URL, and the URL holds the token.
        what = f"{method} {'/'.join(path)}"
        count_calls()
        try:
            response = super().call(method, path, *rest, **named)
        except FacebookRequestError as error:
            raise self._told(what, error) from None
        except (requests.RequestException, OSError) as error:
            raise no_answer(what, error) from None
        except (TypeError, ValueError, AttributeError, KeyError):
            # What the SDK raises when it looks for an error object in HTML.
            raise odd_answer(what, None) from None
        status = int(response.status() or 0)
        if status >= 400 or not isinstance(response.json(), dict):
            raise odd_answer(what, status)
        return response

    def _told(self, what: str, error: FacebookRequestError) -> PipelineError:
        body, status = error.body(), int(error.http_status() or 0)
        told = body.get("error") if isinstance(body, dict) else None
        if not isinstance(told, dict):
            return odd_answer(what, status)
        return api_failure(what, status, told, error.http_headers() or {}, self._secrets)


class Graph:
    """Calls with retries, and the pages of an edge."""

    def __init__(self, api: CheckedApi, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api = api
        self._backoff = settings.backoff
        self._usage_pause = settings.usage_pause
        self._page_size = settings.page_size
        self._smaller: dict[str, int] = {}
        self._pause = 0.0
        self._sleep = sleep

    @classmethod
    def connect(cls, settings: Settings, credentials: Credentials) -> Graph:
        """A Graph at the configured address; opens no connection yet.

        `FacebookAdsApi.init` is avoided: it installs a hook that posts stack traces to the vendor.
        """
        endpoint = checked_endpoint("FACEBOOK_GRAPH_URL", FacebookSession.GRAPH, ("facebook.com",))
        # At DEBUG it logs each request's URL, and the URL holds the token.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        session = FacebookSession(
            credentials.app_id, credentials.app_secret, credentials.access_token, timeout=settings.request_timeout
        )
        session.GRAPH = endpoint
        secrets = (credentials.access_token, credentials.app_secret, session.appsecret_proof)
        return cls(CheckedApi(session, settings.api_version, secrets), settings)

    def get(self, *path: str, **params: Any) -> dict[str, Any]:
        return self._call("GET", path, params)

    def post(self, *path: str, **params: Any) -> dict[str, Any]:
        return self._call("POST", path, params)

    def pages(self, *path: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
        """The objects of an edge, page by page, to the page without a next one.

        A page that the API finds too large is asked for again at half the size, and the size stays for that edge.
        """
        limit = self._smaller.get(path[-1], self._page_size)
        after: str | None = None
        while True:
            cursor = {"after": after} if after else {}
            try:
                page = self.get(*path, **params, **cursor, limit=limit)
            except TooMuchDataError as error:
                if limit == 1:
                    raise
                limit = self._smaller[path[-1]] = max(1, limit // 2)
                log.info("%s; asking for pages of %d", error.message, limit)
                continue
            yield page.get("data") or []
            paging = page.get("paging") or {}
            if not paging.get("next"):
                return
            following = _cursor_after(paging)
            if following is None or following == after:
                raise PipelineError(Kind.TRANSIENT, f"GET {'/'.join(path)}: there is a next page but no way to it")
            after = following

    def _call(self, method: str, path: tuple[str, ...], params: Mapping[str, Any]) -> dict[str, Any]:
        return call_with_retries(
            lambda: self._once(method, path, params),
            mendable=is_mendable,
            backoff=self._backoff,
            what="the Graph API",
            sleep=self._sleep,
        )

    def _once(self, method: str, path: tuple[str, ...], params: Mapping[str, Any]) -> dict[str, Any]:
        if self._pause:
            pause, self._pause = self._pause, 0.0
            count_pause(pause)
            self._sleep(pause)
        response = self._api.call(method, path, params=dict(params))
        self._look_at_usage(response.headers())
        answer: dict[str, Any] = response.json()
        return answer

    def _look_at_usage(self, headers: Mapping[str, str]) -> None:
        used = utilisation(headers)
        if used < NEARLY_USED_UP:
            return
        self._pause = min(regain_seconds(headers) or self._usage_pause, self._usage_pause)
        log.warning("%.0f %% of the quota is used; the next call waits %.1f s", used, self._pause)


def _cursor_after(paging: Mapping[str, Any]) -> str | None:
    """Where the next page begins; an empty page may have no cursors, only the address of the next page."""
    cursor = (paging.get("cursors") or {}).get("after")
    return cursor or next(iter(parse_qs(urlsplit(paging["next"]).query).get("after", ())), None)
