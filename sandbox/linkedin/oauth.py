"""Access tokens: exchanged for the refresh token, rotating, expiring and revoked on request."""

from __future__ import annotations

import threading
import time
from urllib.parse import parse_qs

from sandbox.linkedin.replies import Reply, error, oauth_error, ok

CLIENT_ID = "sandbox-linkedin-client-id"
CLIENT_SECRET = "sandbox-linkedin-client-secret"
REFRESH_TOKEN = "sandbox-linkedin-refresh-token"
FIRST_ACCESS_TOKEN = "sandbox-linkedin-access-token-0"

_DAY = 86_400


class Tokens:
    """Which access tokens are good. Safe to ask from several threads."""

    def __init__(self, refresh_token_days: int, late: int = 0, late_seconds: float = 0.0) -> None:
        self._refresh_token_days = refresh_token_days
        self._late = late
        self._late_seconds = late_seconds
        self._known_from: dict[str, float] = {}
        self._lock = threading.Lock()
        self._good = {FIRST_ACCESS_TOKEN: 0}
        self._expired: set[str] = set()
        self._issued = 0
        self._revoked = False

    def exchange(self, body: str) -> Reply:
        """The token endpoint: a refresh token and the application's credentials for an access token."""
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if form.get("grant_type") != "refresh_token":
            return oauth_error(400, "invalid_request", 'A required parameter "grant_type" is missing or not supported')
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return oauth_error(401, "invalid_client", "Client authentication failed")
        with self._lock:
            if self._revoked or form.get("refresh_token") != REFRESH_TOKEN:
                text = "The provided authorization grant or refresh token is invalid, expired or revoked"
                return oauth_error(400, "invalid_request", text)
            self._issued += 1
            token = f"sandbox-linkedin-access-token-{self._issued}"
            self._good[token] = self._late
            self._known_from[token] = time.monotonic() + self._late_seconds
        return ok(
            {
                "access_token": token,
                "expires_in": 60 * _DAY,
                "refresh_token": REFRESH_TOKEN,
                "refresh_token_expires_in": self._refresh_token_days * _DAY,
                "scope": "r_ads,r_ads_reporting,r_basicprofile",
            }
        )

    def introspect(self, body: str) -> Reply:
        """The introspection endpoint: until when a token is good."""
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return oauth_error(401, "invalid_client", "Client authentication failed")
        with self._lock:
            active = form.get("token") in self._good and not self._revoked
        if not active:
            return ok({"active": False})
        now = int(time.time())
        return ok(
            {
                "active": True,
                "status": "active",
                "client_id": CLIENT_ID,
                "auth_type": "3L",
                "scope": "r_ads,r_ads_reporting,r_basicprofile",
                "created_at": now - _DAY,
                "authorized_at": now - _DAY,
                "expires_at": now + 59 * _DAY,
            }
        )

    def refusal(self, authorization: str | None) -> Reply | None:
        """Why a request with this Authorization header is refused; None where it is not."""
        kind, _, token = (authorization or "").partition(" ")
        with self._lock:
            if kind != "Bearer" or not token:
                return error(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token", 65604)
            if self._revoked:
                return error(401, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked", 65601)
            if token in self._expired:
                return error(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired", 65602)
            if token not in self._good:
                return error(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600)
            if self._good[token] or time.monotonic() < self._known_from.get(token, 0.0):
                # A new token is not known everywhere at once.
                self._good[token] = max(0, self._good[token] - 1)
                return error(401, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked", 65601)
        return None

    def expire(self, authorization: str | None) -> None:
        """The token of this request is good no longer."""
        token = (authorization or "").partition(" ")[2]
        with self._lock:
            if self._good.pop(token, None) is not None:
                self._expired.add(token)

    def revoke(self) -> None:
        """The member has withdrawn consent: nothing is good any more."""
        with self._lock:
            self._revoked = True
