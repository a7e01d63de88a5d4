"""One account after the other: its own row, its entities, then its daily reports."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any

from linkedin_pipeline.client import Client
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.entities import found, load_entities, row
from linkedin_pipeline.fields import last_of_urn
from linkedin_pipeline.reports import ReportLoad
from linkedin_pipeline.settings import Settings
from linkedin_pipeline.tables import ACCOUNT, REPORTS
from wire import Extraction

_CLOSED = frozenset({"CANCELED", "PENDING_DELETION", "REMOVED"})

log = logging.getLogger(__name__)


def discovered(client: Client) -> dict[str, Mapping[str, Any]]:
    """Every account that the token's member has access to, by id, in whatever status."""
    return {last_of_urn(element["id"]): element for element in found(client, ACCOUNT)}


class AccountLoad:
    """What one run loads of one account."""

    def __init__(
        self,
        client: Client,
        extraction: Extraction,
        settings: Settings,
        *,
        element: Mapping[str, Any],
        wanted: frozenset[str],
        today: dt.date,
    ) -> None:
        self._client = client
        self._extraction = extraction
        self._settings = settings
        self._wanted = wanted
        self._today = today
        self._account = row(ACCOUNT, element, last_of_urn(element["id"]))

    @property
    def account_id(self) -> str:
        return str(self._account["account_id"])

    def run(self) -> None:
        """Load what is wanted; raises PipelineError when the account cannot be loaded to the end."""
        if ACCOUNT.name in self._wanted:
            self._extraction.replace_account(ACCOUNT.name, self.account_id, [self._account])
        if self._account["status"] in _CLOSED:
            log.info("account %s is %s: only its own row is loaded", self.account_id, self._account["status"])
            return
        log.info("account %s, %s", self.account_id, self._account["name"])
        directory = Directory()
        count = load_entities(self._client, self._extraction, directory, self.account_id, self._wanted)
        reports = ReportLoad(
            self._client,
            self._extraction,
            self._settings,
            account=self._account,
            directory=directory,
            today=self._today,
        )
        count += sum(reports.run(report) for report in REPORTS if report.name in self._wanted)
        log.info("account %s: %d rows", self.account_id, count)
