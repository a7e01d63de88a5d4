"""Reporting: reports are asked for, made in the background, and then downloaded as a ZIP from a signed address."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import secrets
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sandbox.microsoft.columns import NEVER_BESIDE_SHARES, REPORT_TYPES, ReportType, Row
from sandbox.microsoft.customers import TIME_ZONES
from sandbox.microsoft.soap import ApiFaultError, Call, Element, element
from sandbox.world import Account, World

NAMESPACE = "https://bingads.microsoft.com/Reporting/v13"
_SECONDS_GOOD = 300
_LIMIT = 6
_SECONDS_COUNTED = 2.0
_ZONES = {zone: name for name, zone in TIME_ZONES.items()}


@dataclass(frozen=True, slots=True)
class Order:
    """A checked report request."""

    name: str
    kind: ReportType
    account: Account
    columns: tuple[str, ...]
    first: dt.date
    last: dt.date


@dataclass(slots=True)
class Report:
    """A report in the making, until the client is `told` that it is made. `made` gives its ZIP, empty without rows."""

    made: Future[bytes]
    pending_polls: int = 0
    failed: bool = False
    told: bool = False
    since: float = field(default_factory=time.monotonic)
    addresses: dict[str, float] = field(default_factory=dict)


class Reports:
    def __init__(self, world: World, base_url: Callable[[], str]) -> None:
        self._world = world
        self._base_url = base_url
        self._reports: dict[str, Report] = {}
        self._numbers = itertools.count(30_000_001)
        self._lock = threading.Lock()
        self._maker = ThreadPoolExecutor(max_workers=1)

    @property
    def operations(self) -> dict[str, Callable[[Call], str]]:
        return {"SubmitGenerateReport": self._submit, "PollGenerateReport": self._poll}

    def fail(self, request_id: str) -> None:
        """The making of this report has failed for good."""
        if request_id in self._reports:
            self._reports[request_id].failed = True

    def close(self) -> None:
        self._maker.shutdown(wait=False, cancel_futures=True)

    def download(self, path: str, *, short: bool = False, lapses: bool = False) -> bytes | None:
        """The ZIP at an address, None for one that is not or no longer good.

        `short` leaves out the last row; an address that `lapses` is good for this once.
        """
        request_id, _, signature = path.removeprefix("/download/").partition(".zip?sig=")
        report = self._reports.get(request_id)
        if report is None or report.addresses.get(signature, 0) < time.monotonic():
            return None
        if lapses:
            del report.addresses[signature]
        return _shortened(report.made.result()) if short else report.made.result()

    def _submit(self, call: Call) -> str:
        order = self._checked(call)
        with self._lock:
            if sum(map(_counts, self._reports.values())) >= _LIMIT:
                raise ApiFaultError(207)
            number = next(self._numbers)
            # Every third is not ready when first asked for.
            self._reports[str(number)] = Report(
                self._maker.submit(self._make, order), pending_polls=1 if number % 3 == 0 else 0
            )
        return element("ReportRequestId", number)

    def _poll(self, call: Call) -> str:
        request_id = call.body["ReportRequestId"].text
        report = self._reports.get(request_id)
        if report is None:
            raise ApiFaultError(2010, of_request=True)
        status, url = self._progress(request_id, report)
        return (
            f"<ReportRequestStatus>{element('ReportDownloadUrl', url)}<Status>{status}</Status></ReportRequestStatus>"
        )

    def _progress(self, request_id: str, report: Report) -> tuple[str, str | None]:
        if not report.failed and (report.pending_polls or not report.made.done()):
            report.pending_polls = max(0, report.pending_polls - 1)
            return "Pending", None
        report.told = True
        if report.failed:
            return "Error", None
        if not report.made.result():
            return "Success", None
        signature = secrets.token_hex(8)
        report.addresses[signature] = time.monotonic() + _SECONDS_GOOD
        return "Success", f"{self._base_url()}/download/{request_id}.zip?sig={signature}"

    def _checked(self, call: Call) -> Order:
        request = call.body["ReportRequest"]
        kind = REPORT_TYPES.get(request.type.removesuffix("Request"))
        if kind is None:
            raise ApiFaultError(100, of_request=True)
        if request["Aggregation"].text != "Daily" or request["Format"].text != "Csv":
            raise ApiFaultError(2033, of_request=True)
        if (request["FormatVersion"].text, request["ExcludeReportFooter"].text) != ("2.0", "true"):
            raise ApiFaultError(100, of_request=True)
        columns = tuple(each.text for each in request["Columns"])
        _check_columns(kind, columns)
        ids = [each.text for each in request["Scope"]["AccountIds"]]
        if ids != [call.headers["CustomerAccountId"]]:
            raise ApiFaultError(2020, of_request=True)
        account = self._world.account("microsoft", ids[0])
        first, last = self._days(request["Time"])
        if request["ReturnOnlyCompleteData"].text == "true" and last == self._world.today(account):
            raise ApiFaultError(2004, of_request=True)
        return Order(request["ReportName"].text, kind, account, columns, first, last)

    def _days(self, given: Element) -> tuple[dt.date, dt.date]:
        if given["PredefinedTime"].text or given["ReportTimeZone"].text not in _ZONES:
            raise ApiFaultError(2025, of_request=True)
        try:
            first, last = _date(given["CustomDateRangeStart"]), _date(given["CustomDateRangeEnd"])
        except ValueError as cause:
            raise ApiFaultError(2025, of_request=True) from cause
        today = self._world.as_of.astimezone(ZoneInfo(_ZONES[given["ReportTimeZone"].text])).date()
        if first > last or last > today:
            raise ApiFaultError(2025, of_request=True)
        return first, last

    def _make(self, order: Order) -> bytes:
        today = self._world.today(order.account)
        cells = [cell for column in order.columns if (cell := order.kind.cell(column))]
        rows = [
            [cell(row) for cell in cells]
            for fact in order.kind.facts(self._world, order.account, order.first, order.last)
            for row in (Row(order.account, fact, today),)
        ]
        if not rows:
            return b""
        text = io.StringIO(newline="")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        for line in (
            f"Report Name: {order.name}",
            f"Report Time: {order.first:%-m/%-d/%Y},{order.last:%-m/%-d/%Y}",
            "Time Zone: (GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
            f"Last Completed Available Day: {self._world.as_of:%-m/%-d/%Y %-I:%M:%S %p} (GMT)",
            f"Last Completed Available Hour: {self._world.as_of:%-m/%-d/%Y %-I:%M:%S %p} (GMT)",
            "Report Aggregation: Daily",
            "Report Filter: ",
            f"Potential Incomplete Data: {'true' if order.last == today else 'false'}",
            f"Rows: {len(rows)}",
        ):
            writer.writerow([line])
        text.write("\r\n")
        writer.writerow(order.columns)
        writer.writerows(rows)
        return _packed(text.getvalue().encode("utf-8-sig"))


def _counts(report: Report) -> bool:
    """Whether a report takes up one of the places; one that is never asked for gives its place up after a while."""
    return not report.told and time.monotonic() - report.since < _SECONDS_COUNTED


def _packed(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("report.csv", content)
    return packed.getvalue()


def _shortened(packed: bytes) -> bytes:
    """The same file without its last row, but with the same number of rows announced."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        lines = archive.read("report.csv").split(b"\r\n")
    return _packed(b"\r\n".join(lines[:-2]) + b"\r\n")


def _check_columns(kind: ReportType, columns: tuple[str, ...]) -> None:
    if not columns or any(kind.cell(column) is None for column in columns):
        raise ApiFaultError(2017, of_request=True)
    if not {*kind.required} <= {*columns} or not {*kind.metrics} & {*columns}:
        raise ApiFaultError(2043, of_request=True)
    if kind.shares & {*columns} and NEVER_BESIDE_SHARES & {*columns}:
        raise ApiFaultError(2044, of_request=True)


def _date(given: Element) -> dt.date:
    return dt.date(int(given["Year"].text), int(given["Month"].text), int(given["Day"].text))
