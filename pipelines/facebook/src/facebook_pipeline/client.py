"""The Graph API through the vendor's SDK's session: signed calls, checked answers, retries, and pages.

The SDK's own call and cursor are not used. The call parses each answer three times and takes an HTTP 500 without an
error object for an entity; the cursor stops at the first empty page, although an empty page may be followed by full
ones.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import requests
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession
from msgspec import Struct
from requests.adapters import HTTPAdapter

from facebook_pipeline.errors import (
    ApiError,
    TooMuchDataError,
    UnexplainedError,
    api_failure,
    incomplete_answer,
    is_mendable,
    is_the_logins,
    no_answer,
    odd_answer,
)
from facebook_pipeline.settings import Credentials, Settings, graph_address
from facebook_pipeline.usage import NEARLY_USED_UP, app_utilisation, regain_seconds, utilisation
from wire import Kind, Limiter, PipelineError, call_with_retries, count_calls, count_pause

log = logging.getLogger(__name__)

_JSON = msgspec.json.Decoder()

_UNTOLD_PAUSE = 5.0
"""Seconds between two calls when a quota is nearly used up and no header says for how long."""
_SLOWER_FROM = 75.0
"""Percent of the app's quota from which all calls go slower."""
_SAME_PAGES = 2
"""How often a page that fails without a reason is asked for before a smaller one is tried."""


class Answer(Struct, frozen=True):
    """An answer that is no refusal: its JSON object, and the headers that tell the usage."""

    body: dict[str, Any]
    headers: Mapping[str, str]


class Connection:
    """One session of the SDK for all threads, which signs every request; keeps as many connections as are used."""

    def __init__(
        self, session: FacebookSession, api_version: str, secrets: tuple[str, ...], *, connections: int
    ) -> None:
        for scheme in ("https://", "http://"):
            session.requests.mount(scheme, HTTPAdapter(pool_maxsize=connections))
        self._session = session
        self._base = f"{session.GRAPH}/{api_version}/"
        self._secrets = secrets

    def call(
        self, method: str, path: tuple[str, ...], params: Mapping[str, Any], account_id: str | None = None
    ) -> Answer:
        """Send one request; raises PipelineError for whatever is no answer of the Graph API, or a refusal by it."""
        # Causes are cut off everywhere: the text of a requests exception quotes the URL, and the URL holds the token.
        what = f"{method} {'/'.join(path)}"
        count_calls()
        sent = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        try:
            response = self._session.requests.request(
                method,
                self._base + "/".join(path),
                **{"params" if method == "GET" else "data": sent},
                headers=FacebookAdsApi.HTTP_DEFAULT_HEADERS,
                timeout=self._session.timeout,
            )
        except (requests.RequestException, OSError) as error:
            raise no_answer(what, error) from None
        body = _parsed(response.content)
        if not isinstance(body, dict):
            raise odd_answer(what, response.status_code)
        told = body.get("error")
        if isinstance(told, dict):
            raise api_failure(what, response.status_code, told, response.headers, self._secrets, account_id=account_id)
        if told is not None or response.status_code >= 400:
            raise odd_answer(what, response.status_code)
        return Answer(body, response.headers)


class Graph:
    """Calls with retries, and the pages of an edge, for one account, or for none in particular.

    What it remembers, a pause to make and page sizes that were too large, concerns its account only, and so does each
    object: only one thread at a time uses that of an account. The `limiter` is everybody's.
    """

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        limiter: Limiter,
        *,
        sleep: Callable[[float], None] | None = None,
        account_id: str | None = None,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self.limiter = limiter
        self._sleep = sleep
        self._account_id = account_id
        self._smaller: dict[str, int] = {}
        self._pause = 0.0

    @classmethod
    def connect(cls, settings: Settings, credentials: Credentials, limiter: Limiter) -> Graph:
        """A Graph at the configured address; opens no connection yet.

        `FacebookAdsApi.init` is avoided: it installs a hook that posts stack traces to the vendor.
        """
        # At DEBUG it logs each request's URL, and the URL holds the token.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        session = FacebookSession(
            credentials.app_id, credentials.app_secret, credentials.access_token, timeout=settings.request_timeout
        )
        session.GRAPH = graph_address()
        secrets = (credentials.access_token, credentials.app_secret, session.appsecret_proof)
        connection = Connection(session, settings.api_version, secrets, connections=limiter.most)
        return cls(connection, settings, limiter)

    def for_account(self, account_id: str) -> Graph:
        """The same connection, for calls on behalf of one account."""
        return Graph(self._connection, self._settings, self.limiter, sleep=self._sleep, account_id=account_id)

    def rest(self, seconds: float) -> None:
        """Wait before something is asked again; another account may use the turn meanwhile."""
        (self._sleep or self.limiter.rest)(seconds)

    def get(self, *path: str, **params: Any) -> dict[str, Any]:
        return self._call("GET", path, params)

    def several(self, ids: tuple[str, ...], fields: str) -> dict[str, Any]:
        """Some objects, of any accounts, by their ids in one call, which is not repeated: it is refused as a whole."""
        return self._call("GET", (), {"ids": ",".join(ids), "fields": fields}, mendable=lambda _: False)

    def post(self, *path: str, **params: Any) -> dict[str, Any]:
        return self._call("POST", path, params)

    def pages(self, *path: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
        """The objects of an edge, page by page, to the page without a next one.

        A page that the API finds too large, or fails to make, is asked for again at half the size, and the size stays
        for that edge. Raises PipelineError for a page without its list, and for one that was seen before.
        """
        what = f"GET {'/'.join(path)}"
        limit = self._smaller.get(path[-1], self._settings.page_size)
        after: str | None = None
        seen: set[str] = set()
        while True:
            cursor = {"after": after} if after else {}
            try:
                page = self._page(path, {**params, **cursor, "limit": limit}, alone=limit == 1)
            except (TooMuchDataError, UnexplainedError) as error:
                if limit == 1:
                    raise
                limit = self._smaller[path[-1]] = max(1, limit // 2)
                log.info("%s; asking for pages of %d", error.message, limit)
                continue
            yield page["data"]
            paging = page.get("paging") or {}
            if not paging.get("next"):
                return
            after = _cursor_after(paging)
            if after is None:
                raise PipelineError(Kind.TRANSIENT, f"{what}: there is a next page but no way to it")
            if after in seen:
                raise PipelineError(Kind.TRANSIENT, f"{what}: the next page is one that was read already")
            seen.add(after)

    def _page(self, path: tuple[str, ...], params: Mapping[str, Any], *, alone: bool) -> dict[str, Any]:
        """One page. An object `alone` on its page cannot be asked for less, so it is asked for again."""
        failures = 0

        def is_worth_it(error: PipelineError) -> bool:
            nonlocal failures
            failures += 1
            if isinstance(error, TooMuchDataError):
                return alone
            if isinstance(error, UnexplainedError) and not alone:
                return failures < _SAME_PAGES
            return is_mendable(error)

        return self._call("GET", path, params, needs="data", mendable=is_worth_it)

    def _call(
        self,
        method: str,
        path: tuple[str, ...],
        params: Mapping[str, Any],
        *,
        needs: str = "",
        mendable: Callable[[PipelineError], bool] = is_mendable,
    ) -> dict[str, Any]:
        if self._pause:
            pause, self._pause = self._pause, 0.0
            count_pause(pause)
            self.rest(pause)
        try:
            return call_with_retries(
                lambda: self._once(method, path, params, needs),
                mendable=mendable,
                backoff=self._settings.backoff,
                what=f"account {self._account_id}" if self._account_id else "the Graph API",
                sleep=self._sleep,
                limiter=self.limiter,
                shared=is_the_logins,
            )
        except ApiError as error:
            if error.kind is Kind.RATE_LIMIT and is_the_logins(error) and mendable(error):
                # Whoever asked next would be refused too, each account after all of its patience.
                self.limiter.stop(error)
            raise

    def _once(self, method: str, path: tuple[str, ...], params: Mapping[str, Any], needs: str) -> dict[str, Any]:
        answer = self._connection.call(method, path, params, self._account_id)
        self._look_at_usage(answer.headers, own="ids" not in params)
        if needs and not isinstance(answer.body.get(needs), list):
            raise incomplete_answer(f"{method} {'/'.join(path)}", needs)
        return answer.body

    def _look_at_usage(self, headers: Mapping[str, str], *, own: bool) -> None:
        """Remember to wait; what is used up by other accounts, in a call that is not this one's `own`, is theirs."""
        longest = self._settings.usage_pause
        pause = min(regain_seconds(headers, self._account_id) or _UNTOLD_PAUSE, longest)
        if (of_app := app_utilisation(headers)) > _SLOWER_FROM:
            # Requests are under way that count too, so everybody goes slower before all is used up.
            everybodys = pause * min(1.0, (of_app - _SLOWER_FROM) / (NEARLY_USED_UP - _SLOWER_FROM))
            count_pause(self.limiter.pause(everybodys))
            level = logging.WARNING if of_app >= NEARLY_USED_UP else logging.DEBUG
            log.log(level, "%.0f %% of the app's quota is used; all calls wait %.1f s", of_app, everybodys)
        elif own and (used := utilisation(headers, self._account_id)) >= NEARLY_USED_UP:
            self._pause = pause
            whose = f"account {self._account_id}: " if self._account_id else ""
            log.warning("%s%.0f %% of the quota is used; the next call waits %.1f s", whose, used, pause)


def _parsed(content: bytes) -> Any:
    """The JSON value of a body; None for what is none. Half a character, cut by the API, becomes U+FFFD."""
    try:
        return _JSON.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        text = json.dumps(json.loads(content), ensure_ascii=False)
    except (ValueError, UnicodeDecodeError):
        return None
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _cursor_after(paging: Mapping[str, Any]) -> str | None:
    """Where the next page begins; an empty page may have no cursors, only the address of the next page."""
    cursor = (paging.get("cursors") or {}).get("after")
    return cursor or next(iter(parse_qs(urlsplit(paging["next"]).query).get("after", ())), None)
