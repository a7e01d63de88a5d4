"""Connections that are kept alive, shared by all threads, and that take no credentials but those given."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

_CONNECT_SECONDS = 10.0


class Connections:
    """As many per host as are used at once, `most` of them kept; `timeout` is how long an answer may keep silent (s).

    One session is safe to share as long as nothing of it changes: it follows no redirect and keeps no cookie, and the
    pools behind it are made for threads (urllib3, "Thread safety").
    """

    def __init__(self, timeout: float, most: int) -> None:
        self._timeout = (min(_CONNECT_SECONDS, timeout), timeout)
        self._session = requests.Session()
        # Otherwise requests would look into ~/.netrc, and put what it finds in place of our own headers.
        self._session.auth = _nothing_added
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=most))

    def post(self, url: str, **arguments: Any) -> requests.Response:
        return self._session.post(url, timeout=self._timeout, allow_redirects=False, **arguments)

    def get(self, url: str, **arguments: Any) -> requests.Response:
        return self._session.get(url, timeout=self._timeout, allow_redirects=False, **arguments)


def _nothing_added(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
