"""Connections that are kept alive, one per host and thread, and that take no credentials but those given."""

from __future__ import annotations

import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

_CONNECT_SECONDS = 10.0


class Sessions:
    """One `requests.Session` per thread; `timeout` is how long, in seconds, an answer may keep silent."""

    def __init__(self, timeout: float) -> None:
        self._timeout = (min(_CONNECT_SECONDS, timeout), timeout)
        self._local = threading.local()

    def post(self, url: str, **arguments: Any) -> requests.Response:
        return self._session.post(url, timeout=self._timeout, allow_redirects=False, **arguments)

    def get(self, url: str, **arguments: Any) -> requests.Response:
        return self._session.get(url, timeout=self._timeout, allow_redirects=False, **arguments)

    @property
    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # Otherwise requests would look into ~/.netrc, and put what it finds in place of our own headers.
            session.auth = _nothing_added
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return session


def _nothing_added(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
