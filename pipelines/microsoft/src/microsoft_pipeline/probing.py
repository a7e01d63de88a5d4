"""Microsoft's own opinion of the reports of one's own: it looks at the columns of a report when that is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.refused_reports import is_about_the_report
from microsoft_pipeline.report_requests import submit_in_turn
from microsoft_pipeline.tables import Report
from microsoft_pipeline.time_zones import iana_zone
from wire import CheckWarning, Kind, PipelineError, Window, today_in, wrong_report
from wire.days import month_of

_DAY = dt.timedelta(days=1)


def refusals(
    client: Client, accounts: Sequence[Account], reports: Sequence[Report]
) -> Iterator[PipelineError | CheckWarning]:
    """For each report that Microsoft refuses, a finding in its words; each is asked for of yesterday, and not read.

    One account that can be asked is enough, because columns are the same for all. Raises PipelineError where Microsoft
    cannot be asked at all.
    """
    open_ones = [account for account in accounts if not account.closed]
    for report in reports:
        if (found := _refusal(client, open_ones, report)) is not None:
            yield found


def _refusal(client: Client, accounts: Sequence[Account], report: Report) -> PipelineError | CheckWarning | None:
    name, told = report.table.name, "no account of this login is open"
    for account in accounts:
        yesterday = today_in(iana_zone(account.id, account.time_zone)) - _DAY
        window = month_of(yesterday) if report.is_monthly else Window(yesterday, yesterday)
        try:
            submit_in_turn(client, account, report, Window(window.first, min(window.last, yesterday)))
        except PipelineError as error:
            if is_about_the_report(error):
                return wrong_report(name, "", error.message)
            if error.account_id is None and error.kind is Kind.AUTH:
                raise
            told = error.message
        else:
            return None
    return CheckWarning(wrong_report(name, "", f"could not be asked about: {told}").message)
