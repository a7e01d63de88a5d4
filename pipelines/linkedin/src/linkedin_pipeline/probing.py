"""What LinkedIn itself has against reports of one's own: each is asked for over one day, of one account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from linkedin_pipeline.accounts import discovered
from linkedin_pipeline.analytics import Analytics
from linkedin_pipeline.client import Client
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.names import Names
from linkedin_pipeline.settings import Settings
from wire import CheckWarning, Kind, PipelineError, Window, wrong_report

_LATER = frozenset({Kind.TRANSIENT, Kind.RATE_LIMIT, Kind.QUOTA})


def refused(client: Client, settings: Settings, today: dt.date) -> Iterator[PipelineError | CheckWarning]:
    """A finding for each report that LinkedIn refuses, and a warning for each that it cannot be asked for now.

    Raises PipelineError (config) where there is no account to ask for.
    """
    yesterday = Window(today - dt.timedelta(days=1), today - dt.timedelta(days=1))
    account_id = _any_account(client, settings)
    analytics = Analytics(
        client,
        Directory(),
        account_id=account_id,
        currency=None,
        element_limit=settings.element_limit,
        names=Names(client),
    )
    for report in settings.reports:
        try:
            analytics.ask(report, yesterday)
        except PipelineError as error:
            finding = wrong_report(report.name, "", error.message)
            yield CheckWarning(finding.message) if error.kind in _LATER else finding


def _any_account(client: Client, settings: Settings) -> str:
    """One of the accounts that are loaded, one that serves ads if there is any."""
    accounts = {
        id_: each
        for id_, each in discovered(client).items()
        if not isinstance(each, PipelineError) and (not settings.account_ids or id_ in settings.account_ids)
    }
    if not accounts:
        raise PipelineError(Kind.CONFIG, "reports: LinkedIn cannot be asked about them, because no account can be read")
    return next((id_ for id_, each in accounts.items() if each.get("status") == "ACTIVE"), next(iter(accounts)))
