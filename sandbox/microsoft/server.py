"""The platform on a free port: routing, authentication and the faults that it commits."""

from __future__ import annotations

import gzip
import itertools
import re
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sandbox.consent import Consents, Page
from sandbox.faults import LOSSES, Fault, Faults
from sandbox.microsoft import bulk, campaigns, customers, oauth, oddities, reports, rest, soap
from sandbox.microsoft.calls import BULK, CAMPAIGN, CUSTOMER, REPORTING, Body, Call, Operation
from sandbox.microsoft.refusals import RefusalError, can_strike, refuse
from sandbox.microsoft.throttles import Throttles
from sandbox.pace import Pace
from sandbox.world import World

_TOKEN_PATH = "/common/oauth2/v2.0/token"
_CONSENT_PATH = re.compile(r"/[^/?]+/oauth2/v2\.0/authorize")
_HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway<br></body></html>"
_ASKED_FOR = re.compile(rb"ReportRequestId[^0-9]{1,40}(\d+)")
_ANYWHERE = ("server_error", "html", "broken_connection", "hang")
_OF_CALLS = ("expired_token", "revoked_token", "error", "bare", "empty_body", *_ANYWHERE)
_OF_OPERATIONS = {
    "SubmitGenerateReport": ("rate_limit", *LOSSES),
    "PollGenerateReport": ("failed_job", "empty_job"),
    "GetBulkDownloadStatus": ("failed_job",),
}
_OF_FILES = ("truncated_file", "expired_link", *_ANYWHERE)
_OF_BULK_FILES = ("unknown_rows", "wrong_first_line", *_OF_FILES)
FAULTS = frozenset(
    {"no_refresh_token", *_OF_CALLS, *_OF_BULK_FILES, *oddities.KINDS, *itertools.chain(*_OF_OPERATIONS.values())}
)
_HANG_SECONDS = 120
_HOSTS = ("127.0.0.1", "localhost")
_XML = "text/xml; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_LAPSED = (
    b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
    b"<Message>The signature is not valid in the specified time frame.</Message></Error>"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; a tracking id goes into a header of its own."""

    status: int
    kind: str
    body: bytes
    tracking_id: str = ""
    location: str = ""


def serve(world: World, faults: Faults, pace: Pace) -> MicrosoftServer:
    return MicrosoftServer(world, faults, pace)


class MicrosoftServer:
    """Serves until it is closed."""

    def __init__(self, world: World, faults: Faults, pace: Pace) -> None:
        self.faults = faults
        self.pace = pace
        self.closing = threading.Event()
        self._directory = tempfile.mkdtemp(prefix="sandbox-microsoft-")
        self._tokens = oauth.Tokens()
        self._throttles = Throttles() if pace.throttled else None
        self._world = world
        self._hosts = itertools.cycle(_HOSTS)
        self._reports = reports.Reports(world, self._file_url, pace)
        self._bulk = bulk.Bulk(world, self._file_url, pace)
        self._services: dict[str, dict[str, Operation]] = {
            CUSTOMER: customers.Customers(world).operations,
            CAMPAIGN: campaigns.Campaigns(world).operations,
            REPORTING: self._reports.operations,
            BULK: self._bulk.operations,
        }
        self._lock = threading.Lock()
        self._answers = 0
        self._downloads_spoiled = 0
        self._http = _HttpServer(("127.0.0.1", 0), _Handler)
        self._http.platform = self
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def consents(self) -> Consents:
        return self._tokens.consents

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def _file_url(self) -> str:
        """Where the next file is: the host of result files is subject to change."""
        return f"http://{next(self._hosts)}:{self._http.server_port}"

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

    def is_waiting(self, request_id: str) -> bool:
        """Whether a report is still being made."""
        return self._reports.is_waiting(request_id)

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._reports.close()
        self._bulk.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def consent(self, page: Page) -> Answer:
        """Answer a browser that asks for the owner's consent."""
        return Answer(page.status, "text/html; charset=utf-8", page.body, location=page.location)

    def token(self, body: bytes, struck: str | None) -> Answer:
        """Answer at the token endpoint."""
        if struck == "revoked_token":
            self._tokens.revoke()
        if struck == "server_error":
            unavailable = b'{"error":"temporarily_unavailable","error_description":"AADSTS90033"}'
            return Answer(503, "application/json", unavailable)
        status, answer = self._tokens.answer(body, withhold=struck == "no_refresh_token")
        return Answer(status, _JSON, answer)

    def soap(self, call: Call, struck: str | None) -> Answer:
        """Answer one operation; a refusal is a fault with HTTP status 500, or now and then with 200."""
        try:
            body = self._operate(call, struck)
        except RefusalError as error:
            status = 200 if error.where == "Errors" and self._by_turns() else 500
            return Answer(status, _XML, soap.fault(error, call.service))
        return Answer(200, _XML, soap.answer(call, body))

    def rest(self, call: Call, read: Callable[[], Call], struck: str | None) -> Answer:
        """Answer one operation, whose body is read only when it is known who asks."""
        tracking_id = rest.new_tracking_id()
        try:
            body = self._operate(call, struck, read)
        except RefusalError as error:
            return Answer(error.status, _JSON, rest.fault(error, call.service, tracking_id), tracking_id)
        # What is not set is null or absent: both occur.
        return Answer(200, _JSON, rest.answer(body, nulls=self._by_turns()), tracking_id)

    def _by_turns(self) -> bool:
        with self._lock:
            self._answers += 1
            return self._answers % 2 == 0

    def _operate(self, call: Call, struck: str | None, read: Callable[[], Call] | None = None) -> Body:
        if struck == "expired_token":
            self._tokens.expire()
        elif struck == "revoked_token":
            self._tokens.revoke()
        elif struck == "rate_limit":
            raise RefusalError(117)
        elif struck == "server_error":
            raise RefusalError(0)
        elif struck is not None and struck.startswith("error="):
            raise self._refusal(int(struck.removeprefix("error=")), call)
        self._authenticate(call)
        if self._throttles is not None:
            self._throttles.check(call)
        if read is not None:
            call = read()
        if struck == "failed_job":
            self._reports.fail(str(call.body.get("ReportRequestId")))
            self._bulk.fail(str(call.body.get("RequestId")))
        elif struck == "empty_job":
            return {"ReportRequestStatus": {"ReportDownloadUrl": None, "Status": "Success"}}
        operation = self._services[call.service].get(call.operation)
        if operation is None:
            raise RefusalError(100)
        answer = operation(call)
        if struck in LOSSES:
            self._reports.lose(str(answer["ReportRequestId"]), struck)
        return oddities.made_odd(struck, answer) if struck in oddities.KINDS else answer

    def _refusal(self, code: int, call: Call) -> RefusalError:
        """A refusal on request; of an account that is too big the details list its campaigns."""
        if code != 3207:
            return RefusalError(code)
        account = self._world.account("microsoft", call.account_id)
        return RefusalError(code, ",".join(str(each.id) for each in campaigns.live_campaigns(self._world, account)))

    def _authenticate(self, call: Call) -> None:
        needed = ["AuthenticationToken", "DeveloperToken"]
        needed += [] if call.service == CUSTOMER else ["CustomerId", "CustomerAccountId"]
        missing = [name for name in needed if not call.headers.get(name)]
        refuse(missing, 116, ", ".join(missing))
        code = self._tokens.error_code(call.headers["AuthenticationToken"])
        if code is not None:
            raise RefusalError(code)
        refuse(call.headers["DeveloperToken"] != oauth.DEVELOPER_TOKEN, 105)
        if call.service == CUSTOMER:
            return
        try:
            account = self._world.account("microsoft", call.account_id)
        except KeyError as cause:
            raise RefusalError(106) from cause
        refuse(call.headers["CustomerId"] != customers.customer_of(account), 106)
        refuse(account.closed, 105, "AccountInactive")

    def download(self, path: str, struck: str | None) -> Answer:
        """Answer with a file; truncated ones are by turns cut archives and whole ones with rows missing."""
        spoiled = 0
        if struck == "truncated_file":
            self._downloads_spoiled += 1
            spoiled = self._downloads_spoiled
        if struck == "server_error":
            return Answer(500, "text/plain", b"Internal Server Error")
        short, lapses = bool(spoiled) and spoiled % 2 == 0, struck is not None
        if path.startswith("/bulk/"):
            content = self._bulk.download(path, "unfinished" if short else struck, lapses=lapses)
        else:
            content = self._reports.download(path, short=short, lapses=lapses)
        if content is None or struck == "expired_link":
            # What a signed address of the vendor's storage answers when it is no longer good.
            return Answer(403, "application/xml", _LAPSED)
        cut = content[: len(content) // 2] if spoiled % 2 else content
        return Answer(200, "application/octet-stream", cut)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    platform: MicrosoftServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HttpServer

    def setup(self) -> None:
        super().setup()
        self.server.platform.pace.connect()

    def log_message(self, format: str, *args: object) -> None:
        """Requests hold tokens, so they are not logged."""

    def do_GET(self) -> None:
        platform = self.server.platform
        path, _, query = self.path.partition("?")
        if _CONSENT_PATH.fullmatch(path):
            self._send(platform.consent(platform.consents.page(query)))
        elif not self.path.startswith(("/download/", "/bulk/")):
            self._send(Answer(404, "text/plain", b"not found"))
        elif "Authorization" in self.headers or "Cookie" in self.headers:
            self._send(Answer(400, "text/plain", b"A signed address takes no credentials."))
        else:
            kinds = _OF_BULK_FILES if self.path.startswith("/bulk/") else _OF_FILES
            struck = platform.faults.strike(*kinds)
            self._commit(struck, lambda: platform.download(self.path, struck))

    def do_POST(self) -> None:
        platform = self.server.platform
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if _CONSENT_PATH.fullmatch(self.path.partition("?")[0]):
            self._send(platform.consent(platform.consents.decided(body.decode())))
        elif self.path == _TOKEN_PATH:
            redeems = ("no_refresh_token",) if b"authorization_code" in body else ()
            struck = platform.faults.strike("revoked_token", *redeems, *_ANYWHERE)
            self._commit(struck, lambda: platform.token(body, struck))
        elif service := soap.PATHS.get(self.path.lower()):
            self._soap(service, body)
        elif call := rest.heard(self.path, self.headers):
            struck = self._strike(call, body)
            self._commit(struck, lambda: platform.rest(call, lambda: rest.parse(call, self.headers, body), struck))
        else:
            self._send(Answer(404, "text/plain", b"not found"))

    def _soap(self, service: str, body: bytes) -> None:
        try:
            call = soap.parse(service, body)
        except RefusalError as error:
            self._send(Answer(500, _XML, soap.fault(error, service)))
            return
        struck = self._strike(call, body)
        self._commit(struck, lambda: self.server.platform.soap(call, struck))

    def _strike(self, call: Call, body: bytes) -> str | None:
        odd = oddities.KINDS if call.operation in oddities.OPERATIONS else ()
        return self.server.platform.faults.strike(
            *(*_OF_CALLS, *_OF_OPERATIONS.get(call.operation, ()), *odd),
            account=call.account_id,
            suits=lambda fault: self._suits(fault, call, body),
        )

    def _suits(self, fault: Fault, call: Call, body: bytes) -> bool:
        """A job is spoiled when it is done, so that how often it is asked about changes nothing of the faults."""
        if fault.kind == "error":
            return can_strike(fault.code or 0, call.operation)
        if fault.kind in LOSSES:
            return b"CampaignPerformanceReport" in body
        if fault.kind in ("empty_job", "failed_job"):
            asked = _ASKED_FOR.search(body)
            return asked is None or not self.server.platform.is_waiting(asked[1].decode())
        return True

    def _commit(self, struck: str | None, answer: Callable[[], Answer]) -> None:
        """Answer, unless the fault is that there is no proper answer."""
        if struck == "hang":
            self.server.platform.closing.wait(_HANG_SECONDS)
            self.close_connection = True
        elif struck == "html":
            self._send(Answer(502, "text/html", _HTML))
        elif struck is not None and struck.startswith("bare="):
            self._send(Answer(int(struck.removeprefix("bare=")), "text/plain", b""))
        elif struck == "empty_body":
            self._send(Answer(200, answer().kind, b""))
        else:
            self._send(answer(), cut=struck == "broken_connection")

    def _send(self, answer: Answer, *, cut: bool = False) -> None:
        body = answer.body
        self.server.platform.pace.answer()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        if answer.location:
            self.send_header("Location", answer.location)
        if answer.tracking_id:
            self.send_header("TrackingId", answer.tracking_id)
        if answer.status in (429, 503):
            self.send_header("Retry-After", "1")
        if answer.kind == _JSON and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True
