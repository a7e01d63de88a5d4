"""The sign-in: short-lived access tokens, and refresh tokens that change at every use."""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qs

CLIENT_ID = "sandbox-microsoft-client-id"
CLIENT_SECRET = "sandbox-microsoft-client-secret"
DEVELOPER_TOKEN = "sandbox-microsoft-developer-token"
REFRESH_TOKEN = "sandbox-microsoft-refresh-token"

_SCOPES = {"https://ads.microsoft.com/msads.manage", "offline_access"}


class Tokens:
    """Which tokens are good: of refresh tokens the newest, and the one it was got with, as its answer may be lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._refresh = [REFRESH_TOKEN]
        self._access: set[str] = set()
        self._expired: set[str] = set()

    def refresh(self, body: bytes) -> tuple[int, bytes]:
        """Answer a token request: (HTTP status, JSON)."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        with self._lock:
            refusal = self._refusal(form)
            if refusal:
                return 401 if refusal[0] == "invalid_client" else 400, _json(*refusal)
            self._count += 1
            access = f"sandbox-microsoft-access-token-{self._count}"
            newest = f"{REFRESH_TOKEN}-{self._count}"
            self._refresh = [form["refresh_token"], newest]
            self._access.add(access)
        answer = {
            "token_type": "Bearer",
            "scope": form["scope"],
            "expires_in": 3600,
            "ext_expires_in": 3600,
            "access_token": access,
            "refresh_token": newest,
        }
        return 200, json.dumps(answer).encode()

    def _refusal(self, form: dict[str, str]) -> tuple[str, str] | None:
        if form.get("grant_type") != "refresh_token":
            return "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."
        if form.get("client_id") != CLIENT_ID:
            return "unauthorized_client", "AADSTS700016: Application with this identifier was not found."
        if form.get("client_secret") != CLIENT_SECRET:
            return "invalid_client", "AADSTS7000215: Invalid client secret provided."
        if not set(form.get("scope", "").split()) >= _SCOPES:
            return "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
        if form.get("refresh_token") not in self._refresh:
            return "invalid_grant", "AADSTS70000: The provided value for the input parameter is expired or revoked."
        return None

    def error_code(self, access_token: str | None) -> int | None:
        """None for a good access token, else the service's error: 109 expired, 105 never issued."""
        with self._lock:
            if access_token in self._access:
                return None
            return 109 if access_token in self._expired else 105

    def expire(self) -> None:
        """From now on every access token given so far has expired."""
        with self._lock:
            self._expired |= self._access
            self._access.clear()

    def revoke(self) -> None:
        """The user has taken the permission back: no token of theirs is good any more."""
        self.expire()
        with self._lock:
            self._refresh.clear()


def _json(error: str, description: str) -> bytes:
    return json.dumps({"error": error, "error_description": f"{description} Trace ID: sandbox"}).encode()
