"""One account, round by round: its entities in the first, then its days."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from microsoft_pipeline.account_totals import AccountTotals
from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.entities import load_entities
from microsoft_pipeline.refused_reports import RefusedReports
from microsoft_pipeline.report_room import ReportRoom
from microsoft_pipeline.report_times import ReportTimes
from microsoft_pipeline.reports import AccountReports, due_reports
from microsoft_pipeline.tables import Report
from wire import Extraction, Kind, PipelineError, Round

log = logging.getLogger(__name__)


class Loading:
    """Loads accounts, on whatever thread each; what all of them share is here."""

    def __init__(
        self, client: Client, extraction: Extraction, entities: frozenset[str], reports: Sequence[Report]
    ) -> None:
        self._client = client
        self._extraction = extraction
        self._entities = entities
        self._reports = reports
        settings = client.settings
        self._room = ReportRoom(client.limiter, settings.max_reports_in_flight, settings.retry_attempts)
        self._times = ReportTimes(settings.poll_interval)
        self._totals = AccountTotals(client)
        self._refused = RefusedReports(extraction)

    def load(self, account: Account, within: Round) -> None:
        """Everything of an account that belongs to the round; raises PipelineError."""
        if account.contradicted:
            raise PipelineError(
                Kind.DATA,
                "SearchAccounts: Microsoft gives the account twice, with different values",
                account_id=account.id,
            )
        if within.is_first:
            load_entities(self._client, self._extraction, account, self._entities)
        if account.closed:
            log.info("account %s is closed (%s): only its own row is loaded", account.id, account.status)
            return
        tasks = due_reports(self._client.settings, self._extraction, account, self._reports, within)
        if tasks:
            AccountReports(
                self._client,
                self._extraction,
                account,
                tasks,
                room=self._room,
                times=self._times,
                totals=self._totals,
                refused=self._refused,
            ).load()
