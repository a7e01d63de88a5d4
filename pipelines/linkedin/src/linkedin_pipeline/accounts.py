"""One account after the other: its own row, its entities, then its daily reports."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any

from linkedin_pipeline.analytics import OLDEST, Analytics
from linkedin_pipeline.client import Client
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.entities import found, row
from linkedin_pipeline.fields import last_of_urn
from linkedin_pipeline.settings import Settings
from linkedin_pipeline.tables import ACCOUNT, LEVELS, REPORTS, Report
from wire import Extraction, Window

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
        self._directory = Directory()

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
        count = self._load_entities()
        for report in REPORTS:
            if report.name in self._wanted:
                count += self._load_report(report)
        log.info("account %s: %d rows", self.account_id, count)

    def _load_entities(self) -> int:
        """Load the levels that are wanted, and read those that a wanted report takes its names from."""
        count = 0
        needed = {
            level for report in REPORTS if report.name in self._wanted for level in (*report.parents, report.level)
        }
        for entity in LEVELS:
            if entity.name not in self._wanted | needed:
                continue
            elements = found(self._client, entity, self.account_id)
            rows = self._directory.noting(entity, (row(entity, each, self.account_id) for each in elements))
            if entity.name in self._wanted:
                count += self._extraction.replace_account(entity.name, self.account_id, rows)
            else:
                for _ in rows:
                    pass
        return count

    def _load_report(self, report: Report) -> int:
        analytics = Analytics(
            self._client,
            self._directory,
            account_id=self.account_id,
            currency=self._account["currency"],
            element_limit=self._settings.element_limit,
        )
        windows = self._extraction.due(
            report.name,
            self.account_id,
            today=self._today,
            lookback_days=self._settings.lookback_days,
            window_days=self._settings.window_days or analytics.window_days(report),
            earliest=self._today - OLDEST,
        )
        return sum(self._load_window(analytics, report, window) for window in windows)

    def _load_window(self, analytics: Analytics, report: Report, window: Window) -> int:
        rows = analytics.rows(report, window, self._today)
        count = self._extraction.replace_window(report.name, self.account_id, window, rows, today=self._today)
        log.debug("%s %s %s: %d rows", self.account_id, report.name, window, count)
        return count
