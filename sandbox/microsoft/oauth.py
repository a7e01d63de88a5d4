"""The consent page and the sign-in: short-lived access tokens, and refresh tokens that change at every use."""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qs

from sandbox.consent import Consents, Rules

CLIENT_ID = "sandbox-microsoft-client-id"
CLIENT_SECRET = "sandbox-microsoft-client-secret"
DEVELOPER_TOKEN = "sandbox-microsoft-developer-token"
REFRESH_TOKEN = "sandbox-microsoft-refresh-token"

_SCOPES = {"https://ads.microsoft.com/msads.manage", "offline_access"}
RULES = Rules(
    vendor="Microsoft",
    client_id=CLIENT_ID,
    # Of an address of localhost the port does not count.
    redirects=r"http://localhost(:\d+)?/?",
    scopes=frozenset({*_SCOPES, "openid", "profile"}),
    pkce=True,
    denial=(
        ("error", "access_denied"),
        ("error_description", "AADSTS65004: User declined to consent to access the app."),
        ("error_subcode", "cancel"),
    ),
)
_WRONG_CODES = {
    "code": "AADSTS54005: OAuth2 Authorization code was already redeemed, please retry with a new valid code.",
    "redirect": "AADSTS500112: The reply address does not match the reply address of the authorization request.",
    "verifier": "AADSTS501481: The Code_Verifier does not match the code_challenge of the authorization request.",
}


class Tokens:
    """Which tokens are good: of each consent the newest, and the one it was got with, as its answer may be lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._chains = [[REFRESH_TOKEN]]
        self.consents = Consents(RULES)
        self._access: set[str] = set()
        self._expired: set[str] = set()

    def answer(self, body: bytes, *, withhold: bool = False) -> tuple[int, bytes]:
        """Answer a token request: (HTTP status, JSON); with `withhold` a code leads to no refresh token."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        return self._redeem(form, withhold) if form.get("grant_type") == "authorization_code" else self._renew(form)

    def _redeem(self, form: dict[str, str], withhold: bool) -> tuple[int, bytes]:
        refusal = _of_client(form)
        if refusal:
            return 401, _json(*refusal)
        wrong, asked = self.consents.redeemed(form)
        if wrong:
            return 400, _json("invalid_grant", _WRONG_CODES[wrong])
        with self._lock:
            self._count += 1
            access, newest = f"sandbox-microsoft-access-token-{self._count}", f"{REFRESH_TOKEN}-{self._count}"
            self._access.add(access)
            offline = "offline_access" in asked["scope"].split() and not withhold
            if offline:
                self._chains.append([newest])
        return 200, _granted(access, newest if offline else "", asked["scope"].replace("offline_access", "").strip())

    def _renew(self, form: dict[str, str]) -> tuple[int, bytes]:
        with self._lock:
            refusal = self._refusal(form)
            if refusal:
                return 401 if refusal[0] == "invalid_client" else 400, _json(*refusal)
            self._count += 1
            access = f"sandbox-microsoft-access-token-{self._count}"
            newest = f"{REFRESH_TOKEN}-{self._count}"
            used = form["refresh_token"]
            self._chains = [[used, newest] if used in chain else chain for chain in self._chains]
            self._access.add(access)
        return 200, _granted(access, newest, form["scope"])

    def _refusal(self, form: dict[str, str]) -> tuple[str, str] | None:
        if form.get("grant_type") != "refresh_token":
            return "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."
        if refusal := _of_client(form):
            return refusal
        if not set(form.get("scope", "").split()) >= _SCOPES:
            return "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
        if not any(form.get("refresh_token") in chain for chain in self._chains):
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
            self._chains.clear()


def _of_client(form: dict[str, str]) -> tuple[str, str] | None:
    if form.get("client_id") != CLIENT_ID:
        return "unauthorized_client", "AADSTS700016: Application with this identifier was not found."
    if form.get("client_secret") != CLIENT_SECRET:
        return "invalid_client", "AADSTS7000215: Invalid client secret provided."
    return None


def _granted(access: str, refresh: str, scope: str) -> bytes:
    answer = {"token_type": "Bearer", "scope": scope, "expires_in": 3600, "ext_expires_in": 3600}
    return json.dumps({**answer, "access_token": access, **({"refresh_token": refresh} if refresh else {})}).encode()


def _json(error: str, description: str) -> bytes:
    return json.dumps({"error": error, "error_description": f"{description} Trace ID: sandbox"}).encode()
