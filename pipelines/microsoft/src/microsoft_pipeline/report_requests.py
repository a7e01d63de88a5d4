"""Asking the Reporting service for a report, and how far it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec import Struct

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.tables import Report
from microsoft_pipeline.time_zones import reporting_zone
from wire import Window

_SERVICE = "ReportingService"


class Progress(Struct, frozen=True):
    """`status` is Pending, Success or Error; a success without an address is a report without rows."""

    status: str
    url: str | None


def submit(client: Client, account: Account, report: Report, window: Window) -> str:
    """Have a report made; returns the id to ask for it by."""
    return str(
        client.call(
            _SERVICE,
            "SubmitGenerateReport",
            account_id=account.id,
            customer_id=account.customer_id,
            ReportRequest=_request(client.factory(_SERVICE), account, report, window),
        )
    )


def poll(client: Client, account: Account, request_id: str) -> Progress:
    """How far a report is. Its address holds for five minutes; each poll gives a fresh one."""
    return client.retried(lambda: poll_once(client, account, request_id), f"account {account.id}")


def poll_once(client: Client, account: Account, request_id: str) -> Progress:
    """The same without another attempt, for those who repeat more than the poll."""
    arguments = {"ReportRequestId": request_id}
    answer = client.call_once(_SERVICE, "PollGenerateReport", account.id, account.customer_id, arguments)
    return Progress(str(answer.Status), str(answer.ReportDownloadUrl) if answer.ReportDownloadUrl else None)


def _request(factory: Any, account: Account, report: Report, window: Window) -> Any:
    """A daily report of one account. Every field is set: suds would send an unset one as an empty element."""
    request = factory.create(f"{report.kind}Request")
    for name in request.__keylist__:
        setattr(request, name, None)
    request.ReportName = report.table.name
    request.Format = "Csv"
    request.FormatVersion = "2.0"
    request.ExcludeColumnHeaders = False
    request.ExcludeReportHeader = False
    request.ExcludeReportFooter = True
    # True would refuse any days that are not complete, and so today.
    request.ReturnOnlyCompleteData = False
    request.Aggregation = "Daily"
    request.Columns = {f"{report.kind}Column": list(report.columns)}
    request.Scope = {"AccountIds": {"long": [account.id]}}
    request.Time = _time(factory, account, window)
    return request


def _time(factory: Any, account: Account, window: Window) -> Any:
    time = factory.create("ReportTime")
    time.CustomDateRangeStart = _date(factory, window.first)
    time.CustomDateRangeEnd = _date(factory, window.last)
    time.PredefinedTime = None
    # Unset it is Pacific time, where the account's today may be tomorrow, and is refused.
    time.ReportTimeZone = reporting_zone(account.time_zone)
    return time


def _date(factory: Any, day: dt.date) -> Any:
    date = factory.create("Date")
    date.Year, date.Month, date.Day = day.year, day.month, day.day
    return date
