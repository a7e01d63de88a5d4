"""The access token of a run: the one given, or one that the refresh token is exchanged for. Safe between threads."""

from __future__ import annotations

import logging
import threading
import time

from linkedin_pipeline.errors import token_failure
from linkedin_pipeline.settings import Settings
from linkedin_pipeline.transport import Anonymous, content, network_failures, refusal, session_for
from wire import Kind, PipelineError

_WHAT = "renewing the access token"
_DAY_SECONDS = 86_400
_SOON_DAYS = 30
_KNOWN_SECONDS = 2.0

log = logging.getLogger(__name__)


class Tokens:
    """Hands out the access token, and gets a new one when the last was dropped.

    A refresh token lives 365 days from the member's consent and no renewal prolongs that, hence the early warning.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = session_for(settings.token_url)
        self._warned = False
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._known = False
        self._made = 0.0
        self._refused_to: set[int] = set()
        self._access_token = "" if self.renewable else settings.credentials.access_token

    @property
    def renewable(self) -> bool:
        return self._settings.credentials.renewable

    def current(self) -> str:
        """The access token; raises PipelineError where the refresh token is refused (auth) or the exchange fails."""
        with self._lock:
            if not self._access_token:
                self._access_token = self._exchanged()
                self._seen.add(self._access_token)
                self._known = False
                self._made = time.monotonic()
                self._refused_to.clear()
            return self._access_token

    def accepted(self, token: str) -> None:
        """LinkedIn answered to this token: where it refuses it from now on, it has ended."""
        with self._lock:
            if token == self._access_token:
                self._known = True

    def refused(self, token: str) -> bool:
        """Note that LinkedIn refused a token; whether a new one is worth a request at once.

        LinkedIn takes seconds to make a new token known everywhere, and may refuse it until then. So one that was never
        accepted is kept for a while, and dropped when another attempt of the same thread is refused after it.
        """
        thread = threading.get_ident()
        with self._lock:
            if token != self._access_token:
                return True
            is_old = time.monotonic() - self._made > _KNOWN_SECONDS
            if self._known or (is_old and thread in self._refused_to):
                self._access_token = ""
            self._refused_to.add(thread)
            return self._known

    def hidden_in(self, text: str) -> str:
        """The text without any secret."""
        for token in tuple(self._seen):
            text = text.replace(token, "***")
        return self._settings.credentials.hidden_in(text)

    def _exchanged(self) -> str:
        credentials = self._settings.credentials
        with network_failures(_WHAT, self._settings.request_timeout):
            response = self._session.post(
                self._settings.token_url,
                data={
                    "grant_type": "refresh_token",
                    "refresh_token": credentials.refresh_token,
                    "client_id": credentials.client_id,
                    "client_secret": credentials.client_secret,
                },
                headers={"Accept": "application/json"},
                auth=Anonymous(),
                timeout=self._settings.request_timeout,
                allow_redirects=False,
            )
        if response.status_code != 200:
            raise token_failure(refusal(_WHAT, response, self.hidden_in))
        answer = content(_WHAT, response)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise PipelineError(Kind.DATA, f"{_WHAT}: the answer has no access token")
        self._warn_of_end(answer.get("refresh_token_expires_in"))
        return token

    def _warn_of_end(self, seconds: object) -> None:
        if self._warned or not isinstance(seconds, int) or seconds >= _SOON_DAYS * _DAY_SECONDS:
            return
        self._warned = True
        log.warning(
            "the refresh token ends in %d days and cannot be prolonged: authorize the application again and set "
            "LINKEDIN_REFRESH_TOKEN",
            seconds // _DAY_SECONDS,
        )
