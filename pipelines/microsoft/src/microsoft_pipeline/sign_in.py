"""Access tokens: got with the refresh token, shared by all threads, renewed when Microsoft no longer takes them."""

from __future__ import annotations

import threading
from typing import Any

import requests

from microsoft_pipeline import errors
from microsoft_pipeline.connections import Connections
from microsoft_pipeline.settings import Settings
from microsoft_pipeline.tokens import TokenStore
from wire import count_calls

_SCOPE = "https://ads.microsoft.com/msads.manage offline_access"


class SignIn:
    """The newest access token; the newest refresh token is on disk before the access token is used."""

    def __init__(self, settings: Settings, connections: Connections) -> None:
        self._settings = settings
        self._store = TokenStore(settings.store_path, settings.refresh_token)
        self._connections = connections
        self._lock = threading.Lock()
        self._token = ""
        self._doubted = False

    def check_writable(self) -> None:
        """Raise PipelineError (config) unless a new refresh token could be stored now."""
        self._store.check_writable()

    @property
    def token(self) -> str:
        """The access token; the first one is asked for here."""
        with self._lock:
            return self._token or self._refresh()

    def renew(self, used: str) -> str:
        """Another access token than the one that was `used`, from another thread if it has one already."""
        with self._lock:
            return self._refresh() if self._token == used else self._token

    def doubt(self, used: str) -> str | None:
        """The same for a token that was refused without saying that it has expired; None if that was tried before.

        The refusal may be about the account, so one new token per run must do.
        """
        with self._lock:
            if self._token != used:
                return self._token
            if self._doubted:
                return None
            self._doubted = True
            return self._refresh()

    def _refresh(self) -> str:
        with self._store.turn():
            newest = self._store.newest()
            answer = self._exchange(newest)
            given = str(answer.get("refresh_token") or newest)
            if given != newest:
                self._store.keep(given)
        self._token = str(answer["access_token"])
        return self._token

    def _exchange(self, refresh_token: str) -> dict[str, Any]:
        form = {
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "scope": _SCOPE,
        }
        count_calls()
        try:
            response = self._connections.post(self._settings.token_url, data=form)
            answer = response.json()
        except requests.exceptions.JSONDecodeError as cause:
            raise errors.of_token_answer(response.status_code, None) from cause
        except (requests.RequestException, OSError) as cause:
            raise errors.of_network(cause, "sign-in") from cause
        if not response.ok or not isinstance(answer, dict) or not answer.get("access_token"):
            raise errors.of_token_answer(response.status_code, answer)
        return answer
