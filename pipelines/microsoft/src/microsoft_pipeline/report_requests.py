"""Asking the Reporting service for a report, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Mapping

from msgspec import Struct

from microsoft_pipeline import operations
from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.errors import TooManyReportsError
from microsoft_pipeline.report_room import pause_after
from microsoft_pipeline.tables import Report
from microsoft_pipeline.time_zones import reporting_zone
from wire import Kind, PipelineError, Window, count_pause


class Progress(Struct, frozen=True):
    """`status` is Pending, Success or Error; a success without an address is a report without rows."""

    status: str
    url: str | None


def submit(client: Client, account: Account, report: Report, window: Window) -> str:
    """Have a report made; returns the id to ask for it by."""
    call = operations.submit_report(
        report.table.name,
        report.kind,
        report.columns,
        grain=report.grain,
        where=report.filter,
        account_id=account.id,
        window=window,
        time_zone=reporting_zone(account.time_zone),
    )
    request_id = client.call(call, account_id=account.id, customer_id=account.customer_id).get("ReportRequestId")
    if not request_id:
        raise PipelineError(Kind.TRANSIENT, f"{call}: the answer has no ReportRequestId")
    return str(request_id)


def submit_in_turn(client: Client, account: Account, report: Report, window: Window) -> str:
    """The same where nobody keeps a place for it: as soon as there is room, waited for as long as a report may take."""
    deadline, refusals = time.monotonic() + client.settings.report_timeout, 0
    while True:
        try:
            return submit(client, account, report, window)
        except TooManyReportsError as error:
            if time.monotonic() >= deadline:
                raise
            # Those in the making get made, whether or not they are asked for, but others may take their places.
            refusals += 1
            pause = max(pause_after(error, refusals), client.settings.poll_interval)
            count_pause(pause)
            client.limiter.rest(pause)


def poll(client: Client, account: Account, report: Report, request_id: str) -> Progress:
    """How far a report is. Its address holds for five minutes; each poll gives a fresh one."""
    return client.retried(lambda: poll_once(client, account, report, request_id), f"account {account.id}")


def poll_once(client: Client, account: Account, report: Report, request_id: str) -> Progress:
    """The same without another attempt, for those who repeat more than the poll."""
    call = operations.poll_report(request_id, report.table.name)
    answer = client.call_once(call, account_id=account.id, customer_id=account.customer_id).get("ReportRequestStatus")
    if not isinstance(answer, Mapping) or not answer.get("Status"):
        raise PipelineError(Kind.TRANSIENT, f"{call}: the answer has no status")
    url = answer.get("ReportDownloadUrl")
    return Progress(str(answer["Status"]), str(url) if url else None)
