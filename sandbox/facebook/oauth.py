"""Facebook Login: the dialog, a code for a short-lived token, that for a long-lived one; the app secret's proof."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Mapping
from typing import Any

from sandbox.consent import Consents, Page, Rules
from sandbox.facebook.refusals import GraphError

APP_ID = "1029384756"
APP_SECRET = "sandbox-facebook-app-secret"  # made up; the server accepts nothing else
ACCESS_TOKEN = "EAAsandboxFacebookAccessToken"

DIALOG = re.compile(r"/v\d+\.\d+/dialog/oauth")
EXCHANGE = re.compile(r"/v\d+\.\d+/oauth/access_token")

_HOUR, _DAY = 3_600, 86_400
_RULES = Rules(
    vendor="Facebook",
    client_id=APP_ID,
    # In development mode addresses of localhost are allowed without being registered.
    redirects=r"http://localhost(:\d+)?(/.*)?",
    scopes=frozenset({"ads_read", "ads_management", "business_management", "public_profile"}),
    separator=",",
    denial=(
        ("error_reason", "user_denied"),
        ("error", "access_denied"),
        ("error_description", "Permissions error"),
    ),
    fragment="#_=_",
)


class Login:
    """The app's users and their tokens. Safe to use from several threads."""

    def __init__(self) -> None:
        self.consents = Consents(_RULES)
        self._lock = threading.Lock()
        self._good = {ACCESS_TOKEN}
        self._issued = 0

    def accepts(self, token: str) -> bool:
        with self._lock:
            return token in self._good

    def dialog(self, method: str, query: str, body: str) -> Page:
        """The dialog, or where the browser is sent once a button was pressed."""
        return self.consents.decided(body) if method == "POST" else self.consents.page(query)

    def exchange(self, given: Mapping[str, str]) -> dict[str, Any]:
        """A token for a code, or a long-lived one for a short-lived one; raises GraphError."""
        if given.get("client_id") != APP_ID:
            raise GraphError(101, "Error validating application. Cannot get application info due to a system error.")
        if given.get("client_secret") != APP_SECRET:
            raise GraphError(1, "Error validating client secret.")
        if given.get("grant_type") == "fb_exchange_token":
            if not self.accepts(given.get("fb_exchange_token", "")):
                raise GraphError(190, "Invalid OAuth access token data.")
            return self._issue("Long", 60 * _DAY)
        wrong, _ = self.consents.redeemed(given)
        if wrong == "redirect":
            raise GraphError(
                100,
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you "
                "used in the OAuth dialog request",
                subcode=36008,
            )
        if wrong:
            raise GraphError(100, "This authorization code has been used.", subcode=36009)
        return self._issue("Short", _HOUR)

    def _issue(self, kind: str, seconds: int) -> dict[str, Any]:
        with self._lock:
            self._issued += 1
            token = f"{ACCESS_TOKEN}{kind}{self._issued}"
            self._good.add(token)
        return {"access_token": token, "token_type": "bearer", "expires_in": seconds}


def proof_of(token: str) -> str:
    """What `appsecret_proof` must be for a token."""
    return hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
