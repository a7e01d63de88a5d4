"""The Graph API over HTTP on localhost: tokens, the proof of the app secret, usage headers, and faults on request."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.consent import Page
from sandbox.facebook.batch import run_batch
from sandbox.facebook.graph import Graph
from sandbox.facebook.limits import Limits, ThrottledError, Used
from sandbox.facebook.oauth import ACCESS_TOKEN, APP_ID, APP_SECRET, DIALOG, EXCHANGE, Login, proof_of
from sandbox.facebook.refusals import GraphError, refusal
from sandbox.faults import LOSSES, Faults
from sandbox.pace import Pace
from sandbox.world import World

REGAINED_MINUTES = 0.002
"""The real header counts whole minutes; nobody wants to wait for the sandbox that long."""
PRESSED_ANSWERS = 2
"""How many answers tell in their usage headers that the quota is used up: a rate limit's own, and those after it."""

_ANSWERS = (
    *("rate_limit", "expired_token", "revoked_token", "server_error", "html", "broken_connection", "hang"),
    *("error", "empty_body"),
)
FAULTS = frozenset(
    (
        *_ANSWERS,
        *("failed_job", "empty_job", "lost_run", "too_much_data", "large_page", "large_object", "large_single_object"),
        *(
            "empty_answer",
            "cursor_cycle",
            "unlisted_object",
            "repeated_object",
            "changed_object",
            "missing_value",
            "future_value",
        ),
        *LOSSES,
    )
)
"""The kinds of faults that this server can suffer; `sandbox.serve` refuses others."""
_HTML = "<html><head><title>502 Bad Gateway</title></head><body>an error occurred, no success</body></html>"


def serve(world: World, faults: Faults, pace: Pace) -> FacebookServer:
    """A running server on a free port of 127.0.0.1."""
    return FacebookServer(world, faults, pace)


class FacebookServer:
    """The server and the state that its requests share."""

    def __init__(self, world: World, faults: Faults, pace: Pace) -> None:
        self.faults = faults
        self.pace = pace
        self.login = Login()
        self.closing = threading.Event()
        self.refusal: GraphError | None = None
        self.errors_told = 0
        self.pressed_answers = 0
        self._http = _HTTPServer(("127.0.0.1", 0), _Handler)
        self._http.platform = self
        self._base = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.graph = Graph(world, faults, self._base, job_seconds=pace.job_seconds)
        self.limits = Limits() if pace.throttled else None
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FACEBOOK_APP_ID": APP_ID,
            "FACEBOOK_APP_SECRET": APP_SECRET,
            "FACEBOOK_ACCESS_TOKEN": ACCESS_TOKEN,
            "FACEBOOK_GRAPH_URL": self._base,
        }

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def is_pressed(self) -> bool:
        """Whether this answer tells that the quota is almost used up; asked once for each answer."""
        pressed = self.pressed_answers > 0
        self.pressed_answers -= pressed
        return pressed

    def check_access(self, params: dict[str, str]) -> None:
        """Raise GraphError for a token, or a proof of the app secret, that is not good."""
        if not params.get("access_token"):
            raise GraphError(104, "An access token is required to request this resource.")
        if not self.login.accepts(params["access_token"]):
            raise GraphError(190, f"Malformed access token {params['access_token']}")
        if self.refusal is not None:
            raise self.refusal
        # Only an app that demands it refuses calls without a proof, and a new app does not.
        proof = proof_of(params["access_token"])
        if params.get("appsecret_proof", proof) != proof:
            raise GraphError(100, "Invalid appsecret_proof provided in the API argument")


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    platform: FacebookServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up are nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HTTPServer
    _used: Used | None = None

    def setup(self) -> None:
        super().setup()
        self.server.platform.pace.connect()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        platform = self.server.platform
        self._used = None
        url = urlsplit(self.path)
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if DIALOG.fullmatch(url.path):
            self._show(platform.login.dialog(method, url.query, body.decode()))
            return
        params.update(parse_qsl(body.decode(), keep_blank_values=True))
        path = [part for part in url.path.split("/") if part]
        try:
            if EXCHANGE.fullmatch(url.path):
                self._reply(200, json.dumps(platform.login.exchange(params)))
                return
            platform.check_access(params)
            accounts = self._accounts(path, params)
            insights = "insights" in path or "ids" in params
            if platform.limits:
                self._used = platform.limits.count(
                    accounts, insights=insights, writes=method == "POST" and not insights
                )
            if self._commit(platform.faults.strike(*_ANSWERS, account=accounts), insights="insights" in path):
                return
            if method == "POST" and "batch" in params:
                self._reply(200, run_batch(platform.graph, path, params))
            else:
                self._reply(200, platform.graph.answer(method, path, params))
        except ThrottledError as throttled:
            self._used = throttled.used
            self._reply(throttled.status, json.dumps(throttled.body))
        except GraphError as refusal:
            self._reply(refusal.status, json.dumps(refusal.body))

    def _accounts(self, path: list[str], params: dict[str, str]) -> list[str]:
        """The accounts that a request is for: those it names, or those whose runs it does."""
        named = [*path[1:2], *params.get("ids", "").split(",")]
        owners = map(self.server.platform.graph.owner_of, named)
        return [account for account in owners if account is not None]

    def _commit(self, fault: str | None, *, insights: bool) -> bool:
        """Commit a fault; True when it was the whole answer. Raises the GraphErrors among the faults."""
        platform = self.server.platform
        if fault is None:
            return False
        if fault.startswith("error="):
            raise refusal(int(fault.removeprefix("error=")))
        if fault == "rate_limit":
            platform.pressed_answers = PRESSED_ANSWERS
        if fault == "rate_limit" and insights:
            raise GraphError(80000, "(#80000) There have been too many calls from this ad-account.", subcode=2446079)
        if fault == "rate_limit":
            raise GraphError(17, "(#17) User request limit reached", subcode=2446079)
        if fault == "expired_token":
            platform.refusal = GraphError(190, "Error validating access token: Session has expired", subcode=463)
            raise platform.refusal
        if fault == "revoked_token":
            platform.refusal = GraphError(
                190, "Error validating access token: The user has not authorized application", subcode=458
            )
            raise platform.refusal
        if fault == "server_error":
            self._server_error(platform)
        elif fault == "empty_body":
            self._reply(200, "")
        elif fault == "html":
            self._reply(502, _HTML, "text/html")
        elif fault == "broken_connection":
            self._reply(200, '{"data": [{"id": "1"', length=4096)
            self._hang_up()
        elif fault == "hang":
            platform.closing.wait(120)
            self._hang_up()
        return True

    def _server_error(self, platform: FacebookServer) -> None:
        """In turn: the API's own temporary error, its unknown error, and JSON without an error object."""
        platform.errors_told += 1
        kind = platform.errors_told % 3
        if kind == 1:
            raise GraphError(2, "(#2) Service temporarily unavailable", status=500, transient=True)
        if kind == 2:
            raise GraphError(1, "An unknown error occurred", status=500)
        self._reply(500, '{"id": "1", "name": "half an answer"}')

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _usage(self, *, pressed: bool) -> dict[str, Any]:
        """The usage headers: of the app, of ad accounts, and of both in insights."""
        if self._used is not None:
            return self._used.headers()
        usage = {"call_count": 28, "total_cputime": 25, "total_time": 25}
        spent = {
            **{"type": "ads_insights", **usage, "call_count": 97 if pressed else 28},
            "estimated_time_to_regain_access": REGAINED_MINUTES if pressed else 0,
        }
        return {
            "x-app-usage": usage,
            "x-business-use-case-usage": {"1": [spent]},
            "x-fb-ads-insights-throttle": {"app_id_util_pct": 40.5, "acc_id_util_pct": 12},
        }

    def _show(self, page: Page) -> None:
        """What a browser sees, without the headers of the Graph API."""
        self.send_response(page.status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page.body)))
        if page.location:
            self.send_header("Location", page.location)
        self.end_headers()
        self.wfile.write(page.body)

    def _reply(self, status: int, text: str, kind: str = "application/json", *, length: int | None = None) -> None:
        data = text.encode()
        self.server.platform.pace.answer()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=UTF-8")
        self.send_header("Content-Length", str(length or len(data)))
        self.send_header("facebook-api-version", self.path.split("/")[1])
        pressed = self.server.platform.is_pressed()
        for name, value in self._usage(pressed=pressed).items():
            self.send_header(name, json.dumps(value))
        self.end_headers()
        self.wfile.write(data)
