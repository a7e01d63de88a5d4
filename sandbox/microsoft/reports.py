"""Reporting: reports are asked for, made in the background, and then downloaded as a ZIP from a signed address."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sandbox.microsoft.calls import Body, Call, Operation
from sandbox.microsoft.refusals import RefusalError, refuse
from sandbox.microsoft.report_file import made, shortened
from sandbox.microsoft.report_requests import Order, checked
from sandbox.microsoft.throttles import reports_at_once
from sandbox.pace import Pace
from sandbox.world import World

_SECONDS_GOOD = 300
_SECONDS_COUNTED = 2.0


@dataclass(slots=True)
class Report:
    """A report in the making, until the client is `told` that it is made. `made` gives its ZIP, empty without rows."""

    made: Future[bytes]
    order: Order
    pending_polls: int = 0
    failed: bool = False
    told: bool = False
    since: float = field(default_factory=time.monotonic)
    addresses: dict[str, float] = field(default_factory=dict)


class Reports:
    def __init__(self, world: World, base_url: Callable[[], str], pace: Pace) -> None:
        self._world = world
        self._pace = pace
        self._base_url = base_url
        self._at_once = reports_at_once()
        self._reports: dict[str, Report] = {}
        self._numbers = itertools.count(30_000_001)
        self._lock = threading.Lock()
        self._maker = ThreadPoolExecutor(max_workers=1)

    @property
    def operations(self) -> dict[str, Operation]:
        return {"SubmitGenerateReport": self._submit, "PollGenerateReport": self._poll}

    def fail(self, request_id: str) -> None:
        """The making of this report has failed for good."""
        if request_id in self._reports:
            self._reports[request_id].failed = True

    def lose(self, request_id: str, loss: str) -> None:
        """This report's file lacks what a loss takes away."""
        report = self._reports[request_id]
        report.made = self._maker.submit(made, report.order, self._world, loss)

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
        return shortened(report.made.result()) if short else report.made.result()

    def _submit(self, call: Call) -> Body:
        order = checked(call, self._world)
        with self._lock:
            if sum(map(self._counts, self._reports.values())) >= self._at_once:
                raise RefusalError(207)
            number = next(self._numbers)
            # Every third is not ready when first asked for.
            self._reports[str(number)] = Report(
                self._maker.submit(made, order, self._world), order, pending_polls=1 if number % 3 == 0 else 0
            )
        return {"ReportRequestId": str(number)}

    def is_waiting(self, request_id: str) -> bool:
        """Whether a report is still being made; asking so does not count as a poll."""
        report = self._reports.get(request_id)
        if report is None or report.failed:
            return False
        young = time.monotonic() - report.since < self._pace.job_seconds
        return bool(report.pending_polls) or young or not report.made.done()

    def _poll(self, call: Call) -> Body:
        request_id = str(call.body.get("ReportRequestId") or "")
        refuse(not request_id.isdecimal(), 2100)
        report = self._reports.get(request_id)
        if report is None:
            raise RefusalError(2101)
        status, url = self._progress(request_id, report)
        return {"ReportRequestStatus": {"ReportDownloadUrl": url, "Status": status}}

    def _progress(self, request_id: str, report: Report) -> tuple[str, str | None]:
        if self.is_waiting(request_id):
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

    def _counts(self, report: Report) -> bool:
        """Whether a report takes up one of the places; one that is never asked for gives its place up after a while."""
        return not report.told and time.monotonic() - report.since < _SECONDS_COUNTED + self._pace.job_seconds
