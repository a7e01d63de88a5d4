"""The platform on a free port: routing, authentication and the faults that it commits."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sandbox.faults import Faults
from sandbox.microsoft import campaigns, customers, oauth, reports, soap
from sandbox.microsoft.soap import ApiFaultError, Call
from sandbox.world import World

_TOKEN_PATH = "/common/oauth2/v2.0/token"
_PATHS = {
    "/Api/CustomerManagement/v13/CustomerManagementService.svc": customers.NAMESPACE,
    "/Api/Advertiser/CampaignManagement/v13/CampaignManagementService.svc": campaigns.NAMESPACE,
    "/Api/Advertiser/Reporting/v13/ReportingService.svc": reports.NAMESPACE,
}
_HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway<br></body></html>"
_ANYWHERE = ("server_error", "html", "broken_connection", "hang")
_HANG_SECONDS = 120

Answer = tuple[int, str, bytes]


def serve(world: World, faults: Faults) -> MicrosoftServer:
    return MicrosoftServer(world, faults)


class MicrosoftServer:
    """Serves until it is closed."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.faults = faults
        self.closing = threading.Event()
        self._directory = tempfile.mkdtemp(prefix="sandbox-microsoft-")
        self._tokens = oauth.Tokens()
        self._world = world
        self._reports = reports.Reports(world, lambda: self.base_url)
        self._customers = customers.Customers(world)
        self._campaigns = campaigns.Campaigns(world)
        self._services: dict[str, dict[str, Callable[[Call], str]]] = {
            customers.NAMESPACE: self._customers.operations,
            campaigns.NAMESPACE: self._campaigns.operations,
            reports.NAMESPACE: self._reports.operations,
        }
        self._downloads_spoiled = 0
        self._http = _HttpServer(("127.0.0.1", 0), _Handler)
        self._http.platform = self
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MICROSOFT_CLIENT_ID": oauth.CLIENT_ID,
            "MICROSOFT_CLIENT_SECRET": oauth.CLIENT_SECRET,
            "MICROSOFT_TENANT_ID": "common",
            "MICROSOFT_DEVELOPER_TOKEN": oauth.DEVELOPER_TOKEN,
            "MICROSOFT_REFRESH_TOKEN": oauth.REFRESH_TOKEN,
            "MICROSOFT_API_URL": self.base_url,
            "MICROSOFT_TOKEN_URL": f"{self.base_url}{_TOKEN_PATH}",
            "MICROSOFT_TOKEN_STORE": str(Path(self._directory) / "refresh_token"),
        }

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._reports.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def token(self, body: bytes, struck: str | None) -> Answer:
        """Answer at the token endpoint."""
        if struck == "revoked_token":
            self._tokens.revoke()
        if struck == "server_error":
            return 503, "application/json", b'{"error":"temporarily_unavailable","error_description":"AADSTS90033"}'
        status, answer = self._tokens.refresh(body)
        return status, "application/json; charset=utf-8", answer

    def soap(self, namespace: str, call: Call, struck: str | None) -> Answer:
        """Answer one operation; a refusal is a fault with HTTP status 500."""
        try:
            inner = self._operate(namespace, call, struck)
        except ApiFaultError as error:
            return 500, "text/xml; charset=utf-8", soap.fault(error, namespace)
        return 200, "text/xml; charset=utf-8", soap.answer(call, namespace, inner)

    def _operate(self, namespace: str, call: Call, struck: str | None) -> str:
        if struck == "expired_token":
            self._tokens.expire()
        elif struck == "revoked_token":
            self._tokens.revoke()
        elif struck == "rate_limit":
            raise ApiFaultError(117)
        elif struck == "server_error":
            raise ApiFaultError(0)
        elif struck == "failed_job":
            self._reports.fail(call.body["ReportRequestId"].text)
        self._authenticate(namespace, call)
        operation = self._services[namespace].get(call.operation)
        if operation is None:
            raise ApiFaultError(100)
        return operation(call)

    def _authenticate(self, namespace: str, call: Call) -> None:
        code = self._tokens.error_code(call.headers.get("AuthenticationToken"))
        if code is not None:
            raise ApiFaultError(code)
        if call.headers.get("DeveloperToken") != oauth.DEVELOPER_TOKEN:
            raise ApiFaultError(105)
        if namespace == customers.NAMESPACE:
            return
        try:
            account = self._world.account("microsoft", call.headers.get("CustomerAccountId", ""))
        except KeyError as cause:
            raise ApiFaultError(106) from cause
        if account.closed or call.headers.get("CustomerId") != str(customers.customer_of(account)):
            raise ApiFaultError(106)

    def download(self, path: str, struck: str | None) -> Answer:
        """Answer with a report; truncated files are by turns cut archives and whole ones with rows missing."""
        spoiled = 0
        if struck == "truncated_file":
            self._downloads_spoiled += 1
            spoiled = self._downloads_spoiled
        if struck == "server_error":
            return 500, "text/plain", b"Internal Server Error"
        short = bool(spoiled) and spoiled % 2 == 0
        content = self._reports.download(path, short=short, lapses=struck is not None)
        if content is None:
            return 404, "text/plain", b"The report is not here any more."
        return 200, "application/x-zip-compressed", content[: len(content) // 2] if spoiled % 2 else content


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    platform: MicrosoftServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HttpServer

    def log_message(self, format: str, *args: object) -> None:
        """Requests hold tokens, so they are not logged."""

    def do_GET(self) -> None:
        platform = self.server.platform
        if not self.path.startswith("/download/"):
            self._send(404, "text/plain", b"not found")
        elif "Authorization" in self.headers or "Cookie" in self.headers:
            self._send(400, "text/plain", b"A signed address takes no credentials.")
        else:
            struck = platform.faults.strike("truncated_file", *_ANYWHERE)
            self._commit(struck, lambda: platform.download(self.path, struck))

    def do_POST(self) -> None:
        platform = self.server.platform
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == _TOKEN_PATH:
            struck = platform.faults.strike("revoked_token", *_ANYWHERE)
            self._commit(struck, lambda: platform.token(body, struck))
            return
        namespace = _PATHS.get(self.path)
        if namespace is None:
            self._send(404, "text/plain", b"not found")
            return
        try:
            call = soap.parse(body)
        except ApiFaultError as error:
            self._send(500, "text/xml; charset=utf-8", soap.fault(error, namespace))
            return
        own = {"SubmitGenerateReport": ("rate_limit",), "PollGenerateReport": ("failed_job",)}
        kinds = ("expired_token", "revoked_token", *own.get(call.operation, ()), *_ANYWHERE)
        struck = platform.faults.strike(*kinds)
        self._commit(struck, lambda: platform.soap(namespace, call, struck))

    def _commit(self, struck: str | None, answer: Callable[[], Answer]) -> None:
        """Answer, unless the fault is that there is no proper answer."""
        if struck == "hang":
            self.server.platform.closing.wait(_HANG_SECONDS)
            self.close_connection = True
        elif struck == "html":
            self._send(502, "text/html", _HTML)
        else:
            self._send(*answer(), cut=struck == "broken_connection")

    def _send(self, status: int, kind: str, body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True
