"""LinkedIn's REST API and token endpoint on a free port of 127.0.0.1."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from sandbox.faults import LOSSES, Faults
from sandbox.linkedin import oauth
from sandbox.linkedin.analytics import Analytics
from sandbox.linkedin.entities import PLATFORM, SEARCHES, Entities
from sandbox.linkedin.limits import Limits
from sandbox.linkedin.replies import RefusalError, Reply, error, oauth_error, page, refuse
from sandbox.linkedin.restli import RestliError, Value, parameters
from sandbox.linkedin.targeting import targeting_entities
from sandbox.linkedin.throttles import DATA_LIMIT, RATE_LIMIT, Throttles, throttle
from sandbox.linkedin.versions import is_active, is_version
from sandbox.pace import Pace
from sandbox.world import Account, World

LONGEST_QUERY = 4_096
PROTOCOLS = ("1.0.0", "2.0.0")

_CONSENT_PATH = "/oauth/v2/authorization"
_TOKEN_PATH = "/oauth/v2/accessToken"
_INTROSPECTION_PATH = "/oauth/v2/introspectToken"
_WITHIN = re.compile(rf"/rest/adAccounts/(\d+)/({'|'.join(SEARCHES)})")
_FORM = "application/x-www-form-urlencoded"
_TOKEN_FAULTS = ("revoked_token", "server_error", "html", "broken_connection", "hang")
_API_FAULTS = ("rate_limit", "expired_token", "error", "empty_body", *_TOKEN_FAULTS)
FAULTS = frozenset((*_API_FAULTS, *LOSSES, "no_refresh_token"))
"""The kinds of faults that this platform can suffer."""
_ERRORS = {
    400: "ILLEGAL_ARGUMENT",
    401: "INVALID_ACCESS_TOKEN",
    403: "ACCESS_DENIED",
    404: "RESOURCE_NOT_FOUND",
    426: "NONEXISTENT_VERSION",
    429: "TOO_MANY_REQUESTS",
}
_ABOUT = re.compile(r"/adAccounts/(\d+)/|sponsoredAccount(?:%3A|:)(\d+)")


def serve(world: World, faults: Faults, pace: Pace) -> LinkedIn:
    """Start serving, with the limits of the environment."""
    return LinkedIn(world, faults, Limits.given(), pace)


class LinkedIn:
    """A running server, and what all its requests share."""

    def __init__(self, world: World, faults: Faults, limits: Limits, pace: Pace) -> None:
        self.world = world
        self.faults = faults
        self.limits = limits
        self.pace = pace
        self.today = world.as_of.astimezone(dt.UTC).date()
        self.entities = Entities(world, limits)
        self.throttles = Throttles(limits, throttled=pace.throttled)
        self.analytics = Analytics(world, limits, self.throttles.count_values, faults)
        self.tokens = oauth.Tokens(limits.refresh_token_days, limits.late_tokens, limits.late_seconds)
        self.closing = threading.Event()
        self.trouble = itertools.count()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.linkedin = self
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        base = f"http://127.0.0.1:{self._http.server_address[1]}"
        return {
            "LINKEDIN_API_URL": f"{base}/rest",
            "LINKEDIN_TOKEN_URL": f"{base}{_TOKEN_PATH}",
            "LINKEDIN_CLIENT_ID": oauth.CLIENT_ID,
            "LINKEDIN_CLIENT_SECRET": oauth.CLIENT_SECRET,
            "LINKEDIN_ACCESS_TOKEN": oauth.FIRST_ACCESS_TOKEN,
            "LINKEDIN_REFRESH_TOKEN": oauth.REFRESH_TOKEN,
        }

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    linkedin: LinkedIn


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.linkedin.pace.connect()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        with self.server.linkedin.throttles.under_way() as refused:
            self._send(self._answered(refused))

    def _answered(self, refused: Reply | None) -> Reply:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        split = urlsplit(self.path)
        if refused is not None:
            return refused
        try:
            if split.path == _CONSENT_PATH:
                return self.server.linkedin.tokens.consent(split.query, body)
            if split.path in (_TOKEN_PATH, _INTROSPECTION_PATH):
                return self._token(split.path, body)
            return self._api(split.path, split.query, body)
        except RefusalError as refusal:
            return refusal.reply

    def _token(self, path: str, body: str) -> Reply:
        struck = self._struck(_TOKEN_FAULTS)
        if struck is not None:
            return struck
        if self.command != "POST" or not self.headers.get("Content-Type", "").startswith(_FORM):
            return oauth_error(400, "invalid_request", "The request must be a POST of a form")
        tokens = self.server.linkedin.tokens
        if path != _TOKEN_PATH:
            return tokens.introspect(body)
        redeems = "grant_type=authorization_code" in body
        withhold = redeems and self.server.linkedin.faults.strike("no_refresh_token") is not None
        return tokens.exchange(body, withhold=withhold)

    def _api(self, path: str, query: str, body: str) -> Reply:
        if len(query) > LONGEST_QUERY or len(self.path) > 2 * LONGEST_QUERY:
            return page(414, "Request-URI Too Long")
        about = _ABOUT.search(f"{self.path} {body}")
        struck = self._struck(_API_FAULTS, about[1] or about[2] if about else None)
        if struck is not None:
            return struck
        denied = self.server.linkedin.tokens.refusal(self.headers.get("Authorization")) or self._version_refusal()
        if denied is not None:
            return denied
        if self.command == "POST":
            if self.headers.get("X-HTTP-Method-Override") != "GET" or self.headers.get("Content-Type") != _FORM:
                raise refuse(405, "METHOD_NOT_ALLOWED", "Only a tunnelled GET may be posted here")
            query = body
        try:
            given = parameters(query, self._protocol)
        except RestliError as cause:
            raise refuse(400, "ILLEGAL_ARGUMENT", str(cause)) from cause
        return self._resource(path, given)

    def _resource(self, path: str, given: dict[str, Value]) -> Reply:
        linkedin = self.server.linkedin
        linkedin.throttles.count_call(path.rsplit("/", 1)[-1])
        if path == "/rest/adAccounts":
            return linkedin.entities.accounts(given)
        if path == "/rest/adAccountUsers":
            return linkedin.entities.users(given)
        if path == "/rest/conversions":
            return linkedin.entities.conversions(given)
        if path == "/rest/adTargetingEntities":
            return targeting_entities(given, linkedin.limits)
        if path == "/rest/posts":
            # Sponsored posts need a product of their own, which the sandbox's application does not have.
            raise refuse(403, "ACCESS_DENIED", "Not enough permissions to access: partnerApiPostsExternal.FINDER")
        if path == "/rest/adAnalytics":
            return linkedin.analytics.find(given)
        found = _WITHIN.fullmatch(path)
        if found is None:
            raise refuse(404, "RESOURCE_NOT_FOUND", f"No virtual resource found for {path}")
        return linkedin.entities.within(self._open_account(found[1]), found[2], given)

    def _open_account(self, account_id: str) -> Account:
        try:
            account = self.server.linkedin.world.account(PLATFORM, account_id)
        except KeyError as cause:
            raise refuse(403, "ACCESS_DENIED", "Not enough permissions to access the account") from cause
        if account.closed or account.id == self.server.linkedin.limits.forbidden:
            raise refuse(403, "ACCESS_DENIED", "Not enough permissions to access the account")
        return account

    def _version_refusal(self) -> Reply | None:
        version = self.headers.get("LinkedIn-Version")
        if not version:
            return error(400, "VERSION_MISSING", "A version must be present; add the LinkedIn-Version header", 0)
        if not is_version(version):
            return error(400, "VERSION_INVALID", f"Header {version} is invalid", 0)
        if not is_active(version, self.server.linkedin.today):
            month, _, revision = version.partition(".")
            return error(426, "NONEXISTENT_VERSION", f"Requested version {month}{revision or '01'} is not active", 0)
        if self._protocol not in PROTOCOLS:
            return error(400, "ILLEGAL_ARGUMENT", f"Rest.li protocol version {self._protocol} is not supported", 0)
        return None

    @property
    def _protocol(self) -> str:
        """Rest.li 1.0 is the protocol of whoever names none."""
        return self.headers.get("X-Restli-Protocol-Version") or PROTOCOLS[0]

    def _struck(self, kinds: tuple[str, ...], account: str | None = None) -> Reply | None:
        """Commit the fault that strikes this request; None where its usual answer follows."""
        linkedin = self.server.linkedin
        kind, _, code = (linkedin.faults.strike(*kinds, account=account) or "").partition("=")
        match kind:
            case "error":
                return error(int(code), _ERRORS.get(int(code), "UNKNOWN_TO_ANYBODY"), "As the sandbox was told", 100)
            case "empty_body":
                return Reply(200, b"")
            case "rate_limit":
                return throttle((RATE_LIMIT, DATA_LIMIT)[next(linkedin.trouble) % 2])
            case "expired_token":
                linkedin.tokens.expire(self.headers.get("Authorization"))
            case "revoked_token":
                linkedin.tokens.revoke()
            case "server_error":
                status, text = ((500, "Internal Server Error"), (503, "Service Unavailable"))[
                    next(linkedin.trouble) % 2
                ]
                return error(status, "INTERNAL_SERVER_ERROR", text, 0)
            case "html":
                return page(502, "502 Bad Gateway")
            case "broken_connection":
                self._break_off()
            case "hang":
                linkedin.closing.wait(600)
                self._break_off()
        return None

    def _break_off(self) -> None:
        """Promise more than is sent, and close."""
        self.wfile.write(
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n{"elements":['
        )
        self.wfile.flush()
        raise _GoneError

    def _send(self, reply: Reply) -> None:
        self.server.linkedin.pace.answer()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        if reply.location:
            self.send_header("Location", reply.location)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("x-li-uuid", "AAYnSandbox==")
        self.end_headers()
        self.wfile.write(reply.body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (_GoneError, ConnectionError):
            self.close_connection = True
            with self.connection:
                self._shut()

    def _shut(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class _GoneError(Exception):
    """The connection is given up in mid-answer."""
