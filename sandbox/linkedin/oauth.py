"""The consent page, and access tokens: for a code or the refresh token, rotating, expiring and revoked on request."""

from __future__ import annotations

import threading
import time
from urllib.parse import parse_qs

from sandbox.consent import Consents, Page, Rules
from sandbox.linkedin.replies import Reply, error, oauth_error, ok

CLIENT_ID = "sandbox-linkedin-client-id"
CLIENT_SECRET = "sandbox-linkedin-client-secret"
REFRESH_TOKEN = "sandbox-linkedin-refresh-token"
FIRST_ACCESS_TOKEN = "sandbox-linkedin-access-token-0"

_DAY = 86_400
_CONSENT_DAYS = 365
_GRANTED = "r_ads,r_ads_reporting,r_basicprofile"
RULES = Rules(
    vendor="LinkedIn",
    client_id=CLIENT_ID,
    # What the sandbox's application has registered, at any port, as tests listen where it is free.
    redirects=r"http://localhost:\d+/callback",
    scopes=frozenset(_GRANTED.split(",")),
    denial=(
        ("error", "user_cancelled_authorize"),
        ("error_description", "The user cancelled the authorization"),
    ),
)
_WRONG_CODE = (
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
    "Or authorization code expired. Or external member binding exists"
)


class Tokens:
    """Which access tokens are good. Safe to ask from several threads."""

    def __init__(self, refresh_token_days: int, late: int = 0, late_seconds: float = 0.0) -> None:
        self._late = late
        self._late_seconds = late_seconds
        self._known_from: dict[str, float] = {}
        self._lock = threading.Lock()
        self._good = {FIRST_ACCESS_TOKEN: 0}
        self._expired: set[str] = set()
        self._issued = 0
        self._revoked = False
        self._refresh = {REFRESH_TOKEN: refresh_token_days}
        self._consents = Consents(RULES)

    def consent(self, query: str, body: str) -> Reply:
        """The consent page, or where the browser is sent once a button was pressed."""
        page: Page = self._consents.decided(body) if body else self._consents.page(query)
        return Reply(page.status, page.body, "text/html; charset=utf-8", page.location)

    def exchange(self, body: str, *, withhold: bool = False) -> Reply:
        """The token endpoint: a code or a refresh token, and the application's credentials, for an access token.

        With `withhold` a code leads to no refresh token, as for an application that is not approved.
        """
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            return oauth_error(400, "invalid_request", 'A required parameter "grant_type" is missing or not supported')
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return oauth_error(401, "invalid_client", "Client authentication failed")
        return self._redeem(form, withhold) if form["grant_type"] == "authorization_code" else self._renew(form)

    def _renew(self, form: dict[str, str]) -> Reply:
        refresh = form.get("refresh_token", "")
        with self._lock:
            if self._revoked or refresh not in self._refresh:
                text = "The provided authorization grant or refresh token is invalid, expired or revoked"
                return oauth_error(400, "invalid_request", text)
            return self._granted(_GRANTED, refresh)

    def _redeem(self, form: dict[str, str], withhold: bool) -> Reply:
        wrong, asked = self._consents.redeemed(form)
        if wrong:
            return oauth_error(400, "invalid_request", _WRONG_CODE)
        with self._lock:
            refresh = "" if withhold else f"{REFRESH_TOKEN}-{len(self._refresh)}"
            if refresh:
                self._refresh[refresh] = _CONSENT_DAYS
            return self._granted(asked["scope"].replace(" ", ","), refresh)

    def _granted(self, scope: str, refresh: str) -> Reply:
        self._issued += 1
        token = f"sandbox-linkedin-access-token-{self._issued}"
        self._good[token] = self._late
        self._known_from[token] = time.monotonic() + self._late_seconds
        answer: dict[str, object] = {"access_token": token, "expires_in": 60 * _DAY, "scope": scope}
        if refresh:
            answer |= {"refresh_token": refresh, "refresh_token_expires_in": self._refresh[refresh] * _DAY}
        return ok(answer)

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
