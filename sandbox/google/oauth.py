"""Google's consent page and token endpoint: codes, refresh tokens and service account assertions in, tokens out."""

from __future__ import annotations

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.consent import Consents, Page, Rules
from sandbox.faults import Faults
from sandbox.pace import Pace

CLIENT_ID = "sandbox-google-client.apps.googleusercontent.com"
CLIENT_SECRET = "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"
REFRESH_TOKEN = "1//sandbox-google-refresh-token"
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_PATHS = ("/token", "/o/oauth2/token")
"""Of oauth2.googleapis.com, and of accounts.google.com, which the SDK's own configuration goes to."""
CONSENT_PATH = "/o/oauth2/v2/auth"
SCOPE = "https://www.googleapis.com/auth/adwords"
_RULES = Rules(
    vendor="Google",
    client_id=CLIENT_ID,
    # Of a desktop client: any port of this machine.
    redirects=r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/?",
    scopes=frozenset({SCOPE}),
    pkce=True,
)
_WRONG_CODES = {
    "code": ("invalid_grant", "Malformed auth code."),
    "redirect": ("redirect_uri_mismatch", "Bad Request"),
    "verifier": ("invalid_grant", "Invalid code verifier."),
}
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class Tokens:
    """The access tokens that are good now. Safe to use from several threads."""

    def __init__(self, *, reauthenticate: bool = False) -> None:
        self.reauthenticate = reauthenticate
        self._lock = threading.Lock()
        self._good: set[str] = set()
        self._issued = 0
        self._revoked = False
        self._refresh = {REFRESH_TOKEN}

    def grant(self) -> str:
        """A refresh token of a new consent."""
        with self._lock:
            token = f"{REFRESH_TOKEN}-{len(self._refresh)}"
            self._refresh.add(token)
            return token

    def knows(self, refresh_token: str | None) -> bool:
        with self._lock:
            return refresh_token in self._refresh

    def issue(self) -> str | None:
        """A new access token; None once the user has taken the grant back."""
        with self._lock:
            if self._revoked:
                return None
            self._issued += 1
            token = f"ya29.sandbox-google-access-token-{self._issued}"
            self._good.add(token)
            return token

    def accepts(self, token: str) -> bool:
        with self._lock:
            return token in self._good

    def expire(self) -> None:
        """Make every token issued so far useless; new ones can be had."""
        with self._lock:
            self._good.clear()

    def revoke(self) -> None:
        """Make every token useless for good, as when the user takes the grant back."""
        with self._lock:
            self._good.clear()
            self._revoked = True


class TokenEndpoint:
    """`POST /token`, under either of its paths, on a free port of 127.0.0.1."""

    def __init__(self, tokens: Tokens, faults: Faults, closing: threading.Event, pace: Pace) -> None:
        class Handler(_Handler):
            pass

        Handler.consents = Consents(_RULES)
        Handler.tokens, Handler.faults, Handler.closing, Handler.pace = tokens, faults, closing, pace
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.uri = f"http://127.0.0.1:{self._server.server_port}/token"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    consents: Consents
    tokens: Tokens
    faults: Faults
    closing: threading.Event
    pace: Pace

    def setup(self) -> None:
        super().setup()
        self.pace.connect()

    def do_GET(self) -> None:
        self.pace.answer()
        parts = urllib.parse.urlsplit(self.path)
        if parts.path == CONSENT_PATH:
            self._show(self.consents.page(parts.query))
        else:
            self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        self.pace.answer()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        form = dict(urllib.parse.parse_qsl(body))
        path = urllib.parse.urlsplit(self.path).path
        if path == CONSENT_PATH:
            self._show(self.consents.decided(body))
            return
        if path not in _PATHS:
            self._answer(404, {"error": "not_found"})
            return
        fault = self.faults.strike("html", "revoked_token")
        if fault == "html":
            self._send(502, "text/html; charset=utf-8", HTML)
            return
        if fault == "revoked_token":
            self.tokens.revoke()
        self._answer(*self._granted(form))

    def _granted(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._redeemed(form)
        if grant == "refresh_token":
            if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
                return 401, {"error": "invalid_client", "error_description": "The OAuth client was not found."}
            good = self.tokens.knows(form.get("refresh_token"))
            if good and self.tokens.reauthenticate:
                # What a Workspace's session control does to the tokens of its users.
                told = {"error": "invalid_grant", "error_description": "reauth related error (invalid_rapt)"}
                return 400, {**told, "error_subtype": "invalid_rapt"}
        elif grant == ASSERTION:
            # The signature is Google's to check; three parts are what makes an assertion here.
            good = form.get("assertion", "").count(".") == 2
        else:
            return 400, {"error": "unsupported_grant_type", "error_description": f"Invalid grant_type: {grant}"}
        token = self.tokens.issue() if good else None
        if token is None:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        return 200, {"access_token": token, "expires_in": 3599, "scope": SCOPE, "token_type": "Bearer"}

    def _redeemed(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Tokens for a code; a refresh token is among them only where offline access was asked for."""
        if form.get("client_id") != CLIENT_ID:
            return 401, {"error": "invalid_client", "error_description": "The OAuth client was not found."}
        if form.get("client_secret") != CLIENT_SECRET:
            return 401, {"error": "invalid_client", "error_description": "Unauthorized"}
        wrong, asked = self.consents.redeemed(form)
        if wrong:
            error, description = _WRONG_CODES[wrong]
            return 400, {"error": error, "error_description": description}
        answer = {"access_token": self.tokens.issue(), "expires_in": 3599, "scope": SCOPE, "token_type": "Bearer"}
        offline = asked.get("access_type") == "offline" and asked.get("prompt") == "consent"
        if offline and not self.faults.strike("no_refresh_token"):
            answer["refresh_token"] = self.tokens.grant()
        return 200, answer

    def _show(self, page: Page) -> None:
        self._send(page.status, "text/html; charset=utf-8", page.body, location=page.location)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json; charset=utf-8", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes, *, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass
